/*
 * The heap's backend on the host: a range of addresses from the system, windows of it from our window
 * allocator, memory from mprotect, 4 KiB pages as malloc's own. Counts what is mapped, and can fail at the n-th call.
 * A header, so that a test or a benchmark stays one file: included once a program.
 */
#pragma once

#include <stdlib.h>
#include <sys/mman.h>

#include "kernel/lib/panic.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/window.h"
#include "paging/layout.h"

/* The heap's own range is as large as the kernel's. */
#define HEAP_HOST_SIZE  HEAP_SIZE
#define HEAP_HOST_ALIGN (16ULL << 20)
#define HEAP_HOST_RANGE (HEAP_HOST_SIZE + HEAP_HOST_ALIGN)

struct heap_host {
	void *range; /* from the system */
	struct windows windows;
	struct heap_backend backend;
	uint64_t mapped;                             /* bytes */
	uint64_t most;                               /* of them, ever */
	uint64_t calls;                              /* of reserve and map */
	uint64_t fail_at;                            /* the call that fails, counted from 1; 0: none */
	uint8_t leaf[HEAP_HOST_SIZE / PAGE_SIZE_2M]; /* 1: mapped in one call, and so perhaps by one leaf */
	uint64_t fail_above; /* map fails when more than this many bytes would be mapped; 0: never */
};

static void *heap_host_page_alloc(void *ctx)
{
	void *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	(void)ctx;
	return page;
}

static void heap_host_page_free(void *ctx, void *page)
{
	(void)ctx;
	free(page);
}

static const struct window_seam heap_host_seam = { heap_host_page_alloc, heap_host_page_free, NULL };

static bool heap_host_fails(struct heap_host *host)
{
	return ++host->calls == host->fail_at;
}

static enum status heap_host_reserve(void *ctx, uint64_t size, uint64_t align, vaddr_t *ret_base)
{
	struct heap_host *host = ctx;

	if (heap_host_fails(host))
		return ERR_NO_MEMORY;
	return window_reserve(&host->windows, size, align, WINDOW_GUARD_NONE, ret_base);
}

static void heap_host_release(void *ctx, vaddr_t base, uint64_t size)
{
	struct heap_host *host = ctx;
	struct window window;

	if (window_find(&host->windows, base, &window) != OK || window.base != base || window.size != size)
		panic("release of a range that was not reserved: %#lx, %#lx bytes", base, size);
	ASSERT(window_release(&host->windows, base) == OK);
}

/* The 2 MiB pieces that [va, va + size) touches are all mapped in one call, or unmapped whole. */
static void heap_host_set_leaves(struct heap_host *host, vaddr_t va, uint64_t size, uint8_t value)
{
	for (vaddr_t at = align_down(va, PAGE_SIZE_2M); at < va + size; at += PAGE_SIZE_2M) {
		uint8_t *leaf = &host->leaf[(at - host->backend.base) / PAGE_SIZE_2M];

		if (at >= va && at + PAGE_SIZE_2M <= va + size)
			*leaf = value;
		else if (*leaf)
			panic("map or unmap of %#lx, %#lx bytes cuts a leaf", va, size);
	}
}

static enum status heap_host_map(void *ctx, vaddr_t va, uint64_t size)
{
	struct heap_host *host = ctx;

	if (heap_host_fails(host) || (host->fail_above && host->mapped + size > host->fail_above))
		return ERR_NO_MEMORY;
	if (mprotect((void *)va, size, PROT_READ | PROT_WRITE) != 0)
		return ERR_NO_MEMORY;
	heap_host_set_leaves(host, va, size, 1);
	host->mapped += size;
	if (host->mapped > host->most)
		host->most = host->mapped;
	return OK;
}

static void heap_host_unmap(void *ctx, vaddr_t va, uint64_t size)
{
	struct heap_host *host = ctx;
	void *p = mmap((void *)va, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	ASSERT(p == (void *)va);
	heap_host_set_leaves(host, va, size, 0);
	host->mapped -= size;
}

/* Start the heap on a fresh range of addresses. */
static void heap_host_init(struct heap_host *host, uint64_t step)
{
	void *p = mmap(NULL, HEAP_HOST_RANGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT(p != MAP_FAILED);
	*host = (struct heap_host){ .range = p };
	host->backend = (struct heap_backend){
		.ctx = host,
		.reserve = heap_host_reserve,
		.release = heap_host_release,
		.map = heap_host_map,
		.unmap = heap_host_unmap,
		.base = align_up((vaddr_t)p, HEAP_HOST_ALIGN),
		.size = HEAP_HOST_SIZE,
		.step = step,
	};
	ASSERT(windows_init(&host->windows, host->backend.base, HEAP_HOST_SIZE, &heap_host_seam) == OK);
	ASSERT(heap_init(&host->backend) == OK);
}

/* End it, whatever is still allocated. Not in a benchmark, which ends its process instead. */
static inline void heap_host_destroy(struct heap_host *host)
{
	windows_destroy(&host->windows);
	ASSERT(munmap(host->range, HEAP_HOST_RANGE) == 0);
}
