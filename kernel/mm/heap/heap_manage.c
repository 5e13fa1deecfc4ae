/*
 * Starts and shrinks the heap, and reports its state. Allocates and frees no block.
 */
#include "kernel/mm/heap/heap_internal.h"

#include "kernel/lib/string.h"

#define BASE_MAX_SIZE (1ULL << (32 + PAGE_SHIFT)) /* page numbers have 32 bits */

enum status heap_init(const struct heap_backend *backend)
{
	uint64_t step = backend->step;
	uint64_t links_size = LINK_PAGES * PAGE_SIZE;
	vaddr_t links;

	if (!is_aligned(backend->base, CHUNK_SIZE) || backend->size == 0 || backend->size > BASE_MAX_SIZE)
		return ERR_RANGE;
	if (step < STEP_SIZE_MIN || step > PAGE_SIZE_2M || (step & (step - 1)) != 0)
		return ERR_RANGE;

	enum status status = backend->reserve(backend->ctx, links_size + MAGAZINES * MAGAZINE_SIZE, PAGE_SIZE, &links);

	if (status)
		return status;
	memset(&heap, 0, sizeof(heap));
	memset(&per_cpu(heap_this_cpu), 0, sizeof(heap_this_cpu));
	heap.backend = backend;
	heap.base = backend->base;
	heap.links = (struct magazine_link *)links;
	heap.magazines = (struct magazine *)(links + links_size);
	magazines_init();
	classes_init();
	heap_debug_init();
	return OK;
}

static void shrink(void (*shrink_chunks)(void))
{
	heap_flags_t flags;
	struct heap_cpu *cpu = heap_cpu_enter(&flags);

	magazines_drain_cpu(cpu);
	magazines_drain_depots(cpu);
	heap_lock(&heap.lock);
	shrink_chunks();
	heap_unlock(&heap.lock);
	heap_cpu_leave(flags);
}

void heap_trim(void)
{
#if DEBUG
	heap_debug_flush();
#endif
	shrink(reserve_trim);

	heap_flags_t flags;

	magazines_trim(heap_cpu_enter(&flags));
	heap_cpu_leave(flags);
}

void heap_tick(void)
{
	shrink(reserve_tick);
}

void heap_cpu_drain(void)
{
	heap_flags_t flags;

	magazines_drain_cpu(heap_cpu_enter(&flags));
	heap_cpu_leave(flags);
}

uint64_t heap_fail_nth(uint64_t n)
{
	uint64_t left = heap.fail_in;

	heap.fail_in = 0;
	heap_cpu_drain();
	heap.fail_every = 0;
	heap.fail_in = n;
	return left;
}

void heap_fail_every(uint64_t n)
{
	(void)heap_fail_nth(n);
	heap.fail_every = n;
}

struct heap_stats heap_get_stats(void)
{
	heap_flags_t flags;

	heap_cpu_enter(&flags);
	heap_lock(&heap.lock);

	struct heap_stats stats = {
		.mapped = heap.mapped_pages * PAGE_SIZE,
		.peak = heap.peak_pages * PAGE_SIZE,
		.free = heap.free_pages * PAGE_SIZE,
		.metadata = heap.book_pages * PAGE_SIZE,
		.grown = heap.grown,
		.returned = heap.returned,
	};

	heap_unlock(&heap.lock);
	heap_cpu_leave(flags);
	return stats;
}

void heap_report(void (*see)(void *ctx, const void *owner, uint64_t count, uint64_t bytes), void *ctx)
{
#if DEBUG
	heap_debug_report(see, ctx);
#else
	(void)see;
	(void)ctx;
#endif
}

void heap_check(void)
{
#if DEBUG
	heap_debug_check();
#endif
}
