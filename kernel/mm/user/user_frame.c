/*
 * Takes and drops references to the frames of user pages: those that the frame allocator has handed out, parts of 2 MiB
 * frames included, and those that it does not know, which have no count.
 */
#include "kernel/mm/user/user_frame.h"

static paddr_t block_of(paddr_t pa)
{
	return paddr(align_down(pa.raw, PAGE_SIZE_2M));
}

/*
 * Return the reference count of the 2 MiB frame around `pa`; NULL when no such frame has been handed out. Inline, since
 * this runs for each mapped or unmapped page of a program that lies where the loader has put it: such a page has no
 * count of either size.
 */
static inline uint16_t *large_refs(paddr_t pa)
{
	uint16_t *refs = refs_2m_around(frame_cache_here()->frames, pa);

	return refs && *refs != 0 ? refs : NULL;
}

enum status user_frame_get(paddr_t pa)
{
	uint16_t *refs = user_small_refs(pa);
	bool small = refs;

	if (unlikely(!refs))
		refs = large_refs(pa);
	if (!refs)
		return OK;
	/*
	 * Look again after refs_lend(): another CPU, in an open section, may have moved a batch of references back into
	 * the count.
	 */
	while (unlikely(__atomic_load_n(refs, __ATOMIC_RELAXED) == REFS_FULL)) {
		enum status status = small ? refs_lend(frame_cache_here(), FRAME_4K, pa, refs)
					   : refs_lend(frame_cache_here(), FRAME_2M, block_of(pa), refs);

		if (status != OK)
			return status;
	}
	user_refs_add_one(refs);
	return OK;
}

void user_frame_put(paddr_t pa)
{
	uint16_t *refs = user_small_refs(pa), count;
	bool small = refs;

	if (unlikely(!small))
		refs = large_refs(pa);
	if (!refs)
		return;
	/* When the exchange fails, another CPU has dropped a reference of its own: look at the count again. */
	for (count = __atomic_load_n(refs, __ATOMIC_ACQUIRE); count != 1 && count < REFS_LENT;)
		if (__atomic_compare_exchange_n(refs, &count, count - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return;
	if (count == 1 && small)
		frame_free_4k(frame_cache_here(), pa);
	else if (count == 1)
		frame_free_large(frame_cache_here(), FRAME_2M, block_of(pa));
	else if (small)
		refs_put_one_of_many(frame_cache_here(), FRAME_4K, pa, refs);
	else
		refs_put_one_of_many(frame_cache_here(), FRAME_2M, block_of(pa), refs);
}

bool user_frame_is_sole(paddr_t pa)
{
	const uint16_t *refs = user_small_refs(pa);

	if (unlikely(!refs))
		refs = large_refs(pa);
	return refs && __atomic_load_n(refs, __ATOMIC_ACQUIRE) == 1;
}
