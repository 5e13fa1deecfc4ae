/*
 * The functions that the heap's files have for one another; private to kernel/mm/heap. A picture is at the top of
 * heap.c. The files come in the order of this header, lowest first: each calls only those that stand above it here (but
 * heap.c calls heap_debug.c in a debug build).
 */
#pragma once

#include "kernel/mm/heap/heap_chunk.h"
#include "kernel/mm/heap/heap_data.h"

/* ---- from blocks to pages, and back ---- */

/*
 * Return the chunk with a block's bookkeeping. It is the chunk that the block lies in, or the one before if the block
 * starts at a multiple of CHUNK_SIZE, as only blocks above RUN_MAX_SIZE can (heap_large.c).
 */
static inline struct chunk *chunk_of_block(const void *block)
{
	return (struct chunk *)(((uintptr_t)block - 1) & ~(CHUNK_SIZE - 1));
}

static inline size_t page_in_chunk(const void *block)
{
	return ((uintptr_t)block >> PAGE_SHIFT) & (CHUNK_PAGES - 1);
}

static inline void *page_address(pageno_t page)
{
	return (void *)(heap.base + ((uint64_t)page << PAGE_SHIFT));
}

static inline pageno_t page_number(const void *address)
{
	return (pageno_t)(((vaddr_t)address - heap.base) >> PAGE_SHIFT);
}

static inline struct chunk *chunk_of_page(pageno_t page)
{
	return page_address(page & ~(pageno_t)(CHUNK_PAGES - 1));
}

static inline struct page_info *page_info(pageno_t page)
{
	return &chunk_of_page(page)->info[page & (CHUNK_PAGES - 1)];
}

/* ---- heap_pages.c: runs of pages. The caller of each function holds heap.lock. ---- */

/*
 * Cut a run of `pages` pages at a multiple of `align` pages (at most 1,024) out of a free one; 0: none is long enough.
 * The caller marks the run.
 */
pageno_t pages_alloc(uint32_t pages, uint32_t align);
/* Make `pages` pages free, a whole run or a part of one. Returns the start of the free run that they belong to then. */
pageno_t pages_free(pageno_t first, uint32_t pages);
/* Mark a run as one block of whole pages, in the kinds of its first and its last page. */
void pages_mark_run(pageno_t first, uint32_t pages);
/*
 * Lengthen the block's run in place to `pages` pages. Returns false, with nothing changed, when the pages behind the
 * run are in use.
 */
bool pages_extend(pageno_t first, uint32_t pages);
/* Add newly mapped pages to the free runs; remove a run from the free runs. Only heap_chunk.c calls these two. */
void pages_add_free(pageno_t first, uint32_t pages);
void pages_unlink_free(pageno_t first);
/* Return the length of the free run that ends right before `page`; 0: the page before is not free. */
uint32_t pages_free_before(pageno_t page);

/*
 * ---- heap_reserve.c: when to grow and when to give back. The reserve is how many free pages the heap keeps mapped: a
 * quarter of all its pages (2 MiB at least) plus the regret. The regret counts pages that were given back and soon
 * needed again. The caller of each function holds heap.lock. ----
 */

enum pages_from {
	PAGES_MAPPED, /* only pages that are mapped already */
	PAGES_GROW,   /* mapped pages; when they do not suffice, map more */
};

/*
 * Allocate a run as pages_alloc does; 0 when there is no memory. With PAGES_GROW other free pages may be given back to
 * the backend, so that it has memory for this run.
 */
pageno_t reserve_alloc(uint32_t pages, uint32_t align, enum pages_from from);
/* Make pages free as pages_free does, then return free pages beyond the reserve to the backend. */
void reserve_free(pageno_t first, uint32_t pages);
/* Give back up to `pages` free pages, and UNMAP_MOST at the most, as far as the longest free runs have them. */
void reserve_shrink(uint64_t pages);
/*
 * Give back free pages, even those of the reserve, of the first chunk that ends behind the page *at: UNMAP_MOST or a
 * few more at the most. Sets *at to where the next call is to go on, and the regret to 0; returns false when no chunk
 * is left.
 */
