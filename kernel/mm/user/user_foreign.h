/*
 * Moves bytes between the memory of any user space and that of the caller, for process_vm_readv(2), /proc/PID/mem,
 * ptrace(2) and core files. Pages that are not there yet are mapped, as a touch of the program's would do. Nothing here
 * lets another task run, so that the pages stay while they are used.
 *
 * Each call, in any context, moves as many bytes as it can and says how many in *ret_moved, on error too. Returns OK;
 * ERR_FAULT: the next byte of one of the two sides cannot be accessed; ERR_NO_MEMORY: there is no frame for its page.
 */
#pragma once

#include "kernel/mm/user/user_io.h"

/* One of the functions below. */
typedef enum status user_foreign_fn(struct user_space *space, vaddr_t va, struct user_io *io, size_t bytes,
				    size_t *ret_moved);

/* Move bytes from `va` of the space to `to`. All memory with any right can be read. */
MUST_CHECK enum status user_foreign_get(struct user_space *space, vaddr_t va, struct user_io *to, size_t bytes,
					size_t *ret_moved);

/* Move bytes from `from` to `va` of the space, where its program might write. */
MUST_CHECK enum status user_foreign_put(struct user_space *space, vaddr_t va, struct user_io *from, size_t bytes,
					size_t *ret_moved);

/*
 * Move bytes as user_foreign_put() does, but also to private memory that the program may only read or execute, as
 * ptrace(2) does: the page first becomes the space's own copy. Its rights stay as they are, so that no page becomes
 * writable and executable.
 */
MUST_CHECK enum status user_foreign_force(struct user_space *space, vaddr_t va, struct user_io *from, size_t bytes,
					  size_t *ret_moved);

/*
 * Return whether the space has a page of its own in place of one of the object's, in [va, va + pages * PAGE_SIZE), a
 * part of an area with an object. Call in any context.
 */
bool user_has_copies(struct user_space *space, vaddr_t va, size_t pages);

/*
 * Return the first address from `va` on for which there is a page table or a large page, so that all before it is not
 * mapped; `end`: there is none below that. Call in any context. Its time does not depend on how much is not mapped.
 */
vaddr_t user_skip_absent(struct user_space *space, vaddr_t va, vaddr_t end);

/*
 * Make the page at `va` ready for a write by a debugger: as user_fault() does for a write, but also in a private
 * area that may only be read or executed, where the page becomes the space's own copy and keeps its rights. Call in the
 * kernel context. Returns ERR_NOT_FOUND, ERR_RIGHTS (no right at all, or shared and not to be written to), ERR_RANGE,
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum status user_fault_forced(struct user_space *space, vaddr_t va);
