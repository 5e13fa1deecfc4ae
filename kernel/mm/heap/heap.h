/*
 * The kernel heap: kmalloc and related calls, and typed caches. A block has 1 byte to 1 GiB. The heap grows on demand,
 * and gives memory back.
 *
 * All calls may be made on any CPU, but not in an interrupt handler. No call sleeps. A call that must grow the heap
 * goes through `struct heap_backend`, which may switch to the kernel context for that, and switches back. The heap
 * keeps its bookkeeping outside of the blocks: it reads and writes a block's content only where kzalloc and krealloc
 * say so. (The debug build fills blocks when they are allocated and when they are freed.)
 */
#pragma once

#include "paging/types.h"

#define HEAP_ALLOC_MAX (1ULL << 30) /* largest block, in bytes */
#define HEAP_ALIGN     16           /* alignment of every block */
#define HEAP_CACHES    47           /* how many caches of different size or alignment there may be */

/*
 * Bytes that the debug build fills memory with. A pointer or number that consists of one of these bytes was read from
 * such memory.
 */
#define HEAP_ZONE_BYTE  0xb5 /* before and behind each block: a block was overrun when its zone is overwritten */
#define HEAP_FRESH_BYTE 0xa7 /* in a new block, whose content is arbitrary */
#define HEAP_FREED_BYTE 0xdd /* in a block after kfree */

/*
 * Where the heap's memory comes from. The functions are called one at a time, with a lock of the heap held, and must
 * not call the heap. Ranges are page-aligned. The heap uses this structure for ever: keep it in static memory. Guard:
 * fixed after boot.
 */
struct heap_backend {
	void *ctx;
	/* Reserve `size` bytes of address space at a multiple of `align` (at most 1 GiB), with nothing mapped. */
	enum status (*reserve)(void *ctx, uint64_t size, uint64_t align, vaddr_t *ret_base);
	/* Give a reserved range back. All of it is unmapped by then. */
	void (*release)(void *ctx, vaddr_t base, uint64_t size);
	/*
	 * Back [va, va + size), inside one reserved range, with memory of any content; 2 MiB leaves where alignment and
	 * frames allow, 4 KiB leaves elsewhere. On error no part of the range is mapped.
	 */
	enum status (*map)(void *ctx, vaddr_t va, uint64_t size);
	/*
	 * Undo `map` for [va, va + size), and flush the TLB. The range may be more or less than `map` was called with,
	 * but 2 MiB at a 2 MiB boundary that were mapped in one call are unmapped in one call, so no leaf is split.
	 */
	void (*unmap)(void *ctx, vaddr_t va, uint64_t size);
	vaddr_t base;  /* every reserved range lies in [base, base + size); base: a multiple of 16 MiB */
	uint64_t size; /* bytes of that range, at most 16 TiB */
	/*
	 * How much to map at a time when the heap grows: 64 KiB to 2 MiB, a power of two. 2 MiB gives the fewest TLB
	 * misses; 64 KiB the tightest fit for a machine with little memory.
	 */
	uint64_t step;
};

/*
 * Start with an empty heap. `backend` must stay valid for ever. Returns ERR_RANGE (base, size or step is not as struct
 * heap_backend demands), ERR_NO_MEMORY; nothing is reserved or mapped then.
 */
MUST_CHECK enum status heap_init(const struct heap_backend *backend);

/*
 * Allocate a block of at least `size` bytes, of any content, aligned to HEAP_ALIGN; powers of two from 16 to 4,096
 * bytes are aligned to themselves. Returns NULL when size is 0 or above HEAP_ALLOC_MAX, or when there is no memory.
 */
MUST_CHECK void *kmalloc(size_t size);

/* Allocate as kmalloc does, with the first `size` bytes 0. */
MUST_CHECK void *kzalloc(size_t size);

/* Allocate as kmalloc does, at a multiple of `align`: a power of two up to 1 GiB (otherwise NULL is returned). */
MUST_CHECK void *kmalloc_aligned(size_t size, size_t align);

