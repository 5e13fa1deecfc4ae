/*
 * The pool: chooses a region, and takes frames from it or puts them back under its lock. Only one region's lock is held
 * at a time. Reference counts are not this file's concern.
 */
#include "kernel/mm/frame/frame_region.h"

#define REGION_NONE UINT32_MAX

/* The regions below 4 GiB: how many there are, and their bits in the first word of an index. */
#define LOW_END     4
#define LOW_REGIONS ((1ULL << LOW_END) - 1)

/*
 * In which regions a search looks. REACH_HIGH leaves out the regions below 4 GiB, for devices that need them, and the
 * home regions of other CPUs (those that they took frames from last), so that a region's lock and cache lines stay with
 * one CPU. REACH_UNCLAIMED leaves out only these home regions, REACH_ALL no region. REACH_BELOW_4G looks only below
 * 4 GiB.
 */
enum reach { REACH_HIGH, REACH_UNCLAIMED, REACH_ALL, REACH_BELOW_4G };

static uint64_t search_word(const struct frame_cache *cache, enum frame_class kind, uint64_t word, enum reach reach)
{
	const struct frames *frames = cache->frames;
	uint64_t bits = __atomic_load_n(&frames->index[kind][word], __ATOMIC_RELAXED);
	uint64_t claimed;

	if (bits == 0)
		return 0;
	if (reach == REACH_BELOW_4G)
		return word == 0 ? bits & LOW_REGIONS : 0;
	if (reach == REACH_ALL)
		return bits;
	if (reach == REACH_HIGH && word == 0)
		bits &= ~LOW_REGIONS;
	claimed = __atomic_load_n(&frames->claimed[word], __ATOMIC_RELAXED);
	if (cache->home_claimed && cache->home / WORD_BITS == word)
		claimed &= ~(1ULL << cache->home % WORD_BITS);
	return bits & ~claimed;
}

/* Return a region that has blocks of class `kind`: the cache's home if possible, else the next one in the index. */
static uint32_t search(const struct frame_cache *cache, enum frame_class kind, enum reach reach)
{
	uint64_t words = cache->frames->index_words;
	uint64_t word = cache->home / WORD_BITS;

	if (search_word(cache, kind, word, reach) >> cache->home % WORD_BITS & 1)
		return cache->home;
	for (uint64_t i = 0; i < words; i++) {
		uint64_t bits = search_word(cache, kind, word, reach);

		if (bits)
			return word * WORD_BITS + __builtin_ctzll(bits);
		if (++word == words)
			word = 0;
	}
	return REGION_NONE;
}

/*
 * What a search is for: a region that has a block of one of the classes `first` to `last` (a class says how much of a
 * block is free), sought with the reaches from `near` to `far`.
 */
struct wish {
	enum frame_class first, last;
	enum reach near, far;
};

/* Return the first region that fulfils the wish: a nearer reach counts more than a better class. */
static uint32_t choose(const struct frame_cache *cache, struct wish wish)
{
	for (enum reach reach = wish.near; reach <= wish.far; reach++) {
		for (enum frame_class kind = wish.first; kind <= wish.last; kind++) {
			uint32_t region = search(cache, kind, reach);

			if (region != REGION_NONE)
				return region;
		}
	}
	return REGION_NONE;
}

/*
 * Return a region to take 4 KiB frames from, or REGION_NONE. A caller that has some frames already gets only a region
 * with partly free blocks that is not another CPU's home: splitting a whole block, or sharing a lock, is not worth a
 * few more frames.
 */
static uint32_t choose_for_4k(const struct frame_cache *cache, enum pool_reach reach, bool has_some)
{
	const struct frame_region *home = &cache->frames->regions[cache->home];
	struct wish wish = { CLASS_PARTIAL, CLASS_REGION, REACH_HIGH, REACH_ALL };

	if (reach == POOL_ANY && cache->home >= LOW_END &&
	    __atomic_load_n(&home->indexed, __ATOMIC_RELAXED) & CLASSES_PARTIAL)
		return cache->home;
	if (reach == POOL_BELOW_4G)
		wish.near = wish.far = REACH_BELOW_4G;
	if (has_some) {
		wish.last = CLASS_WHOLE - 1;
		wish.far = REACH_UNCLAIMED;
	}
	return choose(cache, wish);
}

/* Make `region` the cache's home, where its next search begins, and mark it in frames->claimed. */
static void settle(struct frame_cache *cache, uint32_t region)
{
	uint64_t *claimed = cache->frames->claimed;
	uint64_t bit = 1ULL << region % WORD_BITS;

	if (cache->home == region && cache->home_claimed)
		return;
	if (cache->home_claimed)
		__atomic_fetch_and(&claimed[cache->home / WORD_BITS], ~(1ULL << cache->home % WORD_BITS),
				   __ATOMIC_RELAXED);
	cache->home = region;
	claimed += region / WORD_BITS;
	/*
	 * The bit is read before it is set, so that CPUs which share a region do not write the cache line at each
	 * visit.
	 */
	cache->home_claimed = !(__atomic_load_n(claimed, __ATOMIC_RELAXED) & bit) &&
			      !(__atomic_fetch_or(claimed, bit, __ATOMIC_RELAXED) & bit);
}

