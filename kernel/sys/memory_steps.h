/*
 * What system calls do to ranges of memory of any size: in pieces, between which other tasks run. Each function does what
 * that of kernel/mm/user which it is named after does (user_space.h), and returns the same; but when the task is to end it
 * may stop anywhere.
 */
#pragma once

#include "kernel/lib/likely.h"
#include "kernel/mm/user/user_space.h"

#define MEMORY_STEP (1UL << 20) /* bytes of memory on which no call takes long, whatever is there */

/* Return the size of the whole pages that hold `size` bytes; 0 when that is beyond all addresses. */
static inline uint64_t page_round_up(uint64_t size)
{
	return (size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

/* Return whether a call on `size` bytes of the space's areas can be made at once. */
static inline bool memory_is_short(const struct user_space *space, uint64_t size)
{
	return likely(size <= MEMORY_STEP && !space->in_pieces);
}

MUST_CHECK enum status memory_unmap_long(struct user_space *space, vaddr_t va, uint64_t size);
MUST_CHECK enum status memory_protect_long(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights);

/* Do user_unmap(). ERR_NO_MEMORY: nothing has changed, unless the heap had no memory for the last piece. */
MUST_CHECK static inline enum status memory_unmap(struct user_space *space, vaddr_t va, uint64_t size)
{
	return memory_is_short(space, size) ? user_unmap(space, va, size) : memory_unmap_long(space, va, size);
}

/* Do user_protect(). ERR_NO_MEMORY: the first part may have the rights, as on Linux. */
MUST_CHECK static inline enum status memory_protect(struct user_space *space, vaddr_t va, uint64_t size,
						    unsigned rights)
{
	return memory_is_short(space, size) ? user_protect(space, va, size, rights)
					    : memory_protect_long(space, va, size, rights);
}

/* Do user_remap(). */
MUST_CHECK enum status memory_remap(struct user_space *space, vaddr_t va, uint64_t size, uint64_t new_size,
				    unsigned flags, vaddr_t to, vaddr_t *ret_va);

/* Do user_dontneed(), or user_advise_fork(). */
MUST_CHECK enum status memory_drop(struct user_space *space, vaddr_t va, uint64_t size);
MUST_CHECK enum status memory_advise_fork(struct user_space *space, vaddr_t va, uint64_t size,
					  enum user_fork_advice advice);

/*
 * Do user_populate_all(). Pages of a process with more than one task stay when memory ends: one of the others may have
 * written to them by then.
 */
enum status memory_populate(struct user_space *space, vaddr_t va, uint64_t size, enum user_rights access);

/* Do user_is_mapped(). */
bool memory_is_mapped(struct user_space *space, vaddr_t va, uint64_t size);
