/*
 * Starts the machine's frame allocator, and frees page tables, those that the loader built included.
 */
#include "kernel/mm/frame/machine_frames.h"

#include "kernel/lib/panic.h"
#include "paging/layout.h"

static struct memmap memmap; /* fixed after boot */
const struct memmap *machine_memmap = &memmap;

/*
 * Addresses [start, end) of the tables that the loader built, whose frames the allocator does not know until they are
 * freed (machine_frames_free_table). Fixed after boot.
 */
static uint64_t loader_tables_start, loader_tables_end;

void machine_frames_init(const struct boot_info *info)
{
	paddr_t spare = paddr_add(info->tables, info->table_frames * PAGE_SIZE);
	uint64_t added;

	memmap = (struct memmap){ .ranges = (struct mem_range *)(HHDM_BASE + info->memmap.raw),
				  .count = info->memmap_count,
				  .capacity = info->memmap_count };
	if (frame_init(&machine_frames, &memmap, HHDM_BASE) != OK)
		panic("takeover: no usable memory for the frame allocator");
	frame_cache_init(frame_cache_here(), &machine_frames);
	loader_tables_start = info->tables.raw;
	loader_tables_end = spare.raw;
	if (info->table_spare &&
	    frame_add_range(&machine_frames, spare, paddr_add(spare, info->table_spare * PAGE_SIZE), &added) != OK)
		panic("takeover: the spare tables at %#llx are not free", (unsigned long long)spare.raw);
}

void machine_frames_free_table(paddr_t pa)
{
	uint64_t added;

	/*
	 * The allocator learns of a frame of the loader's tables only here, when the frame is freed for the first time.
	 * Later the allocator may hand out that frame as a table again; then it has a reference, and is freed like any
	 * other frame.
	 */
	if (pa.raw < loader_tables_start || pa.raw >= loader_tables_end || frame_refs(&machine_frames, FRAME_4K, pa))
		frame_free_4k(frame_cache_here(), pa);
	else if (frame_add_range(&machine_frames, pa, paddr_add(pa, PAGE_SIZE), &added) != OK)
		panic("table at %#llx cannot be freed", (unsigned long long)pa.raw);
}