/*
 * Lock a region that, according to the index, has blocks of one of `classes`. Returns false, unlocked, when other CPUs
 * have taken those blocks meanwhile.
 */
static bool region_enter(struct frame_region *region, unsigned classes)
{
	region_lock(region);
	if ((region->indexed & classes) == 0) {
		region_unlock(region);
		return false;
	}
	if (region->state == REGION_PLAIN && classes != 1U << CLASS_REGION)
		region_open(region);
	return true;
}

static void region_leave(struct frames *frames, struct frame_region *region)
{
	region_publish(frames, region);
	region_unlock(region);
}

static paddr_t region_start(uint32_t number)
{
	return paddr((uint64_t)number << REGION_SHIFT);
}

uint32_t pool_take(struct frame_cache *cache, enum pool_reach reach, uint32_t want, struct frame_entry *end)
{
	struct frames *frames = cache->frames;
	uint32_t taken = 0, last = cache->home;

	while (taken < want) {
		uint32_t number = choose_for_4k(cache, reach, taken != 0);
		struct frame_region *region;

		if (number == REGION_NONE)
			break;
		region = &frames->regions[number];
		if (!region_enter(region, ~0U))
			continue;
		taken += region_take(region, region_start(number), want - taken, end - taken);
		region_leave(frames, region);
		last = number;
	}
	if (reach == POOL_ANY && taken)
		settle(cache, last);
	return taken;
}

/*
 * Return how many entries, from the first on, have their bits in one word of a block's bitmap; *ret_mask becomes these
 * bits. Consecutive frames in ascending order, the usual case, are tried first.
 */
static uint32_t neighbours(const struct frame_entry *entries, uint32_t count, uint64_t *ret_mask)
{
	uint64_t first = entries->pa.raw;
	uint64_t word = align_down(first, WORD_SIZE);
	uint32_t bit = (first - word) / PAGE_SIZE;
	uint32_t most = count < WORD_BITS - bit ? count : WORD_BITS - bit;
	uint32_t run = 1;
	uint64_t mask;

	while (run < most && entries[run].pa.raw == first + run * PAGE_SIZE)
		run++;
	mask = ~0ULL >> (WORD_BITS - run) << bit;
	for (; run < count && align_down(entries[run].pa.raw, WORD_SIZE) == word; run++)
		mask |= 1ULL << entries[run].pa.raw / PAGE_SIZE % WORD_BITS;
	*ret_mask = mask;
	return run;
}

#define PREFETCH_AHEAD 6

/*
 * Prefetch the metadata of the block of a frame that is put back a little later. Frames that are freed in random order
 * lie in different blocks, so each would cost cache misses.
 */
static void prefetch_block(const struct frames *frames, paddr_t pa)
{
	const struct frame_region *region = &frames->regions[pa.raw >> REGION_SHIFT];
	unsigned block = pa.raw >> BLOCK_SHIFT & (REGION_BLOCKS - 1);

	__builtin_prefetch(&region->blocks[block], 1);
	__builtin_prefetch(&region->detail->free[block], 1);
}

void pool_give(struct frames *frames, const struct frame_entry *entries, uint32_t count)
{
	const struct frame_entry *end = entries + count;

	while (entries < end) {
		uint64_t number = entries->pa.raw >> REGION_SHIFT;
		struct frame_region *region = &frames->regions[number];

		region_lock(region);
		while (entries < end && entries->pa.raw >> REGION_SHIFT == number) {
			uint64_t mask;
			uint32_t run = neighbours(entries, end - entries, &mask);

			if (end - entries > PREFETCH_AHEAD)
				prefetch_block(frames, entries[PREFETCH_AHEAD].pa);
			region_give(region, paddr(align_down(entries->pa.raw, WORD_SIZE)), mask, run);
			entries += run;
		}
		region_leave(frames, region);
	}
}

paddr_t pool_take_large(struct frame_cache *cache, enum frame_size size)
{
	struct frames *frames = cache->frames;
	struct wish wish = { size == FRAME_1G ? CLASS_REGION : CLASS_WHOLE, CLASS_REGION, REACH_HIGH, REACH_ALL };
	unsigned classes = 1U << CLASS_REGION | 1U << wish.first;

	for (;;) {
		uint32_t number = choose(cache, wish);
		struct frame_region *region;
		unsigned block = 0;

		if (number == REGION_NONE)
			return paddr(0);
		region = &frames->regions[number];
		if (!region_enter(region, classes))
			continue;
		if (size == FRAME_1G) {
			region->taken = true;
			region_count(region, 0);
		} else {
			block = region_first_block(region, CLASS_WHOLE);
			region_set_free(region, block, 0);
		}
		region_leave(frames, region);
		return paddr_add(region_start(number), block * PAGE_SIZE_2M);
	}
}

void pool_give_large(struct frames *frames, enum frame_size size, paddr_t pa)
{
	struct frame_region *region = &frames->regions[pa.raw >> REGION_SHIFT];

	region_lock(region);
	if (size == FRAME_1G) {
		region->taken = false;
		region_count(region, REGION_FRAMES);
	} else {
		region_set_free(region, pa.raw >> BLOCK_SHIFT & (REGION_BLOCKS - 1), BLOCK_FRAMES);
	}
	region_leave(frames, region);
}
