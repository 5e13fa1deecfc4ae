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
/* the most free runs that are looked at, the longest first: before a block is allocated, and when one is freed */
#define RUNS_MOST 256
#define RUNS_FEW  4
/* page tables that a new run may need */
#define TABLES_MOST 4

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

/*
 * Unmap pages of one free run, in pieces of `step` pages and UNMAP_MOST at most, so that the heap keeps `keep` free
 * pages or more. Looks at the longest runs first, and at no more than *runs of them; *runs is counted down. Returns
 * false when none of these runs can be unmapped.
 */
static bool trim_one(uint64_t keep, uint64_t step, unsigned *runs)
{
	for (size_t bin = BINS; bin-- > 0;) {
		for (pageno_t run = heap.bins[bin]; run; run = page_info(run)->next) {
			/*
			 * Stop when as many runs were looked at as `*runs` allows. Stop also at a run shorter than
			 * `step`: it has no piece to give, nor has any other run in this bin or a lower one, since
			 * `step` is a power of two, and each power of two begins a new bin.
			 */
			if (!*runs || page_info(run)->pages < step)
				return false;
			--*runs;
			if (chunk_unmap_run(run, keep, step))
				return true;
		}
	}
	return false;
}

void reserve_free(pageno_t first, uint32_t pages)
{
	pageno_t run = pages_free(first, pages);
	uint64_t keep = reserve();
	unsigned runs = RUNS_FEW;

	/*
	 * Give back pages of this run, or if that is impossible, of one of the longest runs. A run that is longer than
	 * UNMAP_MOST is unmapped only in part: the next calls find the rest of it among the longest runs.
	 */
	if (heap.free_pages > keep && !chunk_unmap_run(run, keep, usual_step()))
		(void)trim_one(keep, usual_step(), &runs);
}

/* Unmap up to `pages` free pages, in pieces of `step` pages, as far as they are found in the longest runs. */
static void shrink_by(uint64_t pages, uint64_t step)
{
	uint64_t keep = heap.free_pages > pages ? heap.free_pages - pages : 0;
	unsigned runs = RUNS_MOST;

	while (heap.free_pages > keep && trim_one(keep, step, &runs))
		;
}

/*
 * Call before mapping a new run of `pages`: when much of the heap is free already, but in runs too short, unmap as many
 * pages as will be mapped. That compacts the heap without moving a block: it uses new addresses, of which there are
 * plenty, but no more frames.
 */
static void swap_scattered(uint32_t pages)
{
	uint64_t given = heap.given_pages;

	if (heap.free_pages <= heap.mapped_pages / SCATTER_FRACTION)
		return;
	shrink_by(pages < UNMAP_MOST ? pages : UNMAP_MOST,
		  heap.free_pages > pages ? usual_step() : STEP_SIZE_MIN / PAGE_SIZE);
	/* What was given back here does not count as regret when it is mapped again. */
	heap.given_pages = given;
}

/*
 * Unmap free pages, even single ones between slabs that are in use. That leaves holes, which the heap must map again
 * one by one when it grows, so this is done only when frames have run out. Only the longest runs are searched. If they
 * do not suffice and the system call fails for lack of memory, heap_trim_step() goes through all chunks, with other
 * tasks in between, before the call is made again.
 */
void reserve_shrink(uint64_t pages)
{
	shrink_by(pages < UNMAP_MOST ? pages : UNMAP_MOST, 1);
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
	/* No memory is left: unmap free pages, which are too scattered for this run, and use their frames for it. */
	reserve_shrink(pages + TABLES_MOST);
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

/*
 * Unmap free pages of the chunk, UNMAP_MOST or a few more at the most. Returns whether the chunk may have more of them.
 */
static bool trim_chunk(struct chunk *chunk)
{
	uint64_t mapped = heap.mapped_pages, books = heap.book_pages;
	size_t page = CHUNK_BOOK_PAGES;

	while (page < CHUNK_PAGES) {
		pageno_t run = page_number(chunk) + (pageno_t)page;
		bool is_free = chunk->kind[page] == PAGE_FREE;

		if (mapped - heap.mapped_pages >= UNMAP_MOST)
			return true;
		if (!is_free)
			page++;
		else if (!chunk_unmap_run(run, 0, 1))
			page += page_info(run)->pages;
		else if (heap.book_pages < books)
			return false; /* the chunk itself was destroyed: its bookkeeping is unmapped, too */
	}
	/*
	 * If no page is in use, the free pages that share a leaf with the bookkeeping are left: they could not be
	 * unmapped alone, and the chunk had too many more to be destroyed. The next call destroys it.
	 */
	return chunk->used_pages == 0;
}

bool reserve_trim_some(pageno_t *at)
{
	struct chunk *chunk = chunk_find(*at);

	if (chunk) {
		pageno_t first = page_number(chunk);

		*at = trim_chunk(chunk) ? first : first + (pageno_t)CHUNK_PAGES;
	}
	heap.given_pages = 0;
	heap.regret_pages = 0;
	return chunk;
}

void reserve_tick(void)
{
	unsigned runs = RUNS_MOST;

	heap.given_pages /= 2;
	heap.regret_pages /= 2;
	while (heap.free_pages > reserve() && trim_one(reserve(), usual_step(), &runs))
		runs = RUNS_MOST;
}
