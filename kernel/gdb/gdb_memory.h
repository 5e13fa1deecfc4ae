/*
 * Memory access for the gdb stub: in any space, by its tables and through the direct map, so that a bad address is an
 * error and never a fault. In the kernel context (or, before it exists, in the loader's tables).
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/* The space in which an address is meant. */
struct gdb_place {
	struct space space;
	struct user_space *user; /* the process's memory; NULL when the space is not a process's */
};

/* Read memory. Returns how many bytes were read, from the first on. */
size_t gdb_memory_read(const struct gdb_place *place, vaddr_t va, void *to, size_t size);

/*
 * Write memory. Returns how many bytes were written, from the first on. Writable memory can be written, and so can the
 * kernel's text, by text_patch. A user's page that is read-only or shared copy-on-write becomes the process's own
 * first, as by ptrace(2) on Linux.
 */
size_t gdb_memory_write(const struct gdb_place *place, vaddr_t va, const void *from, size_t size);

/*
 * Say whether the machine has stopped in user mode: only then the kernel is in the middle of nothing, and pages can be
 * fetched and copied. Otherwise a page that is not in memory is an error, and so is a write to one that is read-only
 * and shared.
 */
void gdb_memory_set_quiet(bool quiet);
