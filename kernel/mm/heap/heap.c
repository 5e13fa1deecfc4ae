/*
 * The kernel heap: the functions of heap.h, and the few instructions that most calls need. Decides by a block's size
 * which of the layers below allocates it. Never prints.
 *
 *   kmalloc(size)                                              heap.c
 *     size -> class (a table)
 *     |
 *     v                        empty / full
 *   loaded magazine <-- pop, push            each CPU has      heap_magazine.c
 *   spare magazine  <-- swapped with it      its own two
 *     |
 *     v   a whole magazine at a time
 *   depot: full magazines of a class, lock-free; any CPU
 *     |
 *     v   a magazine's blocks at a time
 *   slabs: pages cut into blocks, with a bit for each block    heap_slab.c, heap_class.c
 *   and a lock for each class
 *     |
 *     v   runs of pages; one lock         <-- blocks of 32 KiB to 4 MiB come from here
 *   free runs in bins by length                                heap_pages.c
 *     |
 *     v   2 MiB at a time, or as little as 64 KiB
 *   chunks of 16 MiB addresses: mapped as needed               heap_chunk.c, heap_reserve.c
 *     |
 *     v                                   <-- blocks above 4 MiB come from here (heap_large.c)
 *   struct heap_backend: addresses, frames, page tables
 *
 *   A chunk:  | struct chunk: lists, kind[], info[], bits[] | pages of slabs, blocks and free runs ... |
 *             ^ the block's address with 24 bits masked off
 *
 * kfree finds the class by one byte: kind[] of the chunk, at the page of the block. No header stands before a block,
 * so 4 KiB buffers are whole pages, and the bytes that kfree reads lie close together: 4 KiB of kind[] for 16 MiB.
 *
 * Why magazines and not free lists through the blocks: a block that is passed to another CPU, freed there and handed
 * out again is not touched by the heap at all, so its cache lines move only when its users touch it; and a write
 * after kfree damages nobody's list.
 */
#include "kernel/mm/heap/heap_internal.h"

#include "kernel/lib/likely.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

/* ---- failing allocations for tests ---- */

static bool fail_now(void)
{
	if (likely(heap.fail_in == 0) || --heap.fail_in)
		return false;
	heap.fail_in = heap.fail_every;
	percpu_note_refusal();
	return true;
}

/* ---- blocks of a class ---- */

/*
 * Allocate when the loaded magazine is empty. Call after heap_cpu_enter(); this function calls heap_cpu_leave(). Before
 * it returns NULL it moves some free blocks from magazines back to the slabs and tries again. It does not move all,
 * which may be millions: heap_trim_step() does that, before the system call that has failed is made again.
 */
static __attribute__((noinline)) void *class_alloc_slow(struct heap_cpu *cpu, uint32_t class_id, heap_flags_t flags)
{
	void *block = NULL;

	if (unlikely(heap.fail_in != 0)) {
		if (!fail_now())
			block = magazine_bypass(cpu, class_id);
		heap_cpu_leave(flags);
		return block;
	}
	block = magazine_refill(cpu, class_id);
	if (!block && class_id) {
		magazines_drain_cpu(cpu);
		magazines_drain_some(cpu);
		block = magazine_refill(cpu, class_id);
	}
	heap_cpu_leave(flags);
	return block;
}

static __attribute__((noinline)) void class_free_slow(struct heap_cpu *cpu, uint32_t class_id, void *block,
						      heap_flags_t flags)
{
	magazine_spill(cpu, class_id, block);
	heap_cpu_leave(flags);
}

static inline void *class_alloc(uint32_t class_id)
{
	heap_flags_t flags;
	struct heap_cpu *cpu = heap_cpu_enter(&flags);
	struct heap_loaded *loaded = &cpu->loaded[class_id];
	uintptr_t top = loaded->top;

	if (unlikely((top & (MAGAZINE_SIZE - 1)) == 0))
		return class_alloc_slow(cpu, class_id, flags);

	void *block = *(void **)top;

	loaded->top = top - sizeof(void *);
	heap_cpu_leave(flags);
	return block;
}

static inline void class_free(uint32_t class_id, void *block)
{
	heap_flags_t flags;
	struct heap_cpu *cpu = heap_cpu_enter(&flags);
	struct heap_loaded *loaded = &cpu->loaded[class_id];
	uintptr_t top = loaded->top;

	if (unlikely(top == loaded->full)) {
		class_free_slow(cpu, class_id, block, flags);
		return;
	}
	top += sizeof(void *);
	*(void **)top = block;
	loaded->top = top;
	heap_cpu_leave(flags);
}

