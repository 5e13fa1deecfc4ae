/*
 * Chunks: 16 MiB ranges of addresses that are mapped as far as needed. Maps and unmaps parts of them, and records what
 * is mapped. Knows nothing of blocks, and does not decide when to grow or shrink: heap_reserve.c does.
 */
#include "kernel/mm/heap/heap_internal.h"

#include "kernel/lib/panic.h"

#define LEAF_GRANULES (LEAF_PAGES / GRANULE_PAGES)
#define GROW_FRACTION 64 /* grow by this part of what is mapped, so that the heap grows in few steps */

/* The first granule that has pages to hand out. The chunk's bookkeeping (struct chunk) may end inside it. */
#define FIRST_GRANULE (CHUNK_BOOK_PAGES / GRANULE_PAGES)

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

static bool is_mapped(const struct chunk *chunk, size_t granule)
{
	return chunk->mapped[granule / 64] >> (granule % 64) & 1;
}

static void set_mapped(struct chunk *chunk, size_t first, size_t end, bool mapped)
{
	for (size_t granule = first; granule < end; granule++) {
		uint64_t bit = 1ULL << (granule % 64);

		if (mapped)
			chunk->mapped[granule / 64] |= bit;
		else
			chunk->mapped[granule / 64] &= ~bit;
	}
}

static bool is_leaf(const struct chunk *chunk, size_t granule)
{
	return chunk->leaves >> (granule / LEAF_GRANULES) & 1;
}

/*
 * Set or clear the leaf bits of the 2 MiB pieces inside the granules [first, end), which were mapped, or are to be
 * unmapped, in one go.
 */
static void set_leaves(struct chunk *chunk, size_t first, size_t end, bool mapped)
{
	for (size_t leaf = align_up(first, LEAF_GRANULES) / LEAF_GRANULES; leaf < end / LEAF_GRANULES; leaf++) {
		if (mapped)
			chunk->leaves |= 1U << leaf;
		else
			chunk->leaves &= ~(1U << leaf);
	}
}

static bool is_full(const struct chunk *chunk)
{
	uint64_t all = ~0ULL;

	for (size_t i = 0; i < CHUNK_GRANULES / 64; i++)
		all &= chunk->mapped[i];
	return all == ~0ULL;
}

