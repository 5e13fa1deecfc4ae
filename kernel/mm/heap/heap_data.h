/*
 * The heap's data structures, private to kernel/mm/heap: chunks with their bookkeeping ("book" in names), magazines,
 * size classes, the one `struct heap`. A picture is at the top of heap.c.
 */
#pragma once

#include "kernel/mm/heap/heap.h"
#include "kernel/mm/heap/heap_cpu.h"

/* ---- pages: a chunk is 16 MiB of addresses, mapped as far as needed, with struct chunk at its start ---- */

#define CHUNK_SIZE    (16ULL << 20)
#define CHUNK_PAGES   (CHUNK_SIZE / PAGE_SIZE)
#define STEP_SIZE_MIN (64ULL << 10) /* the smallest step by which a backend may let the heap grow */
#define LEAF_PAGES    512ULL        /* pages of a 2 MiB leaf */
#define RUN_MAX_SIZE  (4ULL << 20)  /* larger blocks have an address range and a mapping of their own */

/*
 * The kind of a page, one byte. The values 1 to HEAP_CLASSES - 1, which have no name here, say that the page is in a
 * slab of the size class of that number. All pages of a slab have its kind; of any other run only the first and the
 * last page have a kind, and those in between are PAGE_NONE.
 */
enum page_kind {
	PAGE_NONE = 0,       /* the chunk's bookkeeping, or not mapped, or inside a run */
	PAGE_FREE = 0x80,    /* first or last page of a run of free pages */
	PAGE_RUN = 0x81,     /* first page of a block of whole pages */
	PAGE_RUN_END = 0x82, /* last page of a block of whole pages, if it has more than one */
	PAGE_LARGE = 0x83,   /* start of a block above RUN_MAX_SIZE */
};

/* Number of a page, counted from the base of the heap's range. 0 means none, as a struct chunk lies there. */
typedef uint32_t pageno_t;

/*
 * The bookkeeping of a page. Valid in the first page of a run or slab unless said otherwise. Guard: heap.lock; in a
 * slab the class's lock.
 */
struct page_info {
	pageno_t next; /* of a free run: the next run in its bin; of a slab: the next of its class with a free block */
	pageno_t prev;
	uint32_t pages; /* length of the run or slab */
	uint16_t free;  /* of a slab: how many of its blocks are free */
	/* in the last page of a free run, and in every page of a slab: how many pages back the first one is */
	uint16_t back;
};

struct chunk {
	struct chunk *next; /* in the list of all chunks. Guard of all fields: heap.lock, unless said otherwise */
	struct chunk *prev;
	uint64_t mapped[CHUNK_PAGES / 64]; /* a bit for each page */
	/* a bit for each 2 MiB that was mapped by one call: it may be one leaf, which must not be cut */
	uint32_t leaves;
	uint32_t used_pages; /* pages in use: by slabs, or by blocks of whole pages */

	/* Only for a block above RUN_MAX_SIZE, which has a struct chunk of its own, mapped up to the end of `kind`. */
	struct {
		vaddr_t window;       /* the reserved range */
		uint64_t window_size; /* bytes */
		vaddr_t data;         /* the block */
		uint64_t size;        /* bytes, whole pages */
	} large;

	/* the kind of each page: see enum page_kind. The owner of a block reads its page's kind without a lock */
	_Alignas(4096) uint8_t kind[CHUNK_PAGES];
	struct page_info info[CHUNK_PAGES];
	/*
	 * the free blocks of slabs: a bit for each block, 1: free. A slab of n pages has the n words of these pages.
	 * Guard: the class's lock
	 */
	uint64_t bits[CHUNK_PAGES];
};

#define CHUNK_BOOK_PAGES (sizeof(struct chunk) / PAGE_SIZE)
#define LARGE_BOOK_PAGES (offsetof(struct chunk, info) / PAGE_SIZE)

/* ---- magazines: arrays of pointers to free blocks, which a CPU keeps or passes to another as a whole ---- */
#define MAGAZINE_SIZE   512ULL
#define MAGAZINE_BLOCKS 63
#define MAGAZINES       8192 /* the most magazines; each has a fixed place in 4 MiB of addresses */
#define PAGE_MAGAZINES  (PAGE_SIZE / MAGAZINE_SIZE)
#define MAGAZINE_PAGES  (MAGAZINES / PAGE_MAGAZINES)
#define LINK_PAGES      (MAGAZINES * sizeof(struct magazine_link) / PAGE_SIZE)

