/*
 * Counts of references to the frames of user pages, for the files of this directory that run for each page. Whoever
 * maps a frame holds a reference; user_pages.h says what can be done with one.
 */
#pragma once

#include "kernel/lib/likely.h"
#include "kernel/mm/frame/frame_refs.h"
#include "kernel/mm/user/user_pages.h"

/* Return the reference count of the 4 KiB frame that `pa` lies in; NULL when no such frame has been handed out. */
static inline uint16_t *user_small_refs(paddr_t pa)
{
	uint16_t *refs;

	if (likely(refs_4k(&frame_cache_here()->lookup, pa, &refs) && *refs != 0 && *refs != REFS_ABSENT))
		return refs;
	return NULL;
}

/*
 * Add a reference to a count that is not full. Only the CPU that has the kernel lock adds any, so it stays not full;
 * but other CPUs may drop references meanwhile, in open sections.
 */
static inline void user_refs_add_one(uint16_t *refs)
{
	__atomic_add_fetch(refs, 1, __ATOMIC_RELAXED);
}

/* Take a reference to a leaf's frame. Returns OK or ERR_NO_MEMORY. */
static inline enum status user_frame_share(paddr_t pa, int level)
{
	uint16_t *refs = level == 1 ? user_small_refs(pa) : NULL;

	if (unlikely(!refs || *refs == REFS_FULL))
		return user_frame_get(pa);
	user_refs_add_one(refs);
	return OK;
}
