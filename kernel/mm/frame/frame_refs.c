/*
 * Reference counts: how many hold a frame, and who is the last. Does not decide where a freed frame goes.
 */
#include "kernel/mm/frame/frame_refs.h"

#include "kernel/lib/panic.h"

uint16_t *refs_large(const struct frames *frames, enum frame_size size, paddr_t pa)
{
	struct frame_region *region = &frames->regions[pa.raw >> REGION_SHIFT];

	if (!is_aligned(pa.raw, frame_size_frames(size) * PAGE_SIZE) || pa.raw >> PAGE_SHIFT >= frames->lookup.limit)
		return NULL;
	if (size == FRAME_1G)
		return &region->refs;
	if (__atomic_load_n(&region->state, __ATOMIC_ACQUIRE) != REGION_OPEN)
		return NULL;
	return &region->detail->refs[pa.raw >> BLOCK_SHIFT & (REGION_BLOCKS - 1)];
}

static uint16_t *refs_find(const struct frames *frames, enum frame_size size, paddr_t pa)
{
	uint16_t *refs;

	if (size != FRAME_4K)
		return refs_large(frames, size, pa);
	return refs_4k(&frames->lookup, pa, &refs) ? refs : NULL;
}

/* Return the count; 0 for a frame that is not handed out. */
static uint16_t refs_read(const uint16_t *refs)
{
	uint16_t count = refs ? __atomic_load_n(refs, __ATOMIC_ACQUIRE) : 0;

	return count == REFS_ABSENT ? 0 : count;
}

void refs_panic(const char *what, paddr_t pa, const uint16_t *refs)
{
	unsigned count = refs_read(refs);

	if (count)
		panic("frame %#lx %s with %u references", pa.raw, what, count);
	panic("frame %#lx %s twice, or never handed out", pa.raw, what);
}

enum status frame_get(struct frames *frames, enum frame_size size, paddr_t pa)
{
	uint16_t *refs = refs_find(frames, size, pa);
	uint16_t count = refs_read(refs);

	do {
		if (count == 0 || count == REFS_ABSENT)
			refs_panic("shared", pa, refs);
		if (count == FRAME_REFS_MAX)
			return ERR_RANGE;
	} while (!__atomic_compare_exchange_n(refs, &count, count + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return OK;
}

/*
 * The last holder to put a frame frees it. The barriers make everything that other holders did with it visible to him.
 */
bool frame_put(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	uint16_t *refs = refs_find(cache->frames, size, pa);
	uint16_t count = refs_read(refs);

	while (count > 1)
		if (__atomic_compare_exchange_n(refs, &count, count - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return false;
	frame_free(cache, size, pa);
	return true;
}

unsigned frame_refs(const struct frames *frames, enum frame_size size, paddr_t pa)
{
	return refs_read(refs_find(frames, size, pa));
}
