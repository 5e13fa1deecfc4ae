/*
 * The kernel heap: kmalloc and its kin, and typed caches. 1 byte to 1 GiB; grows on demand, gives memory back.
 *
 * Any CPU, any context, interrupts on or off. No call sleeps. A call that must grow the heap goes through
 * `struct heap_backend`, which may switch to the kernel context for that and switches back.
 * The bytes of a block belong to the caller alone: the heap keeps its books elsewhere and reads and writes a
 * block's content only where kzalloc and krealloc say so. (The debug build fills blocks when they are freed.)
 */
#pragma once

#include "paging/types.h"

#define HEAP_ALLOC_MAX (1ULL << 30) /* largest block, in bytes */
#define HEAP_ALIGN     16           /* alignment of every block */
#define HEAP_CACHES    47           /* caches of different size or alignment that fit */

/* What the debug build fills with: a value made of one of these was never stored. */
#define HEAP_ZONE_BYTE  0xb5 /* before and behind each block: overwritten, it was an overrun */
#define HEAP_FRESH_BYTE 0xa7 /* a new block: no caller shall count on zeros */
#define HEAP_FREED_BYTE 0xdd /* a block after kfree */

/*
 * Where the memory comes from. Called on slow paths only, one call at a time, with the heap's page lock held and
 * interrupts off: must not call the heap. Ranges are page-aligned. Set up for ever: keep it in static memory.
 */
struct heap_backend {
	void *ctx;
	/* Reserve `size` bytes of address space at a multiple of `align` (at most 1 GiB), with nothing mapped. */
	enum status (*reserve)(void *ctx, uint64_t size, uint64_t align, vaddr_t *ret_base);
	/* Give a reserved range back. All of it is unmapped by then. */
	void (*release)(void *ctx, vaddr_t base, uint64_t size);
	/*
	 * Back [va, va + size), inside one reserved range, with memory of any content; 2 MiB leaves where alignment
	 * and frames allow, 4 KiB leaves elsewhere. On error nothing of it is mapped.
	 */
	enum status (*map)(void *ctx, vaddr_t va, uint64_t size);
	/*
	 * Undo `map` for [va, va + size); flushed on return. The range may be more or less than `map` was called with,
	 * but 2 MiB at a 2 MiB boundary that were mapped in one call are unmapped in one call: no leaf is ever cut.
	 */
	void (*unmap)(void *ctx, vaddr_t va, uint64_t size);
	vaddr_t base;  /* every reserved range lies in [base, base + size); base: a multiple of 16 MiB */
	uint64_t size; /* at most 16 TiB */
	/*
	 * How much to map at a time when the heap grows: 64 KiB to 2 MiB, a power of two. 2 MiB gives the fewest TLB
	 * misses; 64 KiB the tightest fit for a machine with little memory.
	 */
	uint64_t step;
};

/*
 * Start with an empty heap. `backend` is kept.
 * Returns ERR_RANGE (base, size or step not as said), ERR_NO_MEMORY; nothing is reserved or mapped then.
 */
MUST_CHECK enum status heap_init(const struct heap_backend *backend);

/*
 * A block of at least `size` bytes, of any content, aligned to HEAP_ALIGN; powers of two from 16 to 4,096 bytes
 * are aligned to themselves. NULL when size is 0 or above HEAP_ALLOC_MAX, or there is no memory.
 */
MUST_CHECK void *kmalloc(size_t size);

/* As kmalloc, with the first `size` bytes 0. */
MUST_CHECK void *kzalloc(size_t size);

/* As kmalloc, at a multiple of `align`: a power of two up to 1 GiB (NULL else). */
MUST_CHECK void *kmalloc_aligned(size_t size, size_t align);

/*
 * Make the block `size` bytes long, in place or elsewhere; the content up to the shorter length stays. An alignment
 * from kmalloc_aligned does not. NULL block: kmalloc. size 0: kfree, returns NULL. Returns NULL when there is no memory,
 * and the old block is as it was.
 */
MUST_CHECK void *krealloc(void *block, size_t size);

/*
 * Give a block back; NULL is allowed. Any CPU may free what another allocated.
 * Panics on what is no block, where that can be told; the debug build can tell always.
 */
void kfree(void *block);

/* How many bytes the caller may use of `block`: at least as many as it asked for. */
size_t kmalloc_size(const void *block);

/*
 * A cache for one hot type: blocks of exactly its size, not rounded up to a size of kmalloc's, and no search for the
 * size on the way. kfree works on its blocks too.
 */
struct cache {
	const char *name;
	uint32_t size;
	uint32_t align;
	uint32_t size_class;
};

/*
 * Set up a cache of `size` bytes (1 to 32 KiB) aligned to `align` (a power of two up to 4 KiB; less than 16 counts
 * as 16). `name` is kept. Two caches of equal size and alignment share their memory, and so a cache may be set up again.
 * Returns ERR_RANGE (size or align), ERR_NO_MEMORY (HEAP_CACHES others are there); `c` is unusable then.
 */
MUST_CHECK enum status cache_init(struct cache *c, const char *name, size_t size, size_t align);
MUST_CHECK void *cache_alloc(struct cache *c);
void cache_free(struct cache *c, void *object);

/*
 * Give back all memory that no block lies in: this CPU's store of free blocks, the common ones, the reserve.
 * For when frames run out. Stores of other CPUs stay: heap_cpu_drain on each of them first.
 */
void heap_trim(void);

/* To be called about once a second while idle: gives back this CPU's idle blocks and half of the reserve. */
void heap_tick(void);

/* Empty this CPU's store of free blocks, so that others can use them: before a CPU goes off line. */
void heap_cpu_drain(void);

/*
 * For tests, with one CPU: let the n-th allocation fail once; 1 is the next. 0 takes that back. Returns what was left
 * of the count set before; 0: it has fired, or there was none. While it counts, blocks come from slabs and go there.
 */
uint64_t heap_fail_nth(uint64_t n);

/* The same, but again and again: every n-th allocation fails. heap_fail_nth ends it. */
void heap_fail_every(uint64_t n);

/* Bytes; at one moment. */
struct heap_stats {
	uint64_t mapped;   /* taken from the backend, books included */
	uint64_t peak;     /* the most that `mapped` has been */
	uint64_t free;     /* of `mapped`: whole pages in no use */
	uint64_t metadata; /* of `mapped`: books */
	uint64_t grown;    /* times that the heap took memory from the backend */
	uint64_t returned; /* times that it gave some back */
};
struct heap_stats heap_get_stats(void);

/* One size of block, for the monitor. */
struct heap_class_stats {
	const char *name; /* of the cache; NULL for kmalloc's */
	uint32_t size;    /* bytes a block */
	uint64_t blocks;  /* blocks that memory is there for */
	uint64_t used;    /* of them: handed out, or in a CPU's store */
};
void heap_visit_classes(void (*see)(void *ctx, const struct heap_class_stats *stats), void *ctx);

/*
 * The leak report: call `see` once for each owner with what it holds: owner is the address that called the heap.
 * Only the debug build knows owners; in others nothing is reported. `see` must not call the heap.
 */
void heap_report(void (*see)(void *ctx, const void *owner, uint64_t count, uint64_t bytes), void *ctx);

/* Debug build: check every block and the quarantine now; panics on the first damage. In others it does nothing. */
void heap_check(void);
