/*
 * Starts and shrinks the heap, and reports its state. Allocates and frees no block.
 */
#include "kernel/mm/heap/heap_internal.h"
#include "kernel/mm/heap/heap_trim.h"

#include "kernel/arch/cpus.h"
#include "kernel/lib/string.h"
#include "kernel/sync/open_section.h"

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
	memset(per_cpu_pointer(heap_this_cpu), 0, sizeof(heap_this_cpu));
	heap.backend = backend;
	heap.base = backend->base;
	heap.links = (struct magazine_link *)links;
	heap.magazines = (struct magazine *)(links + links_size);
	magazines_init();
	classes_init();
	heap_debug_init();
	return OK;
}

/*
 * Give the free blocks that each CPU keeps back to their slabs. No other CPU takes or frees blocks meanwhile: the
 * caller's CPU has the kernel lock (kernel_lock.h), and open sections are closed.
 */
static void drain_cpus(struct heap_cpu *own)
{
#ifdef HOST_TEST
	magazines_drain_cpu(own);
#else
	(void)own;
	open_sections_close();
	CPUS_EACH(cpu)
		magazines_drain_cpu(per_cpu_of(cpu, heap_this_cpu));
	open_sections_allow();
#endif
}

bool heap_trim_step(struct heap_trim *trim)
{
	heap_flags_t flags;
	struct heap_cpu *cpu;
	bool more = true;

#if DEBUG
	if (trim->next == HEAP_TRIM_DEPOTS)
		heap_debug_flush();
#endif
	cpu = heap_cpu_enter(&flags);
	switch (trim->next) {
	case HEAP_TRIM_DEPOTS:
		if (!magazines_drain_some(cpu))
			trim->next = HEAP_TRIM_CPU;
		break;
	case HEAP_TRIM_CPU:
		drain_cpus(cpu);
		trim->next = HEAP_TRIM_PAGES;
		break;
	case HEAP_TRIM_PAGES:
		heap_lock(&heap.lock);
		if (!reserve_trim_some(&trim->page))
			trim->next = HEAP_TRIM_MAGAZINES;
		heap_unlock(&heap.lock);
		break;
	case HEAP_TRIM_MAGAZINES:
		more = magazines_trim_some(cpu);
		break;
	}
	heap_cpu_leave(flags);
	return more;
}

void heap_trim(void)
{
	struct heap_trim trim = HEAP_TRIM_START;

	while (heap_trim_step(&trim))
		;
}

void heap_tick(void)
{
	heap_flags_t flags;
	struct heap_cpu *cpu = heap_cpu_enter(&flags);

	magazines_drain_cpu(cpu);
	while (magazines_drain_some(cpu))
		;
	heap_lock(&heap.lock);
	reserve_tick();
	heap_unlock(&heap.lock);
	heap_cpu_leave(flags);
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
