/*
 * Maps and unmaps kernel stacks, and keeps freed ones for later.
 */
#include "kernel/mm/heap/kernel_stack.h"

#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/kernel_heap.h"
#include "kernel/mm/space/kernel_space.h"

#define STACK_PAGES (KERNEL_STACK_SIZE / PAGE_SIZE)

/* The most free stacks that stay mapped: 1 MiB. */
#define KEPT_MAX 64

/*
 * How many free stacks are unmapped together. Every flush of kernel memory interrupts all other CPUs and waits for
 * them, which takes long under a hypervisor whose host has much to do; so one flush serves that many stacks.
 */
#define UNMAPPED_AT_ONCE 32

/* Guard: tasks only, which the kernel does not preempt. */
static vaddr_t kept[KEPT_MAX]; /* the free stacks that stay mapped */
static size_t kept_count;
static paddr_t unmapped[UNMAPPED_AT_ONCE * STACK_PAGES]; /* unmap_some()'s frames, until the flush */

/* Map a stack with new frames. Returns false when there is no memory; nothing is mapped then. */
static bool map_stack(vaddr_t base)
{
	struct frame_cache *cache = frame_cache_here();
	struct tlb_flush flush = TLB_FLUSH_NONE;
	paddr_t frames[STACK_PAGES];
	size_t mapped = 0;

	if (frame_alloc_many(cache, STACK_PAGES, frames) != OK)
		return false;
	while (mapped < STACK_PAGES &&
	       space_map(&kernel_space, base + mapped * PAGE_SIZE, frames[mapped], 1, PROT_W | PROT_GLOBAL) == OK)
		mapped++;
	if (mapped == STACK_PAGES)
		return true;
	if (mapped) {
		if (space_unmap(&kernel_space, base, mapped, &flush) != OK)
			panic("kernel stack at %#llx cannot be unmapped", (unsigned long long)base);
		context_flush(&kernel_context, &flush);
	}
	frame_free_many(cache, STACK_PAGES, frames);
	return false;
}

/* Unmap a stack, and give its window back: neither its frames nor the window may be used again before the flush. */
static void unmap_stack(vaddr_t base, struct tlb_flush *flush, paddr_t ret_frames[STACK_PAGES])
{
	struct mapping m;

	for (size_t i = 0; i < STACK_PAGES; i++) {
		if (space_lookup(&kernel_space, base + i * PAGE_SIZE, &m) != OK)
			panic("no kernel stack at %#llx", (unsigned long long)base);
		ret_frames[i] = m.pa;
	}
	if (space_unmap(&kernel_space, base, STACK_PAGES, flush) != OK || window_release(&kernel_windows, base) != OK)
		panic("kernel stack at %#llx cannot be unmapped", (unsigned long long)base);
}

/* Unmap up to UNMAPPED_AT_ONCE of the stacks that are kept. Call in the kernel context. Returns how many frames. */
static size_t unmap_some(void)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;
	size_t frames = 0;

	for (; kept_count && frames < UNMAPPED_AT_ONCE * STACK_PAGES; frames += STACK_PAGES)
		unmap_stack(kept[--kept_count], &flush, &unmapped[frames]);
	context_flush(&kernel_context, &flush);
	frame_free_many(frame_cache_here(), frames, unmapped);
	return frames;
}

vaddr_t kernel_stack_alloc(void)
{
	context_token_t token;
	vaddr_t base;

	if (kept_count)
		return kept[--kept_count];
	token = kernel_context_enter();
	if (window_reserve(&kernel_windows, KERNEL_STACK_SIZE, PAGE_SIZE, WINDOW_GUARD_BELOW, &base) != OK) {
		base = 0;
	} else if (!map_stack(base)) {
		if (window_release(&kernel_windows, base) != OK)
			panic("no window for a kernel stack at %#llx", (unsigned long long)base);
		base = 0;
	}
	kernel_context_leave(token);
	return base;
}

void kernel_stack_free(vaddr_t stack)
{
	context_token_t token;

	if (kept_count == KEPT_MAX) {
		token = kernel_context_enter();
		(void)unmap_some();
		kernel_context_leave(token);
	}
	kept[kept_count++] = stack;
}

size_t kernel_stack_trim(void)
{
	context_token_t token = kernel_context_enter();
	size_t frames = 0;

	while (kept_count)
		frames += unmap_some();
	kernel_context_leave(token);
	return frames;
}
