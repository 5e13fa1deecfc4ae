/* Finds a frame's reference count by the frame's address. Shared by frame.c, frame_refs.c and the user pages. */
#pragma once

#include "kernel/lib/likely.h"
#include "kernel/mm/frame/frame_pool.h"

/*
 * Find the count of a 4 KiB frame. Returns false, *ret untouched, when there is none: the address is not page-aligned
 * or beyond all RAM, or the counts of its 64 MiB are not set up, since no 4 KiB frame there was handed out yet. The
 * address is rotated, not shifted, so that one comparison also finds an unaligned address: its low bits become the top
 * bits of a number beyond the limit.
 */
static inline bool refs_4k(const struct frame_lookup *lookup, paddr_t pa, uint16_t **ret)
{
	uint64_t number = pa.raw >> PAGE_SHIFT | pa.raw << (64 - PAGE_SHIFT);
	uintptr_t row;

	if (unlikely(number >= lookup->limit))
		return false;
	row = __atomic_load_n(&lookup->refs[pa.raw >> REFS_SHIFT], __ATOMIC_ACQUIRE);
	if (unlikely(!row))
		return false;
	*ret = (uint16_t *)(row + number * sizeof(uint16_t));
	return true;
}

/*
 * Return where the count of the 2 MiB frame around `pa` is; NULL when there is none: `pa` is beyond all RAM, or its
 * region is not split (region->detail is not set up).
 */
static inline uint16_t *refs_2m_around(const struct frames *frames, paddr_t pa)
{
	const struct frame_region *region = &frames->regions[pa.raw >> REGION_SHIFT];

	if (pa.raw >> PAGE_SHIFT >= frames->lookup.limit ||
	    __atomic_load_n(&region->state, __ATOMIC_ACQUIRE) != REGION_OPEN)
		return NULL;
	return &region->detail->refs[pa.raw >> BLOCK_SHIFT & (REGION_BLOCKS - 1)];
}

/*
 * Return where the count of a 2 MiB or 1 GiB frame is; NULL when there is none: `pa` is not aligned to the size or
 * beyond all RAM, or it is a 2 MiB frame of a region that is not split (region->detail is not set up).
 */
uint16_t *refs_large(const struct frames *frames, enum frame_size size, paddr_t pa);

/*
 * Make room in a count that is REFS_FULL, by moving a batch of references to another counter. For a 4 KiB frame that
 * counter lies in another frame, one for all frames of a block. Returns ERR_NO_MEMORY when that frame cannot be
 * allocated; nothing has changed then. After OK read the count anew: other CPUs may have filled it again.
 */
MUST_CHECK enum status refs_lend(struct frame_cache *cache, enum frame_size size, paddr_t pa, uint16_t *refs);

/* Drop one reference of a count that is REFS_LENT or more. */
void refs_put_one_of_many(struct frame_cache *cache, enum frame_size size, paddr_t pa, uint16_t *refs);

/*
 * Panic about a kernel bug: the frame at `pa` was `what` (for example "freed"), which its count (NULL: it has
 * none) forbids.
 */
__attribute__((noreturn, cold)) void refs_panic(const char *what, paddr_t pa, const uint16_t *refs);
