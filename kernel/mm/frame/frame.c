/*
 * Frames: the functions of frame.h, and each CPU's cache of free frames. The caches take frames from the pool
 * (frame_pool.c) and give them back in batches. Nothing is mapped, cleared or flushed here. The arrows show how many
 * frames move at once:
 *
 *   frame_cache, one a CPU            the pool, shared
 *   no lock                           a lock for each region
 *
 *   stack: 256 x 4 KiB  <-- 128 -->   index: for each class, a bitmap of the regions (1 GiB) that have it
 *   slot:    1 x 2 MiB  <--  1  -->     region: for each class, a bitmap of its blocks (2 MiB)
 *   slot:    1 x 1 GiB  <--  1  -->       block: a bitmap of its frames (4 KiB)
 *
 * A block's class says how much of it is free: a part (four classes), or all. 4 KiB frames come from the fullest class
 * that there is, and there from the lowest block: full blocks stay full, and emptier ones get the time to become whole.
 * A whole block is split only when no block is partly free, and a wholly free region only when no other region has a
 * whole block. Nothing needs merging: a block whose count of free frames reaches 512 is whole, and so is a region at
 * 262,144.
 *
 * A search looks at one bit for each GiB, 16 words for 1 TiB, and so passes over full regions. A CPU goes on in the
 * region that it used last, its home; it takes from other CPUs' homes, and from memory below 4 GiB, only when nothing
 * else is free.
 *
 * Metadata, cut from the end of the largest usable range:
 *
 *   regions, rows of counts, index   193 bytes a GiB   cleared at boot: all that grows with the size of memory
 *   region_detail                    9.4 KiB a GiB     set up when the region is first split
 *   frame_block                      64 bytes a 2 MiB  filled when the block is split
 *   counts of references             2 bytes a 4 KiB   cleared for 64 MiB at once, when a block there is first split
 *
 * That is 2.16 bytes a frame, 0.053 % of RAM; a hole within a GiB counts as RAM. For 1 TiB, boot clears 193 KiB and
 * visits 1,024 regions. Ranges of the memory map are freed a region or a block at a time, and single frames only at
 * their ends.
 *
 * A frame's reference count is 0 while the frame is free, so a second free of it panics at once. The holder of the only
 * reference changes the count without a lock or a locked instruction, since nobody else may change it. Two CPUs that
 * free one frame in the same instant may both see a count of 1. That panics as well: either the pool finds the frame's
 * bit set already, or frame_alloc finds the count at 1.
 */
#include "kernel/mm/frame/frame_refs.h"

#include "kernel/lib/likely.h"
#include "kernel/lib/string.h"

struct frames machine_frames;
PER_CPU struct frame_cache machine_frame_cache;

/* ---- each CPU's cache of free frames ---- */

static inline struct frame_entry *bottom(struct frame_cache *cache)
{
	return cache->stack + 1;
}

/* Set the top of the stack, atomically: other CPUs may ask how many frames the stack holds. */
static inline void set_top(struct frame_cache *cache, struct frame_entry *top)
{
	__atomic_store_n(&cache->top, top, __ATOMIC_RELAXED);
}