bool reserve_trim_some(pageno_t *at);
/* Halve the regret, then return free pages beyond the reserve to the backend. */
void reserve_tick(void);

/* ---- heap_class.c ---- */

void classes_init(void);
/* Return the class for blocks of `size` (at most SMALL_MAX) bytes; 0 for size 0. */
uint32_t class_of_size(size_t size);

/* ---- heap_slab.c: blocks in and out of slabs. These functions take the class's lock themselves. ---- */

/* Take up to `count` blocks into `blocks`; returns how many. At most one new slab is made for that. */
size_t slab_take(uint32_t class_id, void **blocks, size_t count, enum pages_from from);
void slab_give(uint32_t class_id, void *const *blocks, size_t count);

/* ---- heap_magazine.c: the slow paths of allocating and freeing. Call between heap_cpu_enter and _leave. ---- */

void magazines_init(void);
/* Allocate a block of the class when the loaded magazine is empty; NULL when there is no memory. */
void *magazine_refill(struct heap_cpu *cpu, uint32_t class_id);
/* Allocate a block of the class without using magazines. */
void *magazine_bypass(struct heap_cpu *cpu, uint32_t class_id);
/* Free a block when the loaded magazine is full. */
void magazine_spill(struct heap_cpu *cpu, uint32_t class_id, void *block);
/*
 * Move the blocks in this CPU's magazines, or in some magazines of the depots, to the slabs. The emptied magazines go
 * to the list of `cpu` or the common one. magazines_drain_some() returns false when the depots were empty already.
 */
void magazines_drain_cpu(struct heap_cpu *cpu);
bool magazines_drain_some(struct heap_cpu *cpu);
/* Unmap some pages whose magazines are all empty and in no other CPU's list. Returns whether there are more. */
bool magazines_trim_some(struct heap_cpu *cpu);
/*
 * Empty magazines of the depots if the blocks in all of them are at least 1/64 of the heap. Returns whether any was
 * emptied.
 */
bool magazines_drain_before_growing(struct heap_cpu *cpu);

/* ---- heap_large.c: blocks above RUN_MAX_SIZE. These functions take heap.lock themselves. ---- */

void *large_alloc(uint64_t size, uint64_t align);
void large_free(struct chunk *chunk, void *block);
/* Shorten the block in place. Returns false when it would have to grow. */
bool large_resize(struct chunk *chunk, uint64_t size);

/* ---- heap.c: the heap without the debug build's checks, for heap_debug.c to call ---- */

/* The size that heap_debug.c asks for when a caller asks for the largest block at the largest alignment. */
#define RAW_MAX (2 * HEAP_ALLOC_MAX + PAGE_SIZE)

/* Allocate `size` bytes at a multiple of `align`; NULL when size is 0 or above RAW_MAX, or when there is no memory. */
void *heap_raw_alloc_aligned(size_t size, size_t align);
/* Change the block's length as krealloc does; `size` must not be 0. */
void *heap_raw_realloc(void *block, size_t size);
void heap_raw_free(void *block);
size_t heap_raw_size(const void *block);

/* ---- heap_debug.c: compiled in every build, but only the debug build and its tests allocate through it ---- */

void *heap_debug_alloc(size_t size, size_t align, const void *owner);
void *heap_debug_realloc(void *block, size_t size, const void *owner);
void heap_debug_free(void *block, const void *caller);
size_t heap_debug_size(const void *block);
void heap_debug_check(void);
void heap_debug_report(void (*see)(void *ctx, const void *owner, uint64_t count, uint64_t bytes), void *ctx);
/* Let all blocks leave the quarantine; each is checked first. */
void heap_debug_flush(void);
void heap_debug_init(void);
