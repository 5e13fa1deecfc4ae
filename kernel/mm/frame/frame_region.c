/*
 * One region of 1 GiB: its blocks, sorted into classes by how much of them is free, and the frames of blocks that are
 * split. The caller of each function holds the region's lock. Choosing regions is frame_pool.c's task, and reference
 * counts are only set up here.
 */
#include "kernel/mm/frame/frame_region.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

static void class_remove(struct frame_region *region, unsigned block, unsigned kind)
{
	bit_clear(region->detail->members[kind], block);
	if (--region->class_blocks[kind] == 0)
		region->classes &= ~(1U << kind);
}

static void class_add(struct frame_region *region, unsigned block, unsigned kind)
{
	bit_set(region->detail->members[kind], block);
	region->class_blocks[kind]++;
	region->classes |= 1U << kind;
}

void region_set_free(struct frame_region *region, unsigned block, unsigned free)
{
	unsigned before = region->detail->free[block];

	region->detail->free[block] = free;
	region_count(region, region->free + free - before);
	if (before == 0 || free == 0 || before >> CLASS_SHIFT != free >> CLASS_SHIFT) {
		if (before)
			class_remove(region, block, before >> CLASS_SHIFT);
		if (free)
			class_add(region, block, free >> CLASS_SHIFT);
	}
}

void region_open(struct frame_region *region)
{
	struct region_detail *detail = region->detail;

	memset(detail, 0, sizeof(*detail));
	if (region->state == REGION_PLAIN) {
		memset(detail->members[CLASS_WHOLE], 0xff, sizeof(detail->members[CLASS_WHOLE]));
		memset(detail->present, 0xff, sizeof(detail->present));
		region->class_blocks[CLASS_WHOLE] = REGION_BLOCKS;
		for (unsigned block = 0; block < REGION_BLOCKS; block++)
			detail->free[block] = BLOCK_FRAMES;
		region->classes = 1U << CLASS_WHOLE;
	}
	__atomic_store_n(&region->state, REGION_OPEN, __ATOMIC_RELEASE);
}

void region_publish(struct frames *frames, struct frame_region *region)
{
	uint64_t number = region - frames->regions;
	unsigned classes = region->classes;
	unsigned changed;

	if (region->taken)
		classes = 0;
	else if (region->free == REGION_FRAMES)
		classes = 1U << CLASS_REGION;

	/*
	 * The index is changed atomically, since the bits of other regions lie in the same word. The index is only a
	 * hint: a CPU that finds a region by it checks `indexed` under the region's lock.
	 */
	for (changed = classes ^ region->indexed; changed; changed &= changed - 1) {
		uint64_t *word = &frames->index[__builtin_ctz(changed)][number / WORD_BITS];

		__atomic_fetch_xor(word, 1ULL << number % WORD_BITS, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&region->indexed, classes, __ATOMIC_RELAXED);
}

void region_need_refs(struct frame_region *region, paddr_t start, unsigned block)
{
	unsigned row = block / REFS_BLOCKS;
	unsigned from = row * REFS_BLOCKS;
	unsigned to = from + REFS_BLOCKS;

	if (region->refs_rows[row])
		return;
	if (from < region->first_block)
		from = region->first_block;
	if (to > region->end_block)
		to = region->end_block;
	memset(&region->refs_4k[from * BLOCK_FRAMES], 0, (to - from) * BLOCK_FRAMES * sizeof(region->refs_4k[0]));
	__atomic_store_n(&region->refs_rows[row],
			 (uintptr_t)region->refs_4k - start.raw / PAGE_SIZE * sizeof(region->refs_4k[0]),
			 __ATOMIC_RELEASE);
}

/* Take the first `count` free frames of a block that has at least `count`. */
static void block_take(struct frame_region *region, unsigned block, paddr_t start, uint32_t count,
		       struct frame_entry *end)
{
	uint16_t *refs = &region->refs_4k[block * BLOCK_FRAMES];

	start = paddr_add(start, block * PAGE_SIZE_2M);
	for (uint64_t *word = region->blocks[block].free; count; word++) {
		uint64_t bits = *word;

		if (bits == ~0ULL && count >= WORD_BITS) {
			for (unsigned i = 0; i < WORD_BITS; i++)
				*--end = (struct frame_entry){ paddr_add(start, i * PAGE_SIZE), refs + i };
			count -= WORD_BITS;
			bits = 0;
		}
		for (; bits && count; bits &= bits - 1, count--) {
			unsigned i = __builtin_ctzll(bits);

			*--end = (struct frame_entry){ paddr_add(start, i * PAGE_SIZE), refs + i };
			__builtin_prefetch(refs + i, 1);
		}
		*word = bits;
		start = paddr_add(start, WORD_SIZE);
		refs += WORD_BITS;
	}
}

unsigned region_first_block(const struct frame_region *region, unsigned kind)
{
	const uint64_t *words = region->detail->members[kind];
	unsigned i = 0;

	while (words[i] == 0)
		i++;
	return i * WORD_BITS + __builtin_ctzll(words[i]);
}

uint32_t region_take(struct frame_region *region, paddr_t start, uint32_t want, struct frame_entry *end)
{
	uint32_t taken = 0;

	while (taken < want && region->classes) {
		unsigned kind = __builtin_ctz(region->classes);
		unsigned block = region_first_block(region, kind);
		uint32_t count = region->detail->free[block];

		if (kind == CLASS_WHOLE) {
			if (taken)
				break;
			region_need_refs(region, start, block);
			memset(&region->blocks[block], 0xff, sizeof(region->blocks[block]));
		}
		if (count > want - taken)
			count = want - taken;
		block_take(region, block, start, count, end - taken);
		region_set_free(region, block, region->detail->free[block] - count);
		taken += count;
	}
	return taken;
}

void region_give(struct frame_region *region, paddr_t first, uint64_t mask, uint32_t count)
{
	unsigned block = first.raw >> BLOCK_SHIFT & (REGION_BLOCKS - 1);
	uint64_t *word = &region->blocks[block].free[first.raw / WORD_SIZE % (BLOCK_FRAMES / WORD_BITS)];

	if (*word & mask)
		panic("frame %#lx freed twice", paddr_add(first, __builtin_ctzll(*word & mask) * PAGE_SIZE).raw);
	*word |= mask;
	region_set_free(region, block, region->detail->free[block] + count);
}
