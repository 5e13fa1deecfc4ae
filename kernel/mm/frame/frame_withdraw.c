/*
 * Implements frame_withdraw(): looks for a run of wholly free 2 MiB blocks from the highest address down, and removes
 * them from the allocator as if they had never been added. The part of the last block that is not needed is added
 * again.
 */
#include "kernel/mm/frame/frame_withdraw.h"

#include "kernel/lib/panic.h"
#include "kernel/mm/frame/frame_region.h"
#include "paging/layout.h"

static bool is_whole(const struct frames *frames, uint64_t number)
{
	const struct frame_region *region = &frames->regions[number / REGION_BLOCKS];
	unsigned block = number % REGION_BLOCKS;

	if (region->taken || region->state == REGION_ABSENT)
		return false;
	return region->state == REGION_PLAIN || region->detail->free[block] == BLOCK_FRAMES;
}

/* Find the highest run of `count` whole blocks. *ret is its first block, numbered from address 0 on. */
static bool find_run(const struct frames *frames, uint64_t count, uint64_t *ret)
{
	uint64_t run = 0;

	for (uint64_t number = frames->region_count * REGION_BLOCKS; number-- > 0;) {
		if (frames->regions[number / REGION_BLOCKS].state == REGION_ABSENT) {
			run = 0;
			number -= number % REGION_BLOCKS;
			continue;
		}
		run = is_whole(frames, number) ? run + 1 : 0;
		if (run == count) {
			*ret = number;
			return true;
		}
	}
	return false;
}

static void take_block(struct frames *frames, uint64_t number)
{
	struct frame_region *region = &frames->regions[number / REGION_BLOCKS];
	unsigned block = number % REGION_BLOCKS;

	region_lock(region);
	if (region->state == REGION_PLAIN)
		region_open(region);
	region_set_free(region, block, 0);
	bit_clear(region->detail->present, block);
	region_publish(frames, region);
	region_unlock(region);
	frames->total -= BLOCK_FRAMES;
}

enum status frame_withdraw(struct frame_cache *cache, uint64_t bytes, paddr_t *ret)
{
	struct frames *frames = cache->frames;
	uint64_t first, count, spare;
	paddr_t pa, end;

	if (!bytes || bytes > HHDM_SIZE)
		return bytes ? ERR_NO_MEMORY : ERR_RANGE;
	frame_cache_drain(cache);
	count = align_up(bytes, PAGE_SIZE_2M) / PAGE_SIZE_2M;
	if (!find_run(frames, count, &first))
		return ERR_NO_MEMORY;
	for (uint64_t i = 0; i < count; i++)
		take_block(frames, first + i);
	pa = paddr(first * PAGE_SIZE_2M);
	end = paddr_add(pa, count * PAGE_SIZE_2M);
	bytes = align_up(bytes, PAGE_SIZE);
	if (pa.raw + bytes < end.raw && frame_add_range(frames, paddr_add(pa, bytes), end, &spare) != OK)
		panic("frames from %#llx on do not go back", (unsigned long long)(pa.raw + bytes));
	*ret = pa;
	return OK;
}
