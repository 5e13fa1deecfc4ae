/*
 * Blocks above 4 MiB: each has an address range and a mapping of its own, exact to the page, and goes back to the
 * backend at once when it is freed. The block's bookkeeping (struct chunk's first pages) lies in front of it:
 *
 *   window         bookkeeping (2 pages)             data: aligned, a 2 MiB boundary at least
 *   |...unmapped...|#|..........unmapped.............|##########################|
 *                  ^ a multiple of 16 MiB, found by masking (data - 1)
 */
#include "kernel/mm/heap/heap_internal.h"

/*
 * Return the distance from the bookkeeping to the data: enough for the alignment, and so short that masking (data - 1)
 * finds the bookkeeping.
 */
static uint64_t data_offset(uint64_t align)
{
	if (align < PAGE_SIZE_2M)
		return PAGE_SIZE_2M;
	return align < CHUNK_SIZE ? align : CHUNK_SIZE;
}

static void *map_large(vaddr_t window, uint64_t window_size, vaddr_t data, uint64_t size)
{
	struct chunk *chunk = chunk_of_block((void *)data);

	if (!chunk_map((vaddr_t)chunk, LARGE_BOOK_PAGES))
		return NULL;
	if (!chunk_map(data, size / PAGE_SIZE)) {
		chunk_unmap((vaddr_t)chunk, LARGE_BOOK_PAGES);
		return NULL;
	}
	heap.book_pages += LARGE_BOOK_PAGES;
	for (size_t i = 0; i < CHUNK_PAGES; i++)
		chunk->kind[i] = PAGE_NONE;
	chunk->kind[page_in_chunk((void *)data)] = PAGE_LARGE;
	chunk->large.window = window;
	chunk->large.window_size = window_size;
	chunk->large.data = data;
	chunk->large.size = size;
	return (void *)data;
}

/* Reserve addresses and map a block. Returns NULL when either fails, with nothing changed. */
static void *try_large(uint64_t size, uint64_t align)
{
	const struct heap_backend *backend = heap.backend;
	uint64_t offset = data_offset(align);
	uint64_t lead = align > CHUNK_SIZE ? align - CHUNK_SIZE : 0;
	uint64_t window_size = lead + offset + size;
	vaddr_t window;

	if (backend->reserve(backend->ctx, window_size, align > CHUNK_SIZE ? align : CHUNK_SIZE, &window) != OK)
		return NULL;

	void *data = map_large(window, window_size, window + lead + offset, size);

	if (!data)
		backend->release(backend->ctx, window, window_size);
	return data;
}

void *large_alloc(uint64_t size, uint64_t align)
{
	heap_flags_t flags;
	struct heap_cpu *cpu = heap_cpu_enter(&flags);

	size = align_up(size, PAGE_SIZE);
	heap_lock(&heap.lock);

	void *data = try_large(size, align);

	heap_unlock(&heap.lock);
	if (!data) {
		/* Give back free blocks and free pages of the heap, and try again with their frames. */
		magazines_drain_cpu(cpu);
		magazines_drain_some(cpu);
		heap_lock(&heap.lock);
		reserve_shrink(size / PAGE_SIZE);
		data = try_large(size, align);
		heap_unlock(&heap.lock);
	}
	heap_cpu_leave(flags);
	return data;
}

void large_free(struct chunk *chunk, void *block)
{
	const struct heap_backend *backend = heap.backend;
	heap_flags_t flags;

	heap_cpu_enter(&flags);
	heap_lock(&heap.lock);

	vaddr_t window = chunk->large.window;
	uint64_t window_size = chunk->large.window_size;

	chunk_unmap((vaddr_t)block, chunk->large.size / PAGE_SIZE);
	chunk_unmap((vaddr_t)chunk, LARGE_BOOK_PAGES);
	heap.book_pages -= LARGE_BOOK_PAGES;
	backend->release(backend->ctx, window, window_size);
	heap_unlock(&heap.lock);
	heap_cpu_leave(flags);
}

bool large_resize(struct chunk *chunk, uint64_t size)
{
	heap_flags_t flags;

	if (size > chunk->large.size)
		return false;
	/* The data starts at a 2 MiB boundary; shortening to such a boundary cuts no 2 MiB leaf. */
	size = align_up(size, PAGE_SIZE_2M);
	heap_cpu_enter(&flags);
	heap_lock(&heap.lock);
	if (size < chunk->large.size) {
		chunk_unmap(chunk->large.data + size, (chunk->large.size - size) / PAGE_SIZE);
		chunk->large.size = size;
	}
	heap_unlock(&heap.lock);
	heap_cpu_leave(flags);
	return true;
}
