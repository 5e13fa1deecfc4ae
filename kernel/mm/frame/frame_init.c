/*
 * Starts a frame allocator: finds room for its metadata, and adds the first free memory. Cuts the metadata from the
 * ends of usable ranges and clears only the table of regions. Does no work for each frame or block: their metadata is
 * set up when they are first used.
 */
#include "kernel/mm/frame/frame_add.h"

#include "kernel/lib/string.h"
#include "paging/layout.h"

#define CUTS_MAX   16 /* the most ranges that metadata is cut from; nearly always the largest one has room for all */
#define CACHE_LINE 64
#define CUT_FLOOR  0x100000ULL /* metadata does not lie below 1 MiB: that memory is scarce, and CPUs start there */

/* A cut: what has been taken from the end of one usable range. */
struct cut {
	size_t range;   /* index of the range in the map */
	uint64_t start; /* [start, the range's end) has been taken */
	uint64_t room;  /* bytes below `start` that can be taken, too */
};

/* Takes room for metadata from the largest usable range, then from the next largest, and so on. */
struct cutter {
	const struct memmap *map;
	uintptr_t direct;
	struct cut cuts[CUTS_MAX]; /* metadata is taken from the last of these, while it has room */
	size_t count;
};

/* Limit an address to the end of the memory that the allocator can manage. */
static uint64_t clip(uint64_t pa)
{
	return pa < HHDM_SIZE ? pa : HHDM_SIZE;
}

static uint64_t range_room(const struct mem_range *range)
{
	uint64_t start = range->start > CUT_FLOOR ? range->start : CUT_FLOOR;
	uint64_t end = clip(range->end);

	return range->type == MEM_USABLE && start < end ? end - start : 0;
}

/* Go on to the largest usable range that has no cut yet. Returns false when there is none. */
static bool cutter_next(struct cutter *cutter)
{
	const struct mem_range *ranges = cutter->map->ranges;
	struct cut best = { 0 };
	uint64_t best_room = 0;

	if (cutter->count == CUTS_MAX)
		return false;
	for (size_t i = 0; i < cutter->map->count; i++) {
		bool used = false;

		for (size_t j = 0; j < cutter->count; j++)
			used |= cutter->cuts[j].range == i;
		if (!used && range_room(&ranges[i]) > best_room) {
			best_room = range_room(&ranges[i]);
			best = (struct cut){ .range = i, .start = clip(ranges[i].end), .room = best_room };
		}
	}
	if (best_room == 0)
		return false;
	cutter->cuts[cutter->count++] = best;
	return true;
}

/*
 * Cut out room for `bytes` of metadata, aligned to a cache line, content arbitrary. Returns NULL when no range has
 * room.
 */
static void *cut(struct cutter *cutter, uint64_t bytes)
{
	bytes = align_up(bytes, CACHE_LINE);
	do {
		struct cut *last = &cutter->cuts[cutter->count - 1];

		if (last->room >= bytes) {
			last->start -= bytes;
			last->room -= bytes;
			return (void *)(cutter->direct + last->start);
		}
	} while (cutter_next(cutter));
	return NULL;
}

/* Allocate and clear the tables with an entry for each region, whether it has RAM or not: 193 bytes a region. */
static enum status make_tables(struct frames *frames, struct cutter *cutter)
{
	uint64_t count = frames->region_count;
	uint64_t words = count * REGION_REFS + frames->index_words * (FRAME_CLASSES + 1);
	uint64_t size = count * sizeof(struct frame_region) + words * sizeof(uint64_t);
	void *table = cut(cutter, size);
	uint64_t *word;

	if (!table)
		return ERR_NO_MEMORY;
	memset(table, 0, size);
	frames->regions = table;
	frames->lookup.limit = count * REGION_FRAMES;
	frames->lookup.refs = (uintptr_t *)(frames->regions + count);
	word = (uint64_t *)(frames->lookup.refs + count * REGION_REFS);
	for (int kind = 0; kind < FRAME_CLASSES; kind++, word += frames->index_words)
		frames->index[kind] = word;
	frames->claimed = word;
	return OK;
}

/*
 * Extend the range of blocks that the region has metadata for up to end_block; it begins with the region's first block
 * of RAM. Call for the memory map's ranges in ascending order. RAM of any type counts, since all RAM may be added
 * later; a hole between two ranges counts as well.
 */
