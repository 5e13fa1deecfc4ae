/*
 * Chunks: 16 MiB ranges of addresses that are mapped as far as they are needed. Owns what is
 * mapped, the growing, and the reserve that decides when memory goes back. Knows nothing of blocks.
 *
 * The reserve: free pages up to an eighth of what is mapped (2 MiB at least) stay. Memory that is given back and soon
 * asked for again is a mistake that costs a mapping and a flush; each such page widens the reserve by one (the regret),
 * and each tick without takes half of that away again.
 */
#include "kernel/mm/heap_internal.h"

#include "kernel/lib/panic.h"

#define LEAF_GRANULES    (LEAF_PAGES / GRANULE_PAGES)
#define RESERVE_MIN      LEAF_PAGES
#define RESERVE_FRACTION 4
#define SCATTER_FRACTION 3
#define GROW_FRACTION    64 /* grow by this part of what is mapped, so that steps are few */

/* First granule that has pages to hand out. The books may end inside it. */
#define FIRST_GRANULE (CHUNK_BOOK_PAGES / GRANULE_PAGES)

/* magazines_drain_before_growing reads it without the lock. */
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

/* Chunks with room come first in the list, so that growing looks no further than to the first full one. */
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

/* Map the granules [first, end) of `chunk` and make their pages free ones. */
static bool map_granules(struct chunk *chunk, size_t first, size_t end)
{
	uint64_t pages = (end - first) * GRANULE_PAGES;

	if (!chunk_map((vaddr_t)chunk + first * GRANULE_SIZE, pages))
		return false;
	set_mapped(chunk, first, end, true);
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

/* How far to map when granules [first, first + need) are needed and the hole goes on to `end`. */
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

/* Grow inside `chunk`: a hole that, with the free pages right before it, has room for `pages`. */
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
			/* Not all that would be nice, but all that is needed? */
			return map_granules(chunk, first, first + need);
		}
		first = end;
	}
	return false;
}

/* A chunk with its books mapped and the pages that come with them free, or NULL. */
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
	set_mapped(chunk, 0, granules, true);
	link_first(chunk);
	heap.book_pages += CHUNK_BOOK_PAGES;
	pages_add_free(page_number(chunk) + (pageno_t)CHUNK_BOOK_PAGES,
		       (uint32_t)(granules * GRANULE_PAGES - CHUNK_BOOK_PAGES));
	return chunk;
}

/* No page of `chunk` is used: unlink its free runs, unmap it, give its addresses back. */
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

static uint64_t reserve(void)
{
	uint64_t pages = heap.mapped_pages / RESERVE_FRACTION;

	return (pages > RESERVE_MIN ? pages : RESERVE_MIN) + heap.regret_pages;
}

/* Give back what of the free run `first` fills whole steps, or its chunk when that is unused, down to `keep`. */
static bool give_back(pageno_t first, uint64_t keep)
{
	uint64_t step = heap.backend->step / PAGE_SIZE;
	struct chunk *chunk = chunk_of_page(first);
	uint64_t excess = heap.free_pages - keep;

	if (chunk->used_pages == 0 && free_pages_when_unused(chunk) <= excess) {
		heap.given_pages += free_pages_when_unused(chunk);
		destroy_chunk(chunk);
		return true;
	}

	pageno_t run_end = first + page_info(first)->pages;
	pageno_t start = (pageno_t)align_up(first, step);
	pageno_t end = (pageno_t)align_down(run_end, step);

	if (end <= start || excess < step)
		return false;
	if (end - start > excess)
		start = end - (pageno_t)align_down(excess, step);

	size_t granule = (start & (CHUNK_PAGES - 1)) / GRANULE_PAGES;

	pages_unlink_free(first);
	set_mapped(chunk, granule, granule + (end - start) / GRANULE_PAGES, false);
	chunk->kind[start & (CHUNK_PAGES - 1)] = PAGE_NONE;
	chunk->kind[(end - 1) & (CHUNK_PAGES - 1)] = PAGE_NONE;
	if (start > first)
		pages_add_free(first, start - first);
	if (run_end > end)
		pages_add_free(end, run_end - end);
	unlink_chunk(chunk);
	link_first(chunk);
	heap.given_pages += end - start;
	chunk_unmap((vaddr_t)page_address(start), end - start);
	return true;
}

void chunk_give_back(pageno_t first)
{
	uint64_t keep = reserve();

	if (heap.free_pages > keep)
		give_back(first, keep);
}

/* Some free run that can be given back above `keep` has been. */
static bool trim_one(uint64_t keep)
{
	for (size_t bin = BINS; bin-- > 0;) {
		for (pageno_t run = heap.bins[bin]; run; run = page_info(run)->next) {
			if (give_back(run, keep))
				return true;
		}
	}
	return false;
}

static void shrink_to(uint64_t keep)
{
	while (heap.free_pages > keep && trim_one(keep))
		;
}

/*
 * Before growing by a run of `pages`: when much is free already but in pieces, give back as much as will be
 * mapped. Addresses are plenty and frames are not, so this is how the heap compacts: a run elsewhere for the pieces.
 */
static void swap_scattered(uint32_t pages)
{
	uint64_t given = heap.given_pages;

	if (heap.free_pages <= heap.mapped_pages / SCATTER_FRACTION)
		return;
	shrink_to(heap.free_pages > pages ? heap.free_pages - pages : 0);
	/* No mistake, and not to be regretted. */
	heap.given_pages = given;
}

static bool grow(uint32_t pages)
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

bool chunk_grow(uint32_t pages)
{
	uint64_t mapped = heap.mapped_pages;

	swap_scattered(pages);
	if (grow(pages))
		return true;
	/* Free pages that are too scattered for this run are of no use when there is no memory but them. */
	shrink_to(0);
	return heap.mapped_pages < mapped && grow(pages);
}

void chunk_trim(void)
{
	heap.given_pages = 0;
	heap.regret_pages = 0;
	shrink_to(0);
	heap.given_pages = 0;
}

void chunk_tick(void)
{
	heap.given_pages /= 2;
	heap.regret_pages /= 2;
	shrink_to(reserve());
}
