/*
 * Chunks: 16 MiB ranges of addresses that are mapped as far as needed. Maps and unmaps parts of them, and records what
 * is mapped. Knows nothing of blocks, and does not decide when to grow or shrink: heap_reserve.c does.
 */
#include "kernel/mm/heap/heap_internal.h"

#include "kernel/lib/panic.h"

/* grow by at least 1/64 of what is mapped (at most 2 MiB), so that the heap grows in few steps */
#define GROW_FRACTION 64

/*
 * How many holes (unmapped pages in a row) to look at before a chunk is made: trimming may leave thousands, each a page
 * long.
 */
#define HOLES_MOST 256

/* Set the count atomically: magazines_drain_before_growing reads it without the lock. */
static void count_mapped(uint64_t pages)
{
	__atomic_store_n(&heap.mapped_pages, pages, __ATOMIC_RELAXED);
}

bool chunk_map(vaddr_t va, uint64_t pages)
{
	if (heap.backend->map(heap.backend->ctx, va, pages * PAGE_SIZE) != OK)
		return false;
	heap.grown++;
	count_mapped(heap.mapped_pages + pages);
	if (heap.mapped_pages > heap.peak_pages)
		heap.peak_pages = heap.mapped_pages;
	return true;
}

void chunk_unmap(vaddr_t va, uint64_t pages)
{
	heap.backend->unmap(heap.backend->ctx, va, pages * PAGE_SIZE);
	heap.returned++;
	count_mapped(heap.mapped_pages - pages);
}

/*
 * Return the first page from `page` on whose bit in `bits` is 1 (if `mapped` is true) or 0 (if it is false);
 * CHUNK_PAGES: there is none.
 */
static size_t next_page(const uint64_t bits[CHUNK_PAGES / 64], size_t page, bool mapped)
{
	while (page < CHUNK_PAGES) {
		uint64_t word = mapped ? bits[page / 64] : ~bits[page / 64];

		word >>= page % 64;
		if (word)
			return page + (size_t)__builtin_ctzll(word);
		page = align_down(page, 64) + 64;
	}
	return CHUNK_PAGES;
}

static void set_mapped(struct chunk *chunk, size_t first, size_t end, bool mapped)
{
	while (first < end) {
		size_t place = first % 64, count = 64 - place < end - first ? 64 - place : end - first;
		uint64_t bits = ~0ULL >> (64 - count) << place;

		if (mapped)
			chunk->mapped[first / 64] |= bits;
		else
			chunk->mapped[first / 64] &= ~bits;
		first += count;
	}
}

static bool is_leaf(const struct chunk *chunk, size_t page)
{
	return chunk->leaves >> (page / LEAF_PAGES) & 1;
}

/*
 * Set or clear the leaf bits of the aligned 2 MiB parts of the pages [first, end), which one call has mapped or is
 * about to unmap.
 */
static void set_leaves(struct chunk *chunk, size_t first, size_t end, bool mapped)
{
	for (size_t leaf = align_up(first, LEAF_PAGES) / LEAF_PAGES; leaf < end / LEAF_PAGES; leaf++) {
		if (mapped)
			chunk->leaves |= 1U << leaf;
		else
			chunk->leaves &= ~(1U << leaf);
	}
}

static bool is_full(const struct chunk *chunk)
{
	return next_page(chunk->mapped, 0, false) == CHUNK_PAGES;
}

static uint32_t free_pages_when_unused(const struct chunk *chunk)
{
	int pages = 0;

	for (size_t i = 0; i < CHUNK_PAGES / 64; i++)
		pages += __builtin_popcountll(chunk->mapped[i]);
	return (uint32_t)pages - (uint32_t)CHUNK_BOOK_PAGES;
}

static void unlink_chunk(struct chunk *chunk)
{
	if (chunk->prev)
		chunk->prev->next = chunk->next;
	else
		heap.chunks = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
	else
		heap.last_chunk = chunk->prev;
}

/*
 * Put a chunk with room first in the list. Full chunks come last, so that growing looks no further than to the first
 * full one.
 */
static void link_first(struct chunk *chunk)
{
	chunk->prev = NULL;
	chunk->next = heap.chunks;
	if (heap.chunks)
		heap.chunks->prev = chunk;
	else
		heap.last_chunk = chunk;
	heap.chunks = chunk;
}

