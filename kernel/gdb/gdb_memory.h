/*
 * Memory access for the gdb stub, in the kernel's or any process's address space. An address is looked up in that
 * space's page tables, and the memory is reached through the direct map, so that a bad address is an error and never a
 * fault. Call in the kernel context, which alone has the direct map, or with the loader's page tables before the kernel
 * context exists.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/* The page tables by which an address is looked up. */
struct gdb_place {
	struct space space;
	/* the process's memory, for addresses below USER_END; NULL: `space` has these addresses, too */
	struct user_space *user;
};

/* Read memory. Returns how many bytes were read: all, or those before the first that cannot be read. */
size_t gdb_memory_read(const struct gdb_place *place, vaddr_t va, void *to, size_t size);

/*
 * Write memory. Returns how many bytes were written: all, or those before the first that cannot be written. Writable
 * memory can be written, and the kernel's text, by text_patch(). If a process's page is read-only or copy-on-write, the
 * process first gets a private copy of it, as by ptrace(2) on Linux.
 */
size_t gdb_memory_write(const struct gdb_place *place, vaddr_t va, const void *from, size_t size);

/*
 * Set whether the machine has stopped in user mode: only then no kernel code is interrupted halfway, and page faults
 * can be handled for gdb. Otherwise an access to a page that is not in memory is an error, and so is a write that would
 * need a private copy.
 */
void gdb_memory_set_quiet(bool quiet);
