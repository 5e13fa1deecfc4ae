/*
 * Work on a process's memory without the kernel lock, in open sections (kernel/sync/open_section.h): on a space that
 * the current process has for itself, and in which no other task of it runs. docs/locking.md says what other code
 * reaches a space, and how that is kept out.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * Return whether only one process uses the space, and no call changes it piece by piece. To be asked in an open section
 * on the space, by the only task of that process: user_space_get() adds a user and then waits for the end of sections,
 * so the answer holds until the section ends.
 */
static inline bool user_space_is_alone(const struct user_space *space)
{
	return __atomic_load_n(&space->users, __ATOMIC_ACQUIRE) == 1 && !space->in_pieces;
}

/*
 * Begin a section on `space`, which is the current process's. Returns false, with no section begun, if others use the
 * space, or if sections are forbidden. Call with interrupts off, and without the kernel lock. open_section_end() ends
 * the section.
 */
MUST_CHECK bool user_open_begin(struct user_space *space);

/*
 * Do what the functions without _open (user_space.h) do, where no memory is locked. Return whether it is done. If not,
 * the function without _open is to be called with the kernel lock, which returns the error, if there is any: a part of
 * the work may be done, as after that function's errors. `space` is that of the current process, which must have no
 * other task. Call with interrupts on, and without the kernel lock. user_map_open() maps zeros only, and knows of
 * USER_MAP_STACK and USER_MAP_NORESERVE.
 */
MUST_CHECK bool user_map_open(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights, unsigned flags,
			      vaddr_t *ret_va);
MUST_CHECK bool user_unmap_open(struct user_space *space, vaddr_t va, uint64_t size);
MUST_CHECK bool user_protect_open(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights);
MUST_CHECK bool user_dontneed_open(struct user_space *space, vaddr_t va, uint64_t size);
MUST_CHECK bool user_brk_open(struct user_space *space, vaddr_t brk);