static uint32_t free_pages_when_unused(const struct chunk *chunk)
{
	int granules = 0;

	for (size_t i = 0; i < CHUNK_GRANULES / 64; i++)
		granules += __builtin_popcountll(chunk->mapped[i]);
	return (uint32_t)(granules * (int)GRANULE_PAGES) - (uint32_t)CHUNK_BOOK_PAGES;
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
 * Put a chunk with room first in the list. Full chunks come last, so that growing looks no further than to the first of
 * them.
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

static pageno_t granule_page(struct chunk *chunk, size_t granule)
{
	return page_number(chunk) + (pageno_t)(granule * GRANULE_PAGES);
}

/*
 * Map the granules [first, end) of `chunk` and add their pages to the free ones. Returns false when there is no memory.
 */
static bool map_granules(struct chunk *chunk, size_t first, size_t end)
{
	uint64_t pages = (end - first) * GRANULE_PAGES;

	if (!chunk_map((vaddr_t)chunk + first * GRANULE_SIZE, pages))
		return false;
	set_mapped(chunk, first, end, true);
	set_leaves(chunk, first, end, true);
	pages_add_free(granule_page(chunk, first), (uint32_t)pages);
	if (is_full(chunk)) {
		unlink_chunk(chunk);
		link_last(chunk);
	}

	uint64_t regret = pages < heap.given_pages ? pages : heap.given_pages;

	heap.given_pages -= regret;
	heap.regret_pages += regret;
	return true;
}

/* Return how far to map when the granules [first, first + need) are needed and the hole goes on to `end`. */
static size_t grow_end(size_t first, size_t need, size_t end)
{
	size_t step = heap.backend->step / GRANULE_SIZE;
	size_t more = heap.mapped_pages / GROW_FRACTION / GRANULE_PAGES;

	if (more > LEAF_GRANULES)
		more = LEAF_GRANULES;
	if (need < more)
		need = more;

	size_t wanted = align_up(first + need, step);

	return wanted < end ? wanted : end;
}

/*
 * Map more of `chunk`: find a hole that has room for `pages`, the free pages right before it included. Returns false
 * when there is no such hole, or no memory.
 */
static bool grow_chunk(struct chunk *chunk, uint32_t pages)
{
	for (size_t first = FIRST_GRANULE; first < CHUNK_GRANULES; first++) {
		if (is_mapped(chunk, first))
			continue;

		size_t end = first + 1;

		while (end < CHUNK_GRANULES && !is_mapped(chunk, end))
			end++;

		uint32_t before = pages_free_before(granule_page(chunk, first));
		size_t need = (pages - before + GRANULE_PAGES - 1) / GRANULE_PAGES;

		if (need <= end - first) {
			if (map_granules(chunk, first, grow_end(first, need, end)))
				return true;
			/* grow_end() adds more than is needed: there may be memory for what is needed alone. */
			return map_granules(chunk, first, first + need);
		}
		first = end;
	}
	return false;
}

/* Make a chunk: map its struct chunk, and add the pages that are mapped with it to the free ones. NULL: no memory. */
static struct chunk *make_chunk(void)
{
	const struct heap_backend *backend = heap.backend;
	uint64_t least = align_up(CHUNK_BOOK_PAGES, GRANULE_PAGES) / GRANULE_PAGES;
	uint64_t granules = align_up(least, backend->step / GRANULE_SIZE);
	vaddr_t va;

	if (backend->reserve(backend->ctx, CHUNK_SIZE, CHUNK_SIZE, &va) != OK)
		return NULL;
	if (!chunk_map(va, granules * GRANULE_PAGES)) {
		granules = least;
		if (!chunk_map(va, granules * GRANULE_PAGES)) {
			backend->release(backend->ctx, va, CHUNK_SIZE);
			return NULL;
		}
	}

	struct chunk *chunk = (struct chunk *)va;

	chunk->used_pages = 0;
	for (size_t i = 0; i < CHUNK_GRANULES / 64; i++)
		chunk->mapped[i] = 0;
	for (size_t i = 0; i < CHUNK_PAGES; i++)
		chunk->kind[i] = PAGE_NONE;
	chunk->leaves = 0;
	set_mapped(chunk, 0, granules, true);
	set_leaves(chunk, 0, granules, true);
	link_first(chunk);
	heap.book_pages += CHUNK_BOOK_PAGES;
	pages_add_free(page_number(chunk) + (pageno_t)CHUNK_BOOK_PAGES,
		       (uint32_t)(granules * GRANULE_PAGES - CHUNK_BOOK_PAGES));
	return chunk;
}

/* Take apart a chunk of which no page is in use: unlink its free runs, unmap all of it, give its addresses back. */
static void destroy_chunk(struct chunk *chunk)
{
	uint64_t mapped[CHUNK_GRANULES / 64];

	for (size_t i = 0; i < CHUNK_GRANULES / 64; i++)
		mapped[i] = chunk->mapped[i];
	for (pageno_t page = CHUNK_BOOK_PAGES; page < CHUNK_PAGES;) {
		if (!is_mapped(chunk, page / GRANULE_PAGES)) {
			page += GRANULE_PAGES;
			continue;
		}

		pageno_t run = page_number(chunk) + page;

		ASSERT(chunk->kind[page] == PAGE_FREE);
		page += page_info(run)->pages;
		pages_unlink_free(run);
	}
	unlink_chunk(chunk);
	heap.book_pages -= CHUNK_BOOK_PAGES;
	for (size_t first = 0; first < CHUNK_GRANULES;) {
		size_t end = first;

		while (end < CHUNK_GRANULES && mapped[end / 64] >> (end % 64) & 1)
			end++;
		if (end > first)
			chunk_unmap((vaddr_t)chunk + first * GRANULE_SIZE, (end - first) * GRANULE_PAGES);
		first = end + 1;
	}
	heap.backend->release(heap.backend->ctx, (vaddr_t)chunk, CHUNK_SIZE);
}

/*
 * Choose which granules of `chunk` inside the free pages [first, end) to unmap: whole steps of `step` granules, at most
 * `excess` pages, and no part of a leaf alone. The range is empty when there are none.
 */
static void choose_granules(const struct chunk *chunk, size_t first, size_t end, uint64_t step, uint64_t excess,
			    size_t *ret_first, size_t *ret_end)
{
	size_t start = align_up(align_up(first, GRANULE_PAGES) / GRANULE_PAGES, step);
	size_t stop = align_down(end / GRANULE_PAGES, step);
	size_t most = align_down(excess / GRANULE_PAGES, step);

	if (stop < CHUNK_GRANULES && is_leaf(chunk, stop))
		stop = align_down(stop, LEAF_GRANULES);
	if (stop > start && stop - start > most)
		start = stop - most;
	if (start < CHUNK_GRANULES && is_leaf(chunk, start))
		start = align_up(start, LEAF_GRANULES);
	*ret_first = start;
	*ret_end = stop > start ? stop : start;
}

bool chunk_unmap_run(pageno_t run, uint64_t keep)
{
	struct chunk *chunk = chunk_of_page(run);
	pageno_t run_end = run + page_info(run)->pages;
	uint64_t excess = heap.free_pages - keep;
	size_t first, end;

	if (chunk->used_pages == 0 && free_pages_when_unused(chunk) <= excess) {
		heap.given_pages += free_pages_when_unused(chunk);
		destroy_chunk(chunk);
		return true;
	}
	/*
	 * When no page is to be kept, also pieces smaller than a step are unmapped: when memory was short, smaller
	 * pieces may have been mapped.
	 */
	choose_granules(chunk, run - page_number(chunk), run_end - page_number(chunk),
			keep ? heap.backend->step / GRANULE_SIZE : 1, excess, &first, &end);
	if (first == end)
		return false;

	pageno_t start = granule_page(chunk, first);
	pageno_t stop = granule_page(chunk, end);

	pages_unlink_free(run);
	set_mapped(chunk, first, end, false);
	set_leaves(chunk, first, end, false);
	chunk->kind[first * GRANULE_PAGES] = PAGE_NONE;
	chunk->kind[end * GRANULE_PAGES - 1] = PAGE_NONE;
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

bool chunk_map_run(uint32_t pages)
{
	for (struct chunk *chunk = heap.chunks; chunk && !is_full(chunk); chunk = chunk->next) {
		if (grow_chunk(chunk, pages))
			return true;
	}

	struct chunk *chunk = make_chunk();

	if (!chunk)
		return false;
	if (free_pages_when_unused(chunk) >= pages || grow_chunk(chunk, pages))
		return true;
	destroy_chunk(chunk);
	return false;
}