static void link_last(struct chunk *chunk)
{
	chunk->next = NULL;
	chunk->prev = heap.last_chunk;
	if (heap.last_chunk)
		heap.last_chunk->next = chunk;
	else
		heap.chunks = chunk;
	heap.last_chunk = chunk;
}

/* Map the pages [first, end) of `chunk` and add them to the free ones. Returns false when there is no memory. */
static bool map_pages(struct chunk *chunk, size_t first, size_t end)
{
	uint64_t pages = end - first;

	if (!chunk_map((vaddr_t)chunk + first * PAGE_SIZE, pages))
		return false;
	set_mapped(chunk, first, end, true);
	set_leaves(chunk, first, end, true);
	pages_add_free(page_number(chunk) + (pageno_t)first, (uint32_t)pages);
	if (is_full(chunk)) {
		unlink_chunk(chunk);
		link_last(chunk);
	}

	uint64_t regret = pages < heap.given_pages ? pages : heap.given_pages;

	heap.given_pages -= regret;
	heap.regret_pages += regret;
	return true;
}

/* Return how far to map when the pages [first, first + need) are needed and the hole goes on to `end`. */
static size_t grow_end(size_t first, size_t need, size_t end)
{
	size_t step = heap.backend->step / PAGE_SIZE;
	size_t more = heap.mapped_pages / GROW_FRACTION;

	if (more > LEAF_PAGES)
		more = LEAF_PAGES;
	if (need < more)
		need = more;

	size_t wanted = align_up(first + need, step);

	return wanted < end ? wanted : end;
}

/*
 * Map more of `chunk`: find a hole that has room for `pages`, the free pages right before it included. Returns false
 * when there is no memory, or no such hole among the `*holes` that may still be looked at.
 */
static bool grow_chunk(struct chunk *chunk, uint32_t pages, unsigned *holes)
{
	size_t first = next_page(chunk->mapped, CHUNK_BOOK_PAGES, false);

	while (first < CHUNK_PAGES && *holes) {
		size_t end = next_page(chunk->mapped, first, true);
		uint32_t before = pages_free_before(page_number(chunk) + (pageno_t)first);
		size_t need = pages - before;

		if (need <= end - first) {
			if (map_pages(chunk, first, grow_end(first, need, end)))
				return true;
			/* grow_end() adds more than is needed: there may be memory for what is needed alone. */
			return map_pages(chunk, first, first + need);
		}
		first = next_page(chunk->mapped, end, false);
		--*holes;
	}
	return false;
}

/* Make a chunk: map its struct chunk, and add the pages that are mapped with it to the free ones. NULL: no memory. */
static struct chunk *make_chunk(void)
{
	const struct heap_backend *backend = heap.backend;
	uint64_t pages = align_up(CHUNK_BOOK_PAGES + 1, backend->step / PAGE_SIZE);
	vaddr_t va;

	if (backend->reserve(backend->ctx, CHUNK_SIZE, CHUNK_SIZE, &va) != OK)
		return NULL;
	if (!chunk_map(va, pages)) {
		pages = CHUNK_BOOK_PAGES + 1;
		if (!chunk_map(va, pages)) {
			backend->release(backend->ctx, va, CHUNK_SIZE);
			return NULL;
		}
	}

	struct chunk *chunk = (struct chunk *)va;

	chunk->used_pages = 0;
	for (size_t i = 0; i < CHUNK_PAGES / 64; i++)
		chunk->mapped[i] = 0;
	for (size_t i = 0; i < CHUNK_PAGES; i++)
		chunk->kind[i] = PAGE_NONE;
	chunk->leaves = 0;
	set_mapped(chunk, 0, pages, true);
	set_leaves(chunk, 0, pages, true);
	link_first(chunk);
	heap.book_pages += CHUNK_BOOK_PAGES;
	pages_add_free(page_number(chunk) + (pageno_t)CHUNK_BOOK_PAGES, (uint32_t)(pages - CHUNK_BOOK_PAGES));
	return chunk;
}

