/*
 * The heap's data: chunks and their books, magazines, classes, the one state; private to kernel/mm/heap.
 * The picture is at the top of heap.c.
 */
#pragma once

#include "kernel/mm/heap/heap.h"
#include "kernel/mm/heap/heap_cpu.h"

/* ---- pages: a chunk is 16 MiB of addresses, mapped as far as needed, with its books at its start ---- */

#define CHUNK_SIZE     (16ULL << 20)
#define CHUNK_PAGES    (CHUNK_SIZE / PAGE_SIZE)
#define GRANULE_PAGES  16ULL /* least that is mapped or unmapped at once in a chunk */
#define GRANULE_SIZE   (GRANULE_PAGES * PAGE_SIZE)
#define CHUNK_GRANULES (CHUNK_SIZE / GRANULE_SIZE)
#define LEAF_PAGES     512ULL       /* of a 2 MiB leaf */
#define RUN_MAX_SIZE   (4ULL << 20) /* blocks above have an address range and a mapping of their own */

/*
 * What a page is, one byte. 1 to HEAP_CLASSES - 1: in a slab of that class. The first and the last page of each
 * run have their true kind; what lies between has it only in slabs.
 */
enum page_kind {
	PAGE_NONE = 0,       /* the chunk's books, not mapped, or inside a run */
	PAGE_FREE = 0x80,    /* end of a run of free pages */
	PAGE_RUN = 0x81,     /* first page of a block of whole pages */
	PAGE_RUN_END = 0x82, /* last page of one, when it has more than one */
	PAGE_LARGE = 0x83,   /* start of a block above RUN_MAX_SIZE */
};

/* A page anywhere in the heap's range: its distance from the base in pages. 0 is none: page 0 is some chunk's books. */
typedef uint32_t pageno_t;

/* One page's books. Valid in the first page of a run or slab unless said otherwise. */
struct page_info {
	pageno_t next; /* free run: in its bin; slab: among the partly used ones of its class */
	pageno_t prev;
	uint32_t pages; /* length of the run or slab */
	uint16_t free;  /* slab: blocks to be had */
	uint16_t back;  /* last page of a free run, every page of a slab: pages back to the first */
};

struct chunk {
	struct chunk *next; /* all chunks */
	struct chunk *prev;
	uint64_t mapped[CHUNK_GRANULES / 64]; /* a bit a granule */
	uint32_t leaves;     /* a bit for each 2 MiB mapped in one go: perhaps one leaf, not to be cut */
	uint32_t used_pages; /* in slabs and blocks */

	/* A block above RUN_MAX_SIZE has this chunk's first pages to itself, up to `kind`. */
	struct {
		vaddr_t window;       /* the reserved range */
		uint64_t window_size; /* bytes */
		vaddr_t data;         /* the block */
		uint64_t size;        /* bytes, whole pages */
	} large;

	_Alignas(4096) uint8_t kind[CHUNK_PAGES]; /* enum page_kind or a class */
	struct page_info info[CHUNK_PAGES];
	uint64_t bits[CHUNK_PAGES]; /* of slabs: a bit a block, 1 is free; the slab's pages' words in a row */
};

#define CHUNK_BOOK_PAGES (sizeof(struct chunk) / PAGE_SIZE)
#define LARGE_BOOK_PAGES (offsetof(struct chunk, info) / PAGE_SIZE)

/* ---- magazines: block pointers that a CPU holds, or passes to another as one ---- */
#define MAGAZINE_SIZE   512ULL
#define MAGAZINE_BLOCKS 63
#define MAGAZINES       8192 /* in all: 4 MiB of addresses */
#define PAGE_MAGAZINES  (PAGE_SIZE / MAGAZINE_SIZE)
#define MAGAZINE_PAGES  (MAGAZINES / PAGE_MAGAZINES)
#define LINK_PAGES      (MAGAZINES * sizeof(struct magazine_link) / PAGE_SIZE)

struct magazine {
	void *unused; /* so that no address of a block pointer is the magazine's own */
	void *blocks[MAGAZINE_BLOCKS];
};

/* A magazine's place in a stack. Apart from it: another CPU may read this when the magazine is gone. */
struct magazine_link {
	uint32_t next;  /* number of the one below */
	uint32_t depth; /* how many lie from here to the bottom */
};

_Static_assert(sizeof(struct magazine) == MAGAZINE_SIZE, "a magazine is found by masking");
_Static_assert(sizeof(struct chunk) % PAGE_SIZE == 0, "data pages follow the books");

/* ---- classes ---- */

#define SMALL_STEP     16
#define SMALL_FINE_MAX 512U   /* up to here a class every 16 bytes, then eight to each doubling */
#define SMALL_MAX      32768U /* largest block of a slab */
#define TABLE_MAX      4096U  /* largest size whose class is looked up in a table */

struct size_class {
	/* Set up once. */
	uint32_t size;       /* bytes a block */
	uint32_t reciprocal; /* 2^32 / size, rounded up */
	uint16_t slab_pages;
	uint16_t slab_blocks; /* blocks of a slab, those that hold its bits included */
	uint16_t bit_blocks; /* the first blocks of a slab, when its bits lie there; 0: they lie in the chunk's books */
	uint16_t capacity;   /* blocks that a magazine of this class takes */
	uint32_t align;
	const char *name;

	/* Under `lock`. */
	_Alignas(64) struct heap_lock lock;
	pageno_t partial; /* slabs with some block free */
	uint64_t slabs;
	uint64_t free; /* blocks free in slabs */

	/* The stack of full magazines: number of the top one, and above bit 32 a count against ABA. */
	_Alignas(64) uint64_t depot;
};

/* ---- state ---- */

#define BINS 144 /* of free runs, by length: see heap_pages.c */
struct heap {
	const struct heap_backend *backend;
	vaddr_t base;
	struct magazine *magazines;   /* MAGAZINES of them, mapped a page at a time while they are needed */
	struct magazine_link *links;  /* as many, mapped as far as ever needed */
	uint64_t fail_in, fail_every; /* heap_fail_nth: allocations until one fails, and then again; 0: none will */

	_Alignas(64) uint32_t empty_magazines; /* number of the first of those that no CPU has; 0: none */

	/* The rest under `lock`; taken last, after any class's lock. */
	_Alignas(64) struct heap_lock lock;
	uint64_t magazine_pages[MAGAZINE_PAGES /
				64]; /* a bit a page: 1 is mapped. Of page 0, where number 0 were, 1 too */
	uint32_t link_pages;
	struct chunk *chunks; /* those with room to grow first */
	struct chunk *last_chunk;
	uint64_t free_pages;   /* in free runs */
	uint64_t mapped_pages; /* in chunks, books included, and in large blocks with theirs */
	uint64_t book_pages;
	uint64_t peak_pages;      /* most of mapped_pages */
	uint64_t given_pages;     /* given back since the last tick, and not yet asked for again */
	uint64_t regret_pages;    /* widens the reserve: given back and asked for again */
	uint64_t grown, returned; /* times */
	uint64_t bin_bits[(BINS + 63) / 64];
	pageno_t bins[BINS];
};

extern struct heap heap;
extern struct size_class heap_classes[HEAP_CLASSES];
extern uint8_t heap_class_table[TABLE_MAX / SMALL_STEP + 1];
