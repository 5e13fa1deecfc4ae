/*
 * The reserve: how many free pages the heap keeps. Decides when the heap grows and when it gives memory back;
 * heap_pages.c cuts runs out of the mapped pages, heap_chunk.c maps and unmaps as decided here.
 *
 * Free pages up to a quarter of the mapped ones (2 MiB at least) stay. Giving memory back that is soon asked for again
 * is a mistake that costs a mapping and a flush; each such page widens the reserve by one (the regret), and each tick
 * halves the regret.
 */
#include "kernel/mm/heap/heap_internal.h"

#include "kernel/lib/panic.h"

#define RESERVE_MIN      LEAF_PAGES
#define RESERVE_FRACTION 4
/* when more than a third of the heap is free, scattered runs are given back before a new one is mapped */
#define SCATTER_FRACTION 3

/* Return how many pages are usually given back at a time: as many as the heap grows by. */
static uint64_t usual_step(void)
{
	return heap.backend->step / PAGE_SIZE;
}

static uint64_t reserve(void)
{
	uint64_t pages = heap.mapped_pages / RESERVE_FRACTION;

	return (pages > RESERVE_MIN ? pages : RESERVE_MIN) + heap.regret_pages;
}

void reserve_free(pageno_t first, uint32_t pages)
{
	pageno_t run = pages_free(first, pages);
	uint64_t keep = reserve();

	if (heap.free_pages > keep)
		chunk_unmap_run(run, keep, usual_step());
}

/*
 * Unmap as much of one free run as leaves at least `keep` free pages in the heap, in pieces of `step` pages. Returns
 * false when no run can be unmapped.
 */
static bool trim_one(uint64_t keep, uint64_t step)
{
	for (size_t bin = BINS; bin-- > 0;) {
		for (pageno_t run = heap.bins[bin]; run; run = page_info(run)->next) {
			if (chunk_unmap_run(run, keep, step))
				return true;
		}
	}
	return false;
}

static void shrink_to(uint64_t keep, uint64_t step)
{
	while (heap.free_pages > keep && trim_one(keep, step))
		;
}

/*
 * Give back all free pages that can be given back, page by page: around a slab with one block in use nothing stays
 * mapped. The heap fills the holes one by one when it grows again, so do this only when frames have run out.
 */
static void shrink_to_nothing(void)
{
	shrink_to(0, 1);
}

/*
 * Call before mapping a new run of `pages`: when much of the heap is free already, but in runs too short, unmap as many
 * pages as will be mapped. The heap is compacted that way without moving a block: it takes other addresses, which are
 * plenty, and no more frames.
 */
static void swap_scattered(uint32_t pages)
{
	uint64_t given = heap.given_pages;

	if (heap.free_pages <= heap.mapped_pages / SCATTER_FRACTION)
		return;
	if (heap.free_pages > pages)
		shrink_to(heap.free_pages - pages, usual_step());
	else
		shrink_to(0, STEP_SIZE_MIN / PAGE_SIZE);
	/* What was given back here does not count as regret when it is mapped again. */
	heap.given_pages = given;
}

/*
 * Map memory so that a free run of `pages` pages exists. Other free pages may be unmapped for it. Returns false when
 * there is no memory.
 */
static bool grow(uint32_t pages)
{
	uint64_t mapped = heap.mapped_pages;

	swap_scattered(pages);
	if (chunk_map_run(pages))
		return true;
	/*
	 * No memory is left: unmap all free pages, which are too scattered for this run, and use their frames for it.
	 */
	shrink_to_nothing();
	return heap.mapped_pages < mapped && chunk_map_run(pages);
}

pageno_t reserve_alloc(uint32_t pages, uint32_t align, enum pages_from from)
{
	pageno_t first = pages_alloc(pages, align);

	if (!first && from == PAGES_GROW && grow(pages + align - 1)) {
		first = pages_alloc(pages, align);
		ASSERT(first);
	}
	return first;
}

void reserve_trim(void)
{
	heap.given_pages = 0;
	heap.regret_pages = 0;
	shrink_to_nothing();
	heap.given_pages = 0;
}

void reserve_tick(void)
{
	heap.given_pages /= 2;
	heap.regret_pages /= 2;
	shrink_to(reserve(), usual_step());
}