/* Take apart a chunk of which no page is in use: unlink its free runs, unmap all of it, give its addresses back. */
static void destroy_chunk(struct chunk *chunk)
{
	const uint64_t *mapped = chunk->mapped;
	size_t books_end = next_page(mapped, 0, false), first, end;

	for (size_t page = next_page(mapped, CHUNK_BOOK_PAGES, true); page < CHUNK_PAGES;
	     page = next_page(mapped, page, true)) {
		pageno_t run = page_number(chunk) + (pageno_t)page;

		ASSERT(chunk->kind[page] == PAGE_FREE);
		page += page_info(run)->pages;
		pages_unlink_free(run);
	}
	unlink_chunk(chunk);
	heap.book_pages -= CHUNK_BOOK_PAGES;
	for (first = next_page(mapped, books_end, true); first < CHUNK_PAGES; first = next_page(mapped, end, true)) {
		end = next_page(mapped, first, false);
		chunk_unmap((vaddr_t)chunk + first * PAGE_SIZE, end - first);
	}
	/* The struct chunk is unmapped last, since the bits of `mapped` lie there. */
	chunk_unmap((vaddr_t)chunk, books_end);
	heap.backend->release(heap.backend->ctx, (vaddr_t)chunk, CHUNK_SIZE);
}

/*
 * Choose which of the free pages [first, end) of `chunk` to unmap: at most `excess` and at most UNMAP_MOST pages, in
 * whole steps of `step` pages, and without splitting a 2 MiB leaf. [*ret_first, *ret_end) is empty when no pages can be
 * unmapped.
 */
static void choose_pages(const struct chunk *chunk, size_t first, size_t end, uint64_t step, uint64_t excess,
			 size_t *ret_first, size_t *ret_end)
{
	size_t start = align_up(first, step);
	size_t stop = align_down(end, step);
	size_t most = align_down(excess < UNMAP_MOST ? excess : UNMAP_MOST, step);

	if (stop < CHUNK_PAGES && is_leaf(chunk, stop))
		stop = align_down(stop, LEAF_PAGES);
	if (stop > start && stop - start > most)
		start = stop - most;
	if (start < CHUNK_PAGES && is_leaf(chunk, start))
		start = align_up(start, LEAF_PAGES);
	*ret_first = start;
	*ret_end = stop > start ? stop : start;
}

bool chunk_unmap_run(pageno_t run, uint64_t keep, uint64_t step)
{
	struct chunk *chunk = chunk_of_page(run);
	pageno_t run_end = run + page_info(run)->pages;
	uint64_t excess = heap.free_pages - keep;
	size_t first, end;

	if (chunk->used_pages == 0 && free_pages_when_unused(chunk) <= (excess < UNMAP_MOST ? excess : UNMAP_MOST)) {
		heap.given_pages += free_pages_when_unused(chunk);
		destroy_chunk(chunk);
		return true;
	}
	choose_pages(chunk, run - page_number(chunk), run_end - page_number(chunk), step, excess, &first, &end);
	if (first == end)
		return false;

	pageno_t start = page_number(chunk) + (pageno_t)first;
	pageno_t stop = page_number(chunk) + (pageno_t)end;

	pages_unlink_free(run);
	set_mapped(chunk, first, end, false);
	set_leaves(chunk, first, end, false);
	chunk->kind[first] = PAGE_NONE;
	chunk->kind[end - 1] = PAGE_NONE;
	if (start > run)
		pages_add_free(run, start - run);
	if (run_end > stop)
		pages_add_free(stop, run_end - stop);
	unlink_chunk(chunk);
	link_first(chunk);
	heap.given_pages += stop - start;
	chunk_unmap((vaddr_t)page_address(start), stop - start);
	return true;
}

struct chunk *chunk_find(pageno_t page)
{
	struct chunk *first = NULL;

	for (struct chunk *chunk = heap.chunks; chunk; chunk = chunk->next) {
		if (page_number(chunk) + (pageno_t)CHUNK_PAGES > page && (!first || chunk < first))
			first = chunk;
	}
	return first;
}

bool chunk_map_run(uint32_t pages)
{
	unsigned holes = HOLES_MOST;

	for (struct chunk *chunk = heap.chunks; chunk && !is_full(chunk) && holes; chunk = chunk->next) {
		if (grow_chunk(chunk, pages, &holes))
			return true;
	}

	struct chunk *chunk = make_chunk();

	if (!chunk)
		return false;
	holes = 1;
	if (free_pages_when_unused(chunk) >= pages || grow_chunk(chunk, pages, &holes))
		return true;
	destroy_chunk(chunk);
	return false;
}
