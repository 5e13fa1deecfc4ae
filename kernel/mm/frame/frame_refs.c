/*
 * Reference counts of frames: taking and dropping references. Does not decide where a freed frame goes.
 * Batches of references (the second count of frame_pool.h) are moved under the region's lock.
 */
#include "kernel/mm/frame/frame_refs.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

uint16_t *refs_large(const struct frames *frames, enum frame_size size, paddr_t pa)
{
	struct frame_region *region = &frames->regions[pa.raw >> REGION_SHIFT];

	if (!is_aligned(pa.raw, frame_size_frames(size) * PAGE_SIZE) || pa.raw >> PAGE_SHIFT >= frames->lookup.limit)
		return NULL;
	return size == FRAME_1G ? &region->refs : refs_2m_around(frames, pa);
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

/*
 * Return the counter of a frame's batches; NULL: there is none yet, and the frame has no batches. The caller holds the
 * region's lock, or only reports what it reads (frame_refs()).
 */
static uint32_t *batches_find(struct frame_region *region, enum frame_size size, paddr_t pa)
{
	unsigned block = pa.raw >> BLOCK_SHIFT & (REGION_BLOCKS - 1);
	uint32_t *of_block;

	if (size == FRAME_1G)
		return &region->batches;
	if (size == FRAME_2M)
		return &region->detail->batches_2m[block];
	of_block = region->detail->batches_4k[block];
	return of_block ? &of_block[pa.raw >> PAGE_SHIFT & (BLOCK_FRAMES - 1)] : NULL;
}

/*
 * Move REFS_BATCH references from a full count to the count of batches. If the block has no array of such counts yet,
 * the frame *made becomes that array, and *made becomes 0. No reference is moved when the count is not full any more,
 * since another CPU has made room, or when the block has no array and *made is 0.
 */
static void lend(struct frame_cache *cache, enum frame_size size, paddr_t pa, uint16_t *refs, paddr_t *made)
{
	struct frame_region *region = &cache->frames->regions[pa.raw >> REGION_SHIFT];
	unsigned block = pa.raw >> BLOCK_SHIFT & (REGION_BLOCKS - 1);
	uint16_t full = REFS_FULL;
	uint32_t *batches;

	region_lock(region);
	if (made->raw && !region->detail->batches_4k[block]) {
		__atomic_store_n(&region->detail->batches_4k[block], (uint32_t *)(cache->frames->direct + made->raw),
				 __ATOMIC_RELAXED);
		made->raw = 0;
	}
	batches = batches_find(region, size, pa);
	if (batches && __atomic_compare_exchange_n(refs, &full, REFS_FULL - REFS_BATCH, false, __ATOMIC_RELAXED,
						   __ATOMIC_RELAXED)) {
		if (size == FRAME_4K && !*batches)
			region->detail->batches_used[block]++;
		++*batches;
	}
	region_unlock(region);
}

enum status refs_lend(struct frame_cache *cache, enum frame_size size, paddr_t pa, uint16_t *refs)
{
	const struct frame_region *region = &cache->frames->regions[pa.raw >> REGION_SHIFT];
	unsigned block = pa.raw >> BLOCK_SHIFT & (REGION_BLOCKS - 1);
	paddr_t made = { 0 };

	/*
	 * The pointer to the block's array of batches is read without the region's lock, so another CPU may free the
	 * array before lend() runs. lend() then moves nothing, and the caller, frame_get(), finds the count still full
	 * and calls again.
	 */
	if (size == FRAME_4K && !__atomic_load_n(&region->detail->batches_4k[block], __ATOMIC_RELAXED)) {
		enum status status = frame_alloc_4k(cache, &made);

		if (status != OK)
			return status;
		memset((void *)(cache->frames->direct + made.raw), 0, PAGE_SIZE);
	}
	lend(cache, size, pa, refs, &made);
	if (made.raw)
		frame_free_4k(cache, made);
	return OK;
}

/*
 * Drop one reference from a count of REFS_LENT, and move a batch back into it, if there is one. Returns false, with
 * nothing done, when the count has changed meanwhile.
 */
static bool put_lent(struct frame_cache *cache, enum frame_size size, paddr_t pa, uint16_t *refs)
{
	struct frame_region *region = &cache->frames->regions[pa.raw >> REGION_SHIFT];
	unsigned block = pa.raw >> BLOCK_SHIFT & (REGION_BLOCKS - 1);
	uint32_t *batches, *unused = NULL;
	uint16_t lent = REFS_LENT;
	bool done, takes;

	region_lock(region);
	batches = batches_find(region, size, pa);
	takes = batches && *batches;
	done = __atomic_compare_exchange_n(refs, &lent, REFS_LENT - 1 + (takes ? REFS_BATCH : 0), false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	if (done && takes && !--*batches && size == FRAME_4K && !--region->detail->batches_used[block]) {
		unused = region->detail->batches_4k[block];
		region->detail->batches_4k[block] = NULL;
	}
	region_unlock(region);
	if (unused)
		frame_free_4k(cache, paddr((uintptr_t)unused - cache->frames->direct));
	return done;
}

void refs_put_one_of_many(struct frame_cache *cache, enum frame_size size, paddr_t pa, uint16_t *refs)
{
	uint16_t count = __atomic_load_n(refs, __ATOMIC_ACQUIRE);

	while (count == REFS_LENT ? !put_lent(cache, size, pa, refs)
				  : !__atomic_compare_exchange_n(refs, &count, count - 1, false, __ATOMIC_ACQ_REL,
								 __ATOMIC_ACQUIRE))
		count = __atomic_load_n(refs, __ATOMIC_ACQUIRE);
}

enum status frame_get(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	uint16_t *refs = refs_find(cache->frames, size, pa);
	uint16_t count = refs_read(refs);

	do {
		while (count == REFS_FULL) {
			enum status status = refs_lend(cache, size, pa, refs);

			if (status != OK)
				return status;
			count = refs_read(refs);
		}
		if (count == 0 || count == REFS_ABSENT)
			refs_panic("shared", pa, refs);
	} while (!__atomic_compare_exchange_n(refs, &count, count + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return OK;
}

/*
 * Whoever drops the last reference frees the frame. The memory order makes all that other holders did with the frame
 * visible to that CPU.
 */
bool frame_put(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	uint16_t *refs = refs_find(cache->frames, size, pa);
	uint16_t count = refs_read(refs);

	while (count > 1) {
		if (count >= REFS_LENT) {
			refs_put_one_of_many(cache, size, pa, refs);
			return false;
		}
		if (__atomic_compare_exchange_n(refs, &count, count - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return false;
	}
	frame_free(cache, size, pa);
	return true;
}

uint64_t frame_refs(const struct frames *frames, enum frame_size size, paddr_t pa)
{
	uint16_t count = refs_read(refs_find(frames, size, pa));
	const uint32_t *batches = NULL;

	if (count >= REFS_LENT)
		batches = batches_find(&frames->regions[pa.raw >> REGION_SHIFT], size, pa);
	return count + (batches ? (uint64_t)*batches * REFS_BATCH : 0);
}