/* ---- blocks of whole pages ---- */

static uint32_t pages_of(size_t size)
{
	return (uint32_t)((size + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

/* Allocate a block of `size` bytes at a multiple of `align` pages. Size and alignment are at most RUN_MAX_SIZE. */
static void *run_alloc(size_t size, uint32_t align)
{
	heap_flags_t flags;
	uint32_t pages = pages_of(size);
	struct heap_cpu *cpu;

	if (fail_now())
		return NULL;
	cpu = heap_cpu_enter(&flags);
	heap_lock(&heap.lock);

	pageno_t first = reserve_alloc(pages, align, PAGES_MAPPED);

	if (!first) {
		/*
		 * First empty magazines of the depots if they hold much, since their free blocks may keep pages in use.
		 * Then let the heap grow. If it cannot, empty this CPU's magazines, too, and try once more.
		 */
		heap_unlock(&heap.lock);
		magazines_drain_before_growing(cpu);
		heap_lock(&heap.lock);
		first = reserve_alloc(pages, align, PAGES_GROW);
	}
	if (!first) {
		heap_unlock(&heap.lock);
		magazines_drain_cpu(cpu);
		magazines_drain_some(cpu);
		heap_lock(&heap.lock);
		first = reserve_alloc(pages, align, PAGES_GROW);
	}
	if (first)
		pages_mark_run(first, pages);
	heap_unlock(&heap.lock);
	heap_cpu_leave(flags);
	return first ? page_address(first) : NULL;
}

static void run_free(void *block)
{
	heap_flags_t flags;
	pageno_t first = page_number(block);

	heap_cpu_enter(&flags);
	heap_lock(&heap.lock);
	reserve_free(first, page_info(first)->pages);
	heap_unlock(&heap.lock);
	heap_cpu_leave(flags);
}

/* Change the block's length in place. Returns false when the pages behind it are in use. */
static bool run_resize(void *block, size_t size)
{
	heap_flags_t flags;
	pageno_t first = page_number(block);
	uint32_t pages = pages_of(size);
	bool done = true;

	heap_cpu_enter(&flags);
	heap_lock(&heap.lock);

	uint32_t old = page_info(first)->pages;

	if (pages > old) {
		done = pages_extend(first, pages);
	} else if (pages < old) {
		pages_mark_run(first, pages);
		reserve_free(first + pages, old - pages);
	}
	heap_unlock(&heap.lock);
	heap_cpu_leave(flags);
	return done;
}

/* ---- blocks of any size ---- */

static __attribute__((noinline)) void *big_alloc(size_t size)
{
	if (size <= SMALL_MAX)
		return class_alloc(class_of_size(size));
	if (size <= RUN_MAX_SIZE)
		return run_alloc(size, 1);
	if (size <= HEAP_ALLOC_MAX)
		return fail_now() ? NULL : large_alloc(size, PAGE_SIZE);
	return NULL;
}

/* Size 0 has class 0, whose magazines never hold a block. */
static inline void *raw_alloc(size_t size)
{
	if (likely(size <= TABLE_MAX))
		return class_alloc(heap_class_table[(size + SMALL_STEP - 1) / SMALL_STEP]);
	return big_alloc(size);
}

static __attribute__((noinline)) void big_free(struct chunk *chunk, uint8_t kind, void *block)
{
	if (kind == PAGE_RUN && is_aligned((uintptr_t)block, PAGE_SIZE))
		run_free(block);
	else if (kind == PAGE_LARGE && (vaddr_t)block == chunk->large.data)
		large_free(chunk, block);
	else
		panic("heap: %p is not a block", block);
}

static inline void raw_free(void *block)
{
	if (unlikely(!block))
		return;

	struct chunk *chunk = chunk_of_block(block);
	uint8_t kind = chunk->kind[page_in_chunk(block)];

	if (likely(kind - 1U < HEAP_CLASSES - 1U))
		class_free(kind, block);
	else
		big_free(chunk, kind, block);
}

void heap_raw_free(void *block)
{
	raw_free(block);
}

void *heap_raw_alloc_aligned(size_t size, size_t align)
{
	if (size == 0 || size > RAW_MAX || (align & (align - 1)) != 0 || align == 0 || align > PAGE_SIZE_1G)
		return NULL;
	if (align < HEAP_ALIGN)
		align = HEAP_ALIGN;
	if (align <= PAGE_SIZE && size <= SMALL_MAX) {
		/*
		 * Slabs start at a page, so a class whose size is a multiple of the alignment aligns its blocks. The
		 * largest class, of 32 KiB, always does, so the loop ends.
		 */
		uint32_t id = class_of_size(size);

		while (!is_aligned(heap_classes[id].size, align))
			id++;
		return class_alloc(id);
	}
	if (align <= RUN_MAX_SIZE && size <= RUN_MAX_SIZE)
		return run_alloc(size, align <= PAGE_SIZE ? 1 : pages_of(align));
	return fail_now() ? NULL : large_alloc(size, align);
}

size_t heap_raw_size(const void *block)
{
	const struct chunk *chunk = chunk_of_block(block);
	uint8_t kind = chunk->kind[page_in_chunk(block)];

	if (kind == PAGE_RUN)
		return (size_t)page_info(page_number(block))->pages << PAGE_SHIFT;
	if (kind == PAGE_LARGE)
		return chunk->large.size;
	if (kind == PAGE_NONE || kind >= HEAP_CLASSES)
		panic("heap: %p is not a block", block);
	return heap_classes[kind].size;
}

/*
 * Give the block the new length without moving it, or find that it is long enough, and not too long, as it is. Returns
 * false when it must move.
 */
static bool resize_in_place(void *block, size_t old, size_t size)
{
	struct chunk *chunk = chunk_of_block(block);
	uint8_t kind = chunk->kind[page_in_chunk(block)];

	if (kind == PAGE_RUN && size > SMALL_MAX && size <= RUN_MAX_SIZE)
		return run_resize(block, size);
	if (kind == PAGE_LARGE && size > RUN_MAX_SIZE)
		return large_resize(chunk, size);
	/* A block of a class is kept while more than half of it is used. */
	return kind < HEAP_CLASSES && size <= old && size > old / 2;
}

void *heap_raw_realloc(void *block, size_t size)
{
	size_t old = heap_raw_size(block);

	if (size > HEAP_ALLOC_MAX)
		return NULL;
	if (resize_in_place(block, old, size))
		return block;

	void *new = raw_alloc(size);

	/* When there is no memory to move to a smaller block, the larger one is kept. */
	if (!new)
		return size <= old ? block : NULL;
	memcpy(new, block, size < old ? size : old);
	raw_free(block);
	return new;
}

/* ---- the functions of heap.h; in the debug build they go through heap_debug.c ---- */

#if DEBUG
#define CALLER      __builtin_return_address(0)
#define ALLOC(size) heap_debug_alloc(size, HEAP_ALIGN, CALLER)
#define FREE(block) heap_debug_free(block, CALLER)
#else
#define ALLOC(size) raw_alloc(size)
#define FREE(block) raw_free(block)
#endif

void *kmalloc(size_t size)
{
	return ALLOC(size);
}

void *kzalloc(size_t size)
{
	void *block = ALLOC(size);

	return block ? memset(block, 0, size) : NULL;
}

void *kmalloc_aligned(size_t size, size_t align)
{
#if DEBUG
	return heap_debug_alloc(size, align, CALLER);
#else
	return size <= HEAP_ALLOC_MAX ? heap_raw_alloc_aligned(size, align) : NULL;
#endif
}

void *krealloc(void *block, size_t size)
{
	if (!block)
		return ALLOC(size);
	if (size == 0) {
		FREE(block);
		return NULL;
	}
#if DEBUG
	return heap_debug_realloc(block, size, CALLER);
#else
	return heap_raw_realloc(block, size);
#endif
}

void kfree(void *block)
{
	FREE(block);
}

size_t kmalloc_size(const void *block)
{
#if DEBUG
	return heap_debug_size(block);
#else
	return heap_raw_size(block);
#endif
}

void *cache_alloc(struct cache *c)
{
#if DEBUG
	return heap_debug_alloc(c->size, c->align, CALLER);
#else
	return class_alloc(c->size_class);
#endif
}

void cache_free(struct cache *c, void *object)
{
#if DEBUG
	(void)c;
	FREE(object);
#else
	if (object)
		class_free(c->size_class, object);
#endif
}
