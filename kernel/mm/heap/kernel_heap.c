/*
 * Backs the heap with frames, mapped in PML4 slot 511, which all contexts share: by 2 MiB leaves where they fit and
 * such frames are free, by 4 KiB leaves elsewhere. Only the page tables record which frame lies where.
 *
 * Page tables and the windows' bookkeeping are reached through the direct map, and the heap may be called in any
 * context: so each of the four functions that the heap calls here enters the kernel context, and leaves it.
 */
#include "kernel/mm/heap/kernel_heap.h"

#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"

/*
 * On a machine with at least this many frames (512 MiB) the heap grows by 2 MiB at a time, one leaf each; on a smaller
 * one, where 2 MiB kept free would be too much, by 64 KiB.
 */
#define LARGE_STEP_FRAMES ((512ULL << 20) / PAGE_SIZE)

/* The most leaves that one TLB flush covers when memory is given back. */
#define BATCH 64

struct windows kernel_windows;

static enum status reserve(void *ctx, uint64_t size, uint64_t align, vaddr_t *ret_base)
{
	context_token_t token = kernel_context_enter();
	enum status status = window_reserve(ctx, size, align, WINDOW_GUARD_NONE, ret_base);

	kernel_context_leave(token);
	return status;
}

static void release(void *ctx, vaddr_t base, uint64_t size)
{
	context_token_t token = kernel_context_enter();

	(void)size;
	if (window_release(ctx, base) != OK)
		panic("heap: no window starts at %#llx", (unsigned long long)base);
	kernel_context_leave(token);
}

/* Map one leaf of new memory at `va`. On error nothing is mapped and no frame is lost. */
static enum status map_leaf(vaddr_t va, enum frame_size size)
{
	struct frame_cache *cache = frame_cache_here();
	enum status status;
	paddr_t pa;

	status = frame_alloc(cache, size, &pa);
	if (status != OK)
		return status;
	status = space_map(&kernel_space, va, pa, frame_size_frames(size), PROT_W | PROT_GLOBAL);
	if (status != OK)
		frame_free(cache, size, pa);
	return status;
}

struct leaf {
	paddr_t pa;
	enum frame_size size;
};

/* List the leaves from `va` on, at most BATCH, up to `end`. Returns how many; *ret_past is where the last one ends. */
static size_t find_leaves(vaddr_t va, vaddr_t end, struct leaf leaves[BATCH], vaddr_t *ret_past)
{
	size_t n = 0;

	for (; n < BATCH && va < end; n++) {
		struct mapping m;

		if (space_lookup(&kernel_space, va, &m) != OK || m.va != va)
			panic("heap: no leaf starts at %#llx", (unsigned long long)va);
		leaves[n] = (struct leaf){ m.pa, m.level == 1 ? FRAME_4K : FRAME_2M };
		va += level_size(m.level);
	}
	*ret_past = va;
	return n;
}

static void unmap(void *ctx, vaddr_t va, uint64_t size)
{
	context_token_t token = kernel_context_enter();
	vaddr_t end = va + size, past;

	(void)ctx;
	for (; va < end; va = past) {
		struct tlb_flush flush = TLB_FLUSH_NONE;
		struct leaf leaves[BATCH];
		size_t n = find_leaves(va, end, leaves, &past);

		/* Whole leaves are unmapped, so none is split, and nothing can fail. */
		if (past > end || space_unmap(&kernel_space, va, (past - va) / PAGE_SIZE, &flush) != OK)
			panic("heap: %#llx-%#llx cuts a leaf", (unsigned long long)va, (unsigned long long)end);
		context_flush(&kernel_context, &flush);
		while (n--)
			frame_free(frame_cache_here(), leaves[n].size, leaves[n].pa);
	}
	kernel_context_leave(token);
}

static enum status map(void *ctx, vaddr_t va, uint64_t size)
{
	context_token_t token = kernel_context_enter();
	vaddr_t start = va, end = va + size;
	enum status status = OK;

	while (va < end && status == OK) {
		bool large = is_aligned(va, PAGE_SIZE_2M) && end - va >= PAGE_SIZE_2M;

		if (large && map_leaf(va, FRAME_2M) == OK) {
			va += PAGE_SIZE_2M;
			continue;
		}
		status = map_leaf(va, FRAME_4K);
		if (status == OK)
			va += PAGE_SIZE;
	}
	if (status != OK && va > start)
		unmap(ctx, start, va - start);
	kernel_context_leave(token);
	return status;
}

uint64_t kernel_heap_step(void)
{
	return machine_frames.total >= LARGE_STEP_FRAMES ? PAGE_SIZE_2M : 64 * 1024;
}

void kernel_heap_init(void)
{
	/* Fixed after boot. */
	static struct heap_backend backend = {
		.ctx = &kernel_windows,
		.reserve = reserve,
		.release = release,
		.map = map,
		.unmap = unmap,
		.base = HEAP_BASE,
		.size = HEAP_SIZE,
	};

	backend.step = kernel_heap_step();
	if (windows_init(&kernel_windows, HEAP_BASE, HEAP_SIZE, &direct_map_pages) != OK || heap_init(&backend) != OK)
		panic("no memory for the kernel heap");
}
