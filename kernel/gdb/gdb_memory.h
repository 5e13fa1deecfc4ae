/*
 * Memory for the gdb stub: in any space, by its tables and through the direct map, so that a bad address is an error and
 * never a fault. In the kernel context (before there is one, in the loader's tables).
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/* Where an address means something. */
struct gdb_place {
	struct space space;
	struct user_space *user; /* whose space it is; NULL: not a process's */
};

/* Both return how many bytes were moved, from the first on. */
size_t gdb_memory_read(const struct gdb_place *place, vaddr_t va, void *to, size_t size);

/*
 * Writable memory is written; so is the kernel's text, by text_patch. A user's page that is read-only or shared
 * copy-on-write becomes the process's own first, as by ptrace(2) on Linux.
 */
size_t gdb_memory_write(const struct gdb_place *place, vaddr_t va, const void *from, size_t size);

/*
 * Whether the machine has stopped in user mode: only then is nothing of the kernel half done, and pages can be fetched
 * and copied. Else what is not there is an error, and so is a write to what is read-only and shared.
 */
void gdb_memory_set_quiet(bool quiet);
