/*
 * Runs of pages inside the chunks: which are free, finding one, joining neighbours. Keeps the bins (lists of free runs
 * by length) and kind[] at both ends of each run. Maps nothing: heap_chunk.c brings pages and takes them away, when
 * heap_reserve.c says so.
 *
 * A free run lies in the bin of its length: one bin for each length up to 15 pages, then sixteen to each doubling. A
 * bit for each bin says which are not empty, so a run that surely fits is found in a few instructions (the idea of
 * TLSF: Masmano et al., "TLSF: a New Dynamic Memory Allocator for Real-Time Systems").
 */
#include "kernel/mm/heap/heap_internal.h"

#define BINS_PER_DOUBLING 16
#define BINS_LOG2         4

/* How many runs to look at in the bin of the wanted length, which has shorter ones too, before a higher bin is used. */
#define TRIES_IN_BIN 32

/*
 * Blocks of at least this many pages are cut from the end of a free run, smaller ones from its start, so that large and
 * small blocks lie apart.
 */
#define FROM_THE_END 16

static uint32_t bin_of(uint32_t pages)
{
	if (pages < BINS_PER_DOUBLING)
		return pages;

	uint32_t log2 = 31 - (uint32_t)__builtin_clz(pages);

	return BINS_PER_DOUBLING * (log2 - BINS_LOG2 + 1) + ((pages >> (log2 - BINS_LOG2)) & (BINS_PER_DOUBLING - 1));
}

/* Return the first bin whose runs are all at least `pages` long. */
static uint32_t bin_above(uint32_t pages)
{
	if (pages < BINS_PER_DOUBLING)
		return pages;

	uint32_t log2 = 31 - (uint32_t)__builtin_clz(pages);

	return bin_of(pages + (1U << (log2 - BINS_LOG2)) - 1);
}

static uint8_t *kind_of(pageno_t page)
{
	return &chunk_of_page(page)->kind[page & (CHUNK_PAGES - 1)];
}

static bool starts_chunk(pageno_t page)
{
	return (page & (CHUNK_PAGES - 1)) == 0;
}

static void link_free(pageno_t first, uint32_t pages)
{
	struct page_info *info = page_info(first);
	uint32_t bin = bin_of(pages);
	pageno_t head = heap.bins[bin];

	*kind_of(first) = PAGE_FREE;
	*kind_of(first + pages - 1) = PAGE_FREE;
	page_info(first + pages - 1)->back = (uint16_t)(pages - 1);
	info->pages = pages;
	info->prev = 0;
	info->next = head;
	if (head)
		page_info(head)->prev = first;
	heap.bins[bin] = first;
	heap.bin_bits[bin / 64] |= 1ULL << (bin % 64);
	heap.free_pages += pages;
}

void pages_unlink_free(pageno_t first)
{
	struct page_info *info = page_info(first);
	uint32_t bin = bin_of(info->pages);

	if (info->next)
		page_info(info->next)->prev = info->prev;
	if (info->prev)
		page_info(info->prev)->next = info->next;
	else
		heap.bins[bin] = info->next;
	if (!heap.bins[bin])
		heap.bin_bits[bin / 64] &= ~(1ULL << (bin % 64));
	heap.free_pages -= info->pages;
	*kind_of(first) = PAGE_NONE;
	*kind_of(first + info->pages - 1) = PAGE_NONE;
}

/* Return a free run of at least `pages`, or 0. */
static pageno_t find_free(uint32_t pages)
{
	/*
	 * The bin for runs of `pages` pages may also hold runs that are a little shorter or longer. This bin is
	 * searched first, since a tight fit leaves longer runs whole.
	 */
	pageno_t run = heap.bins[bin_of(pages)];

	for (int tries = 0; run && tries < TRIES_IN_BIN; tries++, run = page_info(run)->next) {
		if (page_info(run)->pages >= pages)
			return run;
	}

	uint32_t bin = bin_above(pages);
	uint64_t bits = bin < BINS ? heap.bin_bits[bin / 64] & (~0ULL << (bin % 64)) : 0;

	for (size_t word = bin / 64; word < sizeof(heap.bin_bits) / sizeof(heap.bin_bits[0]);) {
		if (bits)
			return heap.bins[word * 64 + (size_t)__builtin_ctzll(bits)];
		if (++word < sizeof(heap.bin_bits) / sizeof(heap.bin_bits[0]))
			bits = heap.bin_bits[word];
	}
	return 0;
}

/* Cut `pages` pages at a multiple of `align` out of the free run `run`, which is long enough; returns the first one. */
static pageno_t carve(pageno_t run, uint32_t pages, uint32_t align)
{
	uint32_t total = page_info(run)->pages;
	pageno_t first = pages >= FROM_THE_END ? (pageno_t)align_down(run + total - pages, align)
					       : (pageno_t)align_up(run, align);

	pages_unlink_free(run);
	if (first > run)
		link_free(run, first - run);
	if (first + pages < run + total)
		link_free(first + pages, run + total - first - pages);
	return first;
}

pageno_t pages_alloc(uint32_t pages, uint32_t align)
{
	pageno_t run = find_free(pages + align - 1);

	if (!run)
		return 0;

	pageno_t first = carve(run, pages, align);

	chunk_of_page(first)->used_pages += pages;
	return first;
}

uint32_t pages_free_before(pageno_t page)
{
	if (*kind_of(page - 1) != PAGE_FREE)
		return 0;
	return page_info(page - 1)->back + 1U;
}

/* Link a run that has become free, joined with the free runs beside it. Returns where the joined run starts. */
static pageno_t join_free(pageno_t first, uint32_t pages)
{
	uint32_t before = pages_free_before(first);
	pageno_t after = first + pages;

	if (before) {
		first -= before;
		pages += before;
		pages_unlink_free(first);
	}
	if (!starts_chunk(after) && *kind_of(after) == PAGE_FREE) {
		pages += page_info(after)->pages;
		pages_unlink_free(after);
	}
	link_free(first, pages);
	return first;
}

void pages_add_free(pageno_t first, uint32_t pages)
{
	join_free(first, pages);
}

pageno_t pages_free(pageno_t first, uint32_t pages)
{
	chunk_of_page(first)->used_pages -= pages;
	*kind_of(first) = PAGE_NONE;
	*kind_of(first + pages - 1) = PAGE_NONE;
	return join_free(first, pages);
}

void pages_mark_run(pageno_t first, uint32_t pages)
{
	*kind_of(first + pages - 1) = PAGE_RUN_END;
	*kind_of(first) = PAGE_RUN;
	page_info(first)->pages = pages;
}

bool pages_extend(pageno_t first, uint32_t pages)
{
	uint32_t old = page_info(first)->pages;
	uint32_t more = pages - old;
	pageno_t after = first + old;

	if (starts_chunk(after) || *kind_of(after) != PAGE_FREE || page_info(after)->pages < more)
		return false;

	uint32_t rest = page_info(after)->pages - more;

	pages_unlink_free(after);
	if (rest)
		link_free(after + more, rest);
	chunk_of_page(first)->used_pages += more;
	*kind_of(after - 1) = PAGE_NONE;
	pages_mark_run(first, pages);
	return true;
}
