/*
 * Operations on ranges of memory of any size, for system calls. A large range is worked on in pieces, between which
 * other tasks run. Each function does the same as the function user_… in its comment (kernel/mm/user/user_space.h),
 * and returns the same; but when the task must end it may stop halfway.
 */
#pragma once

#include "kernel/lib/likely.h"
#include "kernel/mm/user/user_advice.h"
#include "kernel/mm/user/user_space.h"

#define MEMORY_STEP (1UL << 20) /* most bytes of one piece: a call on so few bytes takes little time */

/* Round `size` up to whole pages; returns 0 when the result needs more than 64 bits. */
static inline uint64_t page_round_up(uint64_t size)
{
	return (size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

/* Return whether `size` bytes are one piece, and no other task is working on the space in pieces. */
static inline bool memory_is_short(const struct user_space *space, uint64_t size)
{
	return likely(size <= MEMORY_STEP && !space->in_pieces);
}

/* Do memory_unmap() and memory_protect() for a range that needs pieces, or must wait. Only those two call them. */
MUST_CHECK enum status memory_unmap_long(struct user_space *space, vaddr_t va, uint64_t size);
MUST_CHECK enum status memory_protect_long(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights);

/*
 * Do user_unmap(). After ERR_NO_MEMORY nothing has changed, except when the heap had no memory for the last piece: the
 * pieces before it are unmapped then.
 */
MUST_CHECK static inline enum status memory_unmap(struct user_space *space, vaddr_t va, uint64_t size)
{
	return memory_is_short(space, size) ? user_unmap(space, va, size) : memory_unmap_long(space, va, size);
}

/* Do user_protect(). After ERR_NO_MEMORY the first part of the range may have the new rights, as on Linux. */
MUST_CHECK static inline enum status memory_protect(struct user_space *space, vaddr_t va, uint64_t size,
						    unsigned rights)
{
	return memory_is_short(space, size) ? user_protect(space, va, size, rights)
					    : memory_protect_long(space, va, size, rights);
}

/* Do user_remap(), in pieces if much is unmapped. */
MUST_CHECK enum status memory_remap(struct user_space *space, vaddr_t va, uint64_t size, uint64_t new_size,
				    unsigned flags, vaddr_t to, vaddr_t *ret_va);

/* memory_drop() does user_dontneed(), and memory_advise() does user_advise(). */
MUST_CHECK enum status memory_drop(struct user_space *space, vaddr_t va, uint64_t size);
MUST_CHECK enum status memory_advise(struct user_space *space, vaddr_t va, uint64_t size, enum user_advice advice);

/*
 * Do madvise(2)'s MADV_REMOVE: the pages of shared memory and files that are mapped there become holes. va, size:
 * page-aligned. Returns 0; -EINVAL (private anonymous memory), -EACCES (not shared, or of a file that was not open for
 * writing), -EOPNOTSUPP (the object cannot drop pages); with these three errors the part of the range before the place
 * of the error is done. Returns -ENOMEM (nothing is mapped in a part of the range; the rest is done); or -EINTR (the
 * task must end).
 */
int memory_remove(struct user_space *space, vaddr_t va, uint64_t size);

/*
 * Do user_populate_all(). After ERR_NO_MEMORY, pages of a process with more than one task stay mapped: another task may
 * have written to them already.
 */
enum status memory_populate(struct user_space *space, vaddr_t va, uint64_t size, enum user_rights access);

/* Do user_is_mapped(), in pieces if the range is large and the space has many areas. */
bool memory_is_mapped(struct user_space *space, vaddr_t va, uint64_t size);