void frame_cache_init(struct frame_cache *cache, struct frames *frames)
{
	uint32_t index = __atomic_fetch_add(&frames->cache_count, 1, __ATOMIC_RELAXED);
	/* The factor is 2^32 divided by the golden ratio: so each home is far from the homes of all earlier caches. */
	uint32_t spread = index * 0x9e3779b9U;

	memset(cache, 0, sizeof(*cache));
	cache->frames = frames;
	cache->lookup = frames->lookup;
	cache->bottom_refs = REFS_ABSENT;
	cache->stack[0].refs = &cache->bottom_refs;
	cache->top = bottom(cache);
	cache->full = bottom(cache) + FRAME_CACHE_FRAMES;
	cache->home = spread * frames->region_count >> 32;
	cache->next = __atomic_load_n(&frames->caches, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&frames->caches, &cache->next, cache, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
}

/*
 * Give the frame in a slot back to the pool. Any CPU may do that with a 1 GiB slot, so the frame is taken out by an
 * atomic exchange.
 */
static void slot_drain(struct frame_cache *cache, enum frame_size size)
{
	uint64_t pa = __atomic_exchange_n(&cache->slots[size], 0, __ATOMIC_ACQ_REL);

	if (pa)
		pool_give_large(cache->frames, size, paddr(pa));
}

void frame_cache_drain(struct frame_cache *cache)
{
	pool_give(cache->frames, bottom(cache), cache->top - bottom(cache));
	set_top(cache, bottom(cache));
	slot_drain(cache, FRAME_2M);
	slot_drain(cache, FRAME_1G);
}

void frame_caches_drain(struct frames *frames)
{
	struct frame_cache *cache = __atomic_load_n(&frames->caches, __ATOMIC_ACQUIRE);

	for (; cache; cache = cache->next)
		frame_cache_drain(cache);
}

/*
 * Give the pool all of this CPU's cache, and the free 1 GiB frames in other CPUs' caches. Called when the pool has
 * nothing that fits.
 */
static void scrape(struct frame_cache *cache)
{
	frame_cache_drain(cache);
	cache = __atomic_load_n(&cache->frames->caches, __ATOMIC_ACQUIRE);
	for (; cache; cache = cache->next)
		slot_drain(cache, FRAME_1G);
}

/*
 * Take up to `want` frames from the pool, stored below `end`. When the pool has none, return to it the free frames that
 * caches hold (scrape), and try again.
 */
static uint32_t pool_or_caches(struct frame_cache *cache, enum pool_reach reach, uint32_t want, struct frame_entry *end)
{
	uint32_t taken = pool_take(cache, reach, want, end);

	if (taken == 0) {
		scrape(cache);
		taken = pool_take(cache, reach, want, end);
	}
	return taken;
}

/*
 * ---- failing allocations for tests. While fail_in is not 0 the stack is kept empty, and `full` says that it is full,
 * so that each call takes the slow path, which counts down fail_in ----
 */

static bool fail_now(struct frame_cache *cache)
{
	if (cache->fail_in == 0 || --cache->fail_in)
		return false;
	cache->fail_in = cache->fail_every;
	if (cache->fail_in == 0)
		cache->full = bottom(cache) + FRAME_CACHE_FRAMES;
	return true;
}

uint64_t frame_fail_nth(struct frame_cache *cache, uint64_t n)
{
	uint64_t left = cache->fail_in;

	frame_cache_drain(cache);
	cache->fail_in = n;
	cache->fail_every = 0;
	cache->full = bottom(cache) + (n ? 0 : FRAME_CACHE_FRAMES);
	return left;
}

void frame_fail_every(struct frame_cache *cache, uint64_t n)
{
	(void)frame_fail_nth(cache, n);
	cache->fail_every = n;
}

/* ---- frames of 4 KiB ---- */

/*
 * Fill the stack from the pool. Called when the stack is empty, or when its top frame has a reference: that is a bug,
 * and panics. Returns ERR_NO_MEMORY when the pool has nothing either.
 */
static __attribute__((noinline)) enum status refill(struct frame_cache *cache)
{
	struct frame_entry *from = bottom(cache);
	uint32_t want = cache->full == from ? 1 : FRAME_BATCH;
	uint32_t taken;

	if (cache->top != from)
		refs_panic("handed out", cache->top[-1].pa, cache->top[-1].refs);
	taken = fail_now(cache) ? 0 : pool_or_caches(cache, POOL_ANY, want, from + want);
	if (taken < want)
		memmove(from, from + want - taken, taken * sizeof(*from));
	set_top(cache, from + taken);
	if (taken)
		return OK;
	percpu_note_refusal();
	return ERR_NO_MEMORY;
}

static __attribute__((noinline)) enum status alloc_refill(struct frame_cache *cache, paddr_t *ret)
{
	enum status status = refill(cache);

	return status == OK ? frame_alloc_4k(cache, ret) : status;
}

/*
 * The entry below the stack's first frame has a count that is not 0: so one test finds an empty stack as well as a
 * frame that is in use. The access to the count is not atomic: nobody else may change the count of a free frame.
 */
enum status frame_alloc_4k(struct frame_cache *cache, paddr_t *ret)
{
	struct frame_entry *top = cache->top - 1;

	ASSERT_NO_INTERRUPT();
	if (unlikely(*top->refs != 0))
		return alloc_refill(cache, ret);
	*top->refs = 1;
	*ret = top->pa;
	set_top(cache, top);
	return OK;
}

enum status frame_alloc_many(struct frame_cache *cache, size_t count, paddr_t *ret)
{
	struct frame_entry *top = cache->top;

	ASSERT_NO_INTERRUPT();
	for (size_t i = 0; i < count; i++) {
		while (unlikely(*top[-1].refs != 0)) {
			set_top(cache, top);
			if (refill(cache) != OK) {
				frame_free_many(cache, i, ret);
				return ERR_NO_MEMORY;
			}
			top = cache->top;
		}
		top--;
		*top->refs = 1;
		ret[i] = top->pa;
	}
	set_top(cache, top);
	return OK;
}

enum status frame_alloc_low(struct frame_cache *cache, paddr_t *ret)
{
	struct frame_entry entry;

	ASSERT_NO_INTERRUPT();
	if (fail_now(cache) || pool_or_caches(cache, POOL_BELOW_4G, 1, &entry + 1) == 0)
		return ERR_NO_MEMORY;
	if (*entry.refs != 0)
		refs_panic("handed out", entry.pa, entry.refs);
	*entry.refs = 1;
	*ret = entry.pa;
	return OK;
}

/*
 * Make room in a full stack: the frames that have lain there longest go to the pool, and the new frame goes on top.
 * While fail_in is not 0 the stack stays empty, and the new frame itself goes to the pool. Returns the new top.
 */
static __attribute__((noinline)) struct frame_entry *spill(struct frame_cache *cache, struct frame_entry entry)
{
	struct frame_entry *from = bottom(cache);

	if (cache->full == from) {
		pool_give(cache->frames, &entry, 1);
		return from;
	}
	pool_give(cache->frames, from, FRAME_BATCH);
	memmove(from, from + FRAME_BATCH, FRAME_BATCH * sizeof(*from));
	from[FRAME_BATCH] = entry;
	return from + FRAME_BATCH + 1;
}

/* Return the place of the reference count of a frame that is being freed. Panics when the frame has none. */
static inline uint16_t *freed_refs(const struct frame_cache *cache, paddr_t pa)
{
	uint16_t *refs;

	if (unlikely(!refs_4k(&cache->lookup, pa, &refs)))
		refs_panic("freed", pa, NULL);
	return refs;
}

/*
 * Put a frame on the stack whose top is `top`; returns the new top. The accesses to the count are not atomic: the
 * caller has the only reference, so nobody else may change the count.
 */
static inline struct frame_entry *push(struct frame_cache *cache, struct frame_entry *top, paddr_t pa, uint16_t *refs)
{
	if (unlikely(*refs != 1))
		refs_panic("freed", pa, refs);
	*refs = 0;
	if (unlikely(top >= cache->full))
		return spill(cache, (struct frame_entry){ pa, refs });
	*top = (struct frame_entry){ pa, refs };
	return top + 1;
}

void frame_free_4k(struct frame_cache *cache, paddr_t pa)
{
	ASSERT_NO_INTERRUPT();
	set_top(cache, push(cache, cache->top, pa, freed_refs(cache, pa)));
}

/* The counts of consecutive frames lie side by side within a row (64 MiB of frames): one look-up serves them all. */
void frame_free_many(struct frame_cache *cache, size_t count, const paddr_t *pa)
{
	struct frame_entry *top = cache->top;
	const paddr_t *end = pa + count;

	ASSERT_NO_INTERRUPT();
	while (pa < end) {
		uint16_t *refs = freed_refs(cache, *pa);
		uint64_t next = pa->raw;

		do {
			top = push(cache, top, *pa++, refs++);
			next += PAGE_SIZE;
		} while (pa < end && pa->raw == next && !is_aligned(next, 1ULL << REFS_SHIFT));
	}
	set_top(cache, top);
}

/* ---- frames of 2 MiB and 1 GiB ---- */

/*
 * Take the frame in a slot; 0 when the slot is empty. Another CPU could take it in the same instant, but only from the
 * 1 GiB slot, so only there an atomic exchange is needed.
 */
static paddr_t slot_take(struct frame_cache *cache, enum frame_size size)
{
	uint64_t pa = __atomic_load_n(&cache->slots[size], __ATOMIC_RELAXED);

	if (pa && size == FRAME_1G)
		pa = __atomic_exchange_n(&cache->slots[size], 0, __ATOMIC_ACQUIRE);
	else if (pa)
		__atomic_store_n(&cache->slots[size], 0, __ATOMIC_RELAXED);
	return paddr(pa);
}

enum status frame_alloc_large(struct frame_cache *cache, enum frame_size size, paddr_t *ret)
{
	uint16_t *refs;
	paddr_t pa;

	ASSERT_NO_INTERRUPT();
	if (unlikely(cache->fail_in) && fail_now(cache))
		return ERR_NO_MEMORY;
	pa = slot_take(cache, size);
	if (pa.raw == 0)
		pa = pool_take_large(cache, size);
	if (pa.raw == 0) {
		scrape(cache);
		pa = pool_take_large(cache, size);
	}
	if (pa.raw == 0)
		return ERR_NO_MEMORY;
	refs = refs_large(cache->frames, size, pa);
	if (*refs != 0)
		refs_panic("handed out", pa, refs);
	*refs = 1;
	*ret = pa;
	return OK;
}

void frame_free_large(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	uint16_t *refs = refs_large(cache->frames, size, pa);

	ASSERT_NO_INTERRUPT();
	if (unlikely(!refs || *refs != 1))
		refs_panic("freed", pa, refs);
	*refs = 0;
	/* Only this CPU fills its slots: an empty one stays empty until the store. */
	if (cache->fail_in == 0 && __atomic_load_n(&cache->slots[size], __ATOMIC_RELAXED) == 0)
		__atomic_store_n(&cache->slots[size], pa.raw, __ATOMIC_RELEASE);
	else
		pool_give_large(cache->frames, size, pa);
}

/* ---- counting the free frames ---- */

uint64_t frame_free_count(const struct frames *frames)
{
	struct frame_cache *cache = __atomic_load_n(&frames->caches, __ATOMIC_ACQUIRE);
	uint64_t free = 0;

	for (uint64_t i = 0; i < frames->region_count; i++)
		free += __atomic_load_n(&frames->regions[i].free, __ATOMIC_RELAXED);
	for (; cache; cache = cache->next) {
		free += __atomic_load_n(&cache->top, __ATOMIC_RELAXED) - bottom(cache);
		for (enum frame_size size = FRAME_2M; size <= FRAME_1G; size++)
			if (__atomic_load_n(&cache->slots[size], __ATOMIC_RELAXED))
				free += frame_size_frames(size);
	}
	return free;
}