struct magazine {
	void *unused; /* the word that `top` of an empty magazine points at, which thus is no block pointer */
	void *blocks[MAGAZINE_BLOCKS];
};

/*
 * A magazine's place in a stack. Kept apart from the magazine: another CPU may read this when the magazine is unmapped.
 */
struct magazine_link {
	uint32_t next;  /* number of the magazine below. Atomic */
	uint32_t depth; /* how many magazines lie from this one to the bottom. Atomic */
};

_Static_assert(sizeof(struct magazine) == MAGAZINE_SIZE, "a magazine is found by masking");
_Static_assert(sizeof(struct chunk) % PAGE_SIZE == 0, "data pages follow the books");

/* ---- classes ---- */

#define SMALL_STEP     16
#define SMALL_FINE_MAX 512U   /* up to here there is a class every 16 bytes, then eight classes to each doubling */
#define SMALL_MAX      32768U /* the largest block that comes from a slab */
#define TABLE_MAX      4096U  /* largest size whose class is looked up in a table */

struct size_class {
	/* Fixed when the class has been set up: */
	uint32_t size;       /* bytes of a block */
	uint32_t reciprocal; /* 2^32 / size, rounded up: to divide by `size` with a multiplication */
	uint16_t slab_pages;
	uint16_t slab_blocks; /* blocks of a slab, including those that hold its bits */
	uint16_t bit_blocks;  /* how many first blocks of a slab hold its bits; 0: the bits lie in struct chunk */
	uint16_t capacity;    /* blocks that a magazine of this class holds */
	uint32_t align;
	const char *name;

	/* Guard: `lock`. */
	_Alignas(64) struct heap_lock lock;
	pageno_t partial; /* list of slabs that have a free block */
	uint64_t slabs;
	uint64_t free; /* free blocks in slabs */

	/*
	 * The stack of full magazines: the number of the top one, and above bit 32 a count that makes ABA visible.
	 * Atomic.
	 */
	_Alignas(64) uint64_t depot;
};

/* ---- state ---- */

#define BINS 144 /* bins of free runs, by length: see heap_pages.c */
struct heap {
	/* Fixed after boot: */
	const struct heap_backend *backend;
	vaddr_t base;
	struct magazine *magazines;  /* an array of MAGAZINES, each page mapped while it is needed */
	struct magazine_link *links; /* one for each magazine; a page of them is mapped when first needed, and stays */
	/* the allocation that counts fail_in down to 0 fails and sets it to fail_every; 0: none. Guard: tests only */
	uint64_t fail_in, fail_every;

	/* head (a number) of the common list of empty magazines; 0: none. Atomic */
	_Alignas(64) uint32_t empty_magazines;

	/* Guard of all the rest: `lock`, which is taken last, after any class's lock. */
	_Alignas(64) struct heap_lock lock;
	/* a bit for each page of `magazines`: 1 if mapped. Page 0 has 1 too, but is never used: number 0 means none */
	uint64_t magazine_pages[MAGAZINE_PAGES / 64];
	uint32_t link_pages;
	struct chunk *chunks; /* list of chunks; those with room to grow come first */
	struct chunk *last_chunk;
	uint64_t free_pages;   /* pages in free runs */
	uint64_t mapped_pages; /* mapped pages of chunks and large blocks, with their bookkeeping */
	uint64_t book_pages;
	uint64_t peak_pages;  /* the largest value of mapped_pages */
	uint64_t given_pages; /* pages given back and not mapped again yet; each heap_tick() halves this */
	/* pages given back and soon mapped again, which are kept free in addition; each heap_tick() halves this */
	uint64_t regret_pages;
	uint64_t grown, returned; /* how often the heap mapped pages, and gave pages back */
	uint64_t bin_bits[(BINS + 63) / 64];
	pageno_t bins[BINS];
};

extern struct heap heap;
extern struct size_class heap_classes[HEAP_CLASSES];
extern uint8_t heap_class_table[TABLE_MAX / SMALL_STEP + 1];