static void measure_region(struct frame_region *region, uint64_t first_block, uint64_t end_block)
{
	if (region->end_block == 0)
		region->first_block = first_block;
	region->end_block = end_block;
}

static void measure(struct frames *frames, const struct mem_range *range)
{
	uint64_t block = range->start / PAGE_SIZE_2M;
	uint64_t end = align_up(clip(range->end), PAGE_SIZE_2M) / PAGE_SIZE_2M;

	while (block < end) {
		uint64_t region = block / REGION_BLOCKS;
		uint64_t region_end = (region + 1) * REGION_BLOCKS;
		uint64_t last = end < region_end ? end : region_end;

		measure_region(&frames->regions[region], block % REGION_BLOCKS, (last - 1) % REGION_BLOCKS + 1);
		block = last;
	}
}

/* Find room for the metadata of a region's blocks. When there is none, the region is not managed. */
static void place(struct frames *frames, uint64_t number, struct cutter *cutter)
{
	struct frame_region *region = &frames->regions[number];
	uint64_t blocks = region->end_block - region->first_block;
	uint64_t block_size = sizeof(struct frame_block) + BLOCK_FRAMES * sizeof(uint16_t);
	uintptr_t at;

	if (blocks == 0)
		return;
	at = (uintptr_t)cut(cutter, sizeof(struct region_detail) + blocks * block_size);
	if (!at) {
		region->end_block = 0;
		return;
	}
	region->detail = (struct region_detail *)at;
	at += sizeof(struct region_detail);
	/*
	 * The arrays are indexed by block and frame of the region, so their start lies before the memory that was cut:
	 * there are no entries for the blocks below first_block, which have no RAM.
	 */
	region->blocks = (struct frame_block *)(at - region->first_block * sizeof(struct frame_block));
	at += blocks * sizeof(struct frame_block);
	region->refs_4k = (uint16_t *)(at - region->first_block * BLOCK_FRAMES * sizeof(uint16_t));
	region->refs_rows = &frames->lookup.refs[number * REGION_REFS];
}

/* Make the usable ranges free memory, except for the metadata that was cut from them. */
static void add_usable(struct frames *frames, const struct cutter *cutter)
{
	const struct memmap *map = cutter->map;

	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *range = &map->ranges[i];
		uint64_t start = range->start;
		uint64_t end = clip(range->end);

		if (range->type != MEM_USABLE)
			continue;
		if (range->end > HHDM_SIZE)
			frames->left_out += (range->end - (start > HHDM_SIZE ? start : HHDM_SIZE)) / PAGE_SIZE;
		for (size_t j = 0; j < cutter->count; j++) {
			if (cutter->cuts[j].range != i)
				continue;
			frames->metadata += end - align_down(cutter->cuts[j].start, PAGE_SIZE);
			end = align_down(cutter->cuts[j].start, PAGE_SIZE);
		}
		frame_add_managed(frames, start, end);
	}
}

enum status frame_init(struct frames *frames, const struct memmap *map, uintptr_t direct)
{
	struct cutter cutter = { .map = map, .direct = direct };
	uint64_t end = 0;
	enum status status;

	memset(frames, 0, sizeof(*frames));
	frames->direct = direct;
	for (size_t i = 0; i < map->count; i++)
		if (mem_type_is_ram(map->ranges[i].type) && map->ranges[i].start < HHDM_SIZE)
			end = clip(map->ranges[i].end);
	frames->region_count = align_up(end, PAGE_SIZE_1G) / PAGE_SIZE_1G;
	frames->index_words = (frames->region_count + WORD_BITS - 1) / WORD_BITS;
	if (!cutter_next(&cutter))
		return ERR_NO_MEMORY;
	status = make_tables(frames, &cutter);
	if (status != OK)
		return status;

	for (size_t i = 0; i < map->count; i++)
		if (mem_type_is_ram(map->ranges[i].type) && map->ranges[i].start < HHDM_SIZE)
			measure(frames, &map->ranges[i]);
	for (uint64_t i = 0; i < frames->region_count; i++)
		place(frames, i, &cutter);
	add_usable(frames, &cutter);
	return OK;
}