/*
 * Make the block `size` bytes long, in place or elsewhere; the content up to the shorter length stays, an alignment
 * from kmalloc_aligned does not. With a NULL block it is kmalloc; with size 0 it is kfree, and returns NULL. Returns
 * NULL when there is no memory, and the old block is as it was.
 */
MUST_CHECK void *krealloc(void *block, size_t size);

/*
 * Give a block back; NULL is allowed. Any CPU may free what another allocated.
 * Panics on a pointer to no block, where that can be recognised; the debug build always recognises it.
 */
void kfree(void *block);

/* Return how many bytes the caller may use of `block`: at least as many as were asked for. */
size_t kmalloc_size(const void *block);

/*
 * A cache for one type that is often allocated: blocks of exactly its size, not rounded up to one of kmalloc's sizes,
 * and allocated without a search for the size. Its blocks can be freed with kfree, too.
 * Guard: fixed when it has been set up.
 */
struct cache {
	const char *name;
	uint32_t size;
	uint32_t align;
	uint32_t size_class;
};

/*
 * Set up a cache of `size` bytes (1 to 32 KiB) aligned to `align` (a power of two up to 4 KiB; less than 16 counts as
 * 16). The string `name` must stay valid. Two caches of equal size and alignment share their memory, so a cache may be
 * set up again. Returns ERR_RANGE (size or align), ERR_NO_MEMORY (there are HEAP_CACHES other caches); `c` is unusable
 * then.
 */
MUST_CHECK enum status cache_init(struct cache *c, const char *name, size_t size, size_t align);
MUST_CHECK void *cache_alloc(struct cache *c);
void cache_free(struct cache *c, void *object);

/*
 * Give back all memory in which no block is in use, for when frames run out. That includes the free blocks that each
 * CPU keeps, those that all CPUs share, and the free pages kept for growth. (In a host test the free blocks of other
 * threads stay: only heap_cpu_drain(), called on such a thread, gives them up.)
 */
void heap_trim(void);

/*
 * Give back the free blocks that this CPU keeps, and free pages beyond what the heap keeps for growth. To be called
 * about once a second while the CPU is idle.
 */
void heap_tick(void);

/* Give up the free blocks that this CPU keeps, so that others can use them: before a CPU goes off line. */
void heap_cpu_drain(void);

/*
 * For tests, with one CPU: let the n-th allocation fail once; 1 is the next; 0 cancels. Returns how many allocations
 * were left until the failure that an earlier call had set; 0: none was set. Until the failure this CPU's stores of
 * free blocks are not used, so that each call takes the slow path, which counts the calls.
 */
uint64_t heap_fail_nth(uint64_t n);

/* For tests: let every n-th allocation fail, until heap_fail_nth is called. */
void heap_fail_every(uint64_t n);

/* The state of the heap at one moment, in bytes except for the two counts. */
struct heap_stats {
	uint64_t mapped;   /* taken from the backend, bookkeeping included */
	uint64_t peak;     /* the most that `mapped` has been */
	uint64_t free;     /* part of `mapped`: whole pages that are not in use */
	uint64_t metadata; /* part of `mapped`: the heap's bookkeeping */
	uint64_t grown;    /* how often the heap took memory from the backend */
	uint64_t returned; /* how often the heap gave memory back to the backend */
};
struct heap_stats heap_get_stats(void);

/* The state of one size of blocks, for the kernel monitor (a debugging console). */
struct heap_class_stats {
	const char *name; /* the cache's name; NULL for one of kmalloc's sizes */
	uint32_t size;    /* bytes of a block */
	uint64_t blocks;  /* blocks in all slabs of the size, free or in use */
	uint64_t used;    /* blocks that are not free in a slab: handed out, or kept free by a CPU */
};
void heap_visit_classes(void (*see)(void *ctx, const struct heap_class_stats *stats), void *ctx);

/*
 * Report leaks: call `see` once for each owner with its blocks. An owner is the address that called the heap. Only
 * the debug build knows owners; in other builds nothing is reported. `see` must not call the heap.
 */
void heap_report(void (*see)(void *ctx, const void *owner, uint64_t count, uint64_t bytes), void *ctx);

/*
 * Check every block and the quarantine now; panics on the first damage. Does nothing in other builds than the debug
 * build.
 */
void heap_check(void);
