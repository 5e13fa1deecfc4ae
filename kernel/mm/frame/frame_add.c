/*
 * Adds free memory: at start the usable ranges of the memory map, later the memory that loader and firmware no longer
 * need. Whole regions and whole blocks of a range are added in one step each, and single frames only at the range's
 * ends. Refuses memory that has no metadata, and memory that was added before.
 */
#include "kernel/mm/frame/frame_add.h"

#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame_region.h"

/* the end of the memory in which a CPU can start (Intel SDM vol. 3A, "MP Initialization") */
#define LOW_END 0x100000ULL

/* The part of a range that lies in one region: the region's frames [from, to). The region starts at `start`. */
struct piece {
	struct frame_region *region;
	paddr_t start;
	uint32_t from;
	uint32_t to;
};

/* Return the first piece of the range of frames with the numbers [first, end). */
static struct piece piece_at(const struct frames *frames, uint64_t first, uint64_t end)
{
	uint64_t region = first / REGION_FRAMES;
	uint64_t region_first = region * REGION_FRAMES;
	uint64_t left = end - region_first;

	return (struct piece){ .region = region < frames->region_count ? &frames->regions[region] : NULL,
			       .start = paddr(region << REGION_SHIFT),
			       .from = first - region_first,
			       .to = left < REGION_FRAMES ? left : REGION_FRAMES };
}

static bool piece_managed(struct piece piece)
{
	return piece.region && piece.region->first_block <= piece.from / BLOCK_FRAMES &&
	       (piece.to - 1) / BLOCK_FRAMES < piece.region->end_block;
}

/*
 * For loops over the blocks of a piece: return where the block with frame `from` ends, or where the piece ends if that
 * comes first.
 */
static uint32_t block_end(struct piece piece, uint32_t from)
{
	uint32_t end = (from | (BLOCK_FRAMES - 1)) + 1;

	return end < piece.to ? end : piece.to;
}

/* Return whether no frame of the piece was added before. */
static bool piece_absent(struct piece piece)
{
	const struct frame_region *region = piece.region;

	if (region->state != REGION_OPEN)
		return region->state == REGION_ABSENT;
	for (uint32_t from = piece.from; from < piece.to; from = block_end(piece, from)) {
		uint32_t block = from / BLOCK_FRAMES;

		if (!bit_get(region->detail->present, block))
			continue;
		if (!region->refs_rows[block / REFS_BLOCKS])
			return false;
		for (uint32_t frame = from; frame < block_end(piece, from); frame++)
			if (region->refs_4k[frame] != REFS_ABSENT)
				return false;
	}
	return true;
}

/* Add the frames [from, to) of a piece, which lie in one block. */
static void block_add(struct piece piece, uint32_t from, uint32_t to)
{
	struct frame_region *region = piece.region;
	struct region_detail *detail = region->detail;
	uint32_t number = from / BLOCK_FRAMES;
	struct frame_block *block = &region->blocks[number];

	if (!bit_get(detail->present, number)) {
		bit_set(detail->present, number);
		if (to - from == BLOCK_FRAMES) {
			region_set_free(region, number, BLOCK_FRAMES);
			return;
		}
		region_need_refs(region, piece.start, number);
		memset(block, 0, sizeof(*block));
		memset(&region->refs_4k[number * BLOCK_FRAMES], 0xff, BLOCK_FRAMES * sizeof(region->refs_4k[0]));
	}
	for (uint32_t frame = from; frame < to; frame++) {
		region->refs_4k[frame] = 0;
		bit_set(block->free, frame % BLOCK_FRAMES);
	}
	region_set_free(region, number, detail->free[number] + to - from);
}

static void piece_add(struct frames *frames, struct piece piece)
{
	struct frame_region *region = piece.region;

	region_lock(region);
	if (piece.to - piece.from == REGION_FRAMES) {
		region->state = REGION_PLAIN;
		region_count(region, REGION_FRAMES);
	} else {
		if (region->state == REGION_ABSENT)
			region_open(region);
		for (uint32_t from = piece.from; from < piece.to; from = block_end(piece, from))
			block_add(piece, from, block_end(piece, from));
	}
	region_publish(frames, region);
	region_unlock(region);
}

uint64_t frame_add_managed(struct frames *frames, uint64_t start, uint64_t end)
{
	uint64_t added = 0;

	if (start == 0)
		start += PAGE_SIZE;
	if (frames->low_page.raw == 0 && start < LOW_END && start < end) {
		frames->low_page = paddr(start);
		start += PAGE_SIZE;
	}
	for (uint64_t first = start / PAGE_SIZE; first < end / PAGE_SIZE;) {
		struct piece piece = piece_at(frames, first, end / PAGE_SIZE);

		if (piece.region && piece_managed(piece)) {
			piece_add(frames, piece);
			added += piece.to - piece.from;
		} else {
			frames->left_out += piece.to - piece.from;
		}
		first += piece.to - piece.from;
	}
	frames->total += added;
	return added;
}

enum status frame_add_range(struct frames *frames, paddr_t start, paddr_t end, uint64_t *ret_frames)
{
	if (!is_aligned(start.raw | end.raw, PAGE_SIZE) || start.raw >= end.raw)
		return ERR_RANGE;
	if (frames->low_page.raw && start.raw <= frames->low_page.raw && frames->low_page.raw < end.raw)
		return ERR_EXISTS;
	for (uint64_t first = start.raw / PAGE_SIZE; first < end.raw / PAGE_SIZE;) {
		struct piece piece = piece_at(frames, first, end.raw / PAGE_SIZE);
		bool absent;

		if (!piece.region || !piece_managed(piece))
			return ERR_RANGE;
		region_lock(piece.region);
		absent = piece_absent(piece);
		region_unlock(piece.region);
		if (!absent)
			return ERR_EXISTS;
		first += piece.to - piece.from;
	}
	*ret_frames = frame_add_managed(frames, start.raw, end.raw);
	return OK;
}
