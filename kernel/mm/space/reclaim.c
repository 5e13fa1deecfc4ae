/*
 * Gives the memory of the loader and of the firmware's boot services to the frame allocator, except the pages with
 * boot_info, the command line and the memory maps, which the kernel keeps.
 */
#include "kernel/mm/space/reclaim.h"

#include "kernel/lib/panic.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"

/* A range that is kept, [start, end), page-aligned; arrays of these are sorted by start. */
struct kept {
	uint64_t start;
	uint64_t end;
};

#define KEPT 4 /* how many ranges are kept; reclaim_boot_memory() lists them */

static struct kept kept_pages(paddr_t pa, uint64_t bytes)
{
	return (struct kept){ align_down(pa.raw, PAGE_SIZE), align_up(pa.raw + bytes, PAGE_SIZE) };
}

static void sort(struct kept kept[KEPT])
{
	for (int i = 1; i < KEPT; i++) {
		struct kept k = kept[i];
		int at = i;

		for (; at > 0 && kept[at - 1].start > k.start; at--)
			kept[at] = kept[at - 1];
		kept[at] = k;
	}
}

static uint64_t add(uint64_t start, uint64_t end)
{
	uint64_t frames = 0;

	/* Memory beyond the direct map stays unused. */
	if (end > HHDM_SIZE)
		end = HHDM_SIZE;
	if (start < end && frame_add_range(&machine_frames, paddr(start), paddr(end), &frames) != OK)
		panic("reclaim: %#llx-%#llx is not to be had", (unsigned long long)start, (unsigned long long)end - 1);
	return frames;
}

/* Add [start, end) without the ranges that are kept. Returns how many frames that gave. */
static uint64_t add_around(const struct kept kept[KEPT], uint64_t start, uint64_t end)
{
	uint64_t frames = 0;

	for (int i = 0; i < KEPT && start < end; i++) {
		if (kept[i].end <= start || kept[i].start >= end)
			continue;
		frames += add(start, kept[i].start);
		start = kept[i].end;
	}
	return frames + add(start, end);
}

struct reclaimed reclaim_boot_memory(const struct boot_info *info)
{
	struct kept kept[KEPT] = {
		kept_pages(hhdm_paddr(info), sizeof(*info)),
		kept_pages(info->cmdline, info->cmdline_size + 1),
		kept_pages(info->memmap, info->memmap_count * sizeof(struct mem_range)),
		kept_pages(info->efi_map, info->efi_map_size),
	};
	struct reclaimed got = { 0, 0 };

	sort(kept);
	for (size_t i = 0; i < machine_memmap->count; i++) {
		const struct mem_range *r = &machine_memmap->ranges[i];

		if (r->type == MEM_LOADER)
			got.loader += add_around(kept, r->start, r->end);
		else if (r->type == MEM_BOOT_SERVICES)
			got.boot_services += add_around(kept, r->start, r->end);
	}
	return got;
}
