/*
 * What the heap's files share; private to kernel/mm/heap*.c. The picture is at the top of heap.c.
 */
#pragma once

#include "kernel/mm/heap.h"
#include "kernel/mm/heap_cpu.h"

/* ---- pages: a chunk is 16 MiB of addresses, mapped as far as needed, with its books at its start ---- */

#define CHUNK_SIZE     (16ULL << 20)
#define CHUNK_PAGES    (CHUNK_SIZE / PAGE_SIZE)
#define GRANULE_PAGES  16ULL /* least that is mapped or unmapped at once in a chunk */
#define GRANULE_SIZE   (GRANULE_PAGES * PAGE_SIZE)
#define CHUNK_GRANULES (CHUNK_SIZE / GRANULE_SIZE)
#define LEAF_PAGES     512ULL /* of a 2 MiB leaf */

#define RUN_MAX_SIZE (4ULL << 20) /* blocks above have an address range and a mapping of their own */

/*
 * What a page is, one byte. 1 to HEAP_CLASSES - 1: in a slab of that class. The first and the last page of each
 * run have their true kind; what lies between has it only in slabs.
 */
enum page_kind {
	PAGE_NONE = 0,      /* the chunk's books, not mapped, or inside a run */
	PAGE_FREE = 0x80,   /* end of a run of free pages */
	PAGE_RUN = 0x81,    /* first page of a block of whole pages */
	PAGE_RUN_END = 0x82, /* last page of one, when it has more than one */
	PAGE_LARGE = 0x83,  /* start of a block above RUN_MAX_SIZE */
};

/* A page anywhere in the heap's range: its distance from the base in pages. 0 is none: page 0 is some chunk's books. */
typedef uint32_t pageno_t;

/* One page's books. Valid in the first page of a run or slab unless said otherwise. */
struct page_info {
	pageno_t next;  /* free run: in its bin; slab: among the partly used ones of its class */
	pageno_t prev;
	uint32_t pages; /* length of the run or slab */
	uint16_t free;  /* slab: blocks to be had */
	uint16_t back;  /* last page of a free run, every page of a slab: pages back to the first */
};

struct chunk {
	struct chunk *next; /* all chunks */
	struct chunk *prev;
	uint64_t mapped[CHUNK_GRANULES / 64]; /* a bit a granule */
	uint32_t used_pages;                  /* in slabs and blocks */

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

struct magazine {
	uint32_t next;  /* in a stack: number of the one below */
	uint32_t depth; /* in a stack: how many lie from here to the bottom */
	void *blocks[MAGAZINE_BLOCKS];
};

_Static_assert(sizeof(struct magazine) == MAGAZINE_SIZE, "a magazine is found by masking");
_Static_assert(sizeof(struct chunk) % PAGE_SIZE == 0, "data pages follow the books");

/* ---- classes ---- */

#define SMALL_STEP     16
#define SMALL_FINE_MAX 512U   /* up to here a class every 16 bytes, then eight to each doubling */
#define SMALL_MAX      32768U /* largest block of a slab */
#define FAST_CLASSES   56U    /* classes 1 to 56 are kmalloc's up to TABLE_MAX; their magazines take MAGAZINE_BLOCKS */
#define TABLE_MAX      4096U  /* largest size whose class is looked up in a table */

struct size_class {
	/* Set up once. */
	uint32_t size;       /* bytes a block */
	uint32_t reciprocal; /* 2^32 / size, rounded up */
	uint16_t slab_pages;
	uint16_t slab_blocks; /* blocks of a slab, those that hold its bits included */
	uint16_t bit_blocks;  /* the first blocks of a slab, when its bits lie there; 0: they lie in the chunk's books */
	uint16_t capacity;    /* blocks that a magazine of this class takes */
	uint32_t align;
	const char *name;

	/* Under `lock`. */
	_Alignas(64) struct heap_lock lock;
	pageno_t partial; /* slabs with some block free */
	uint64_t slabs;
	uint64_t free;    /* blocks free in slabs */

	/* The stack of full magazines: number of the top one, and above bit 32 a count against ABA. */
	_Alignas(64) uint64_t depot;
};

/* ---- state ---- */

#define BINS 144 /* of free runs, by length: see heap_pages.c */

struct heap {
	const struct heap_backend *backend;
	vaddr_t base;
	struct magazine *magazines; /* MAGAZINES of them, mapped a page at a time as they are needed */

	_Alignas(64) uint64_t empty_magazines; /* a stack, as size_class.depot */

	/* The rest under `lock`; taken last, after any class's lock. */
	_Alignas(64) struct heap_lock lock;
	uint32_t magazines_made;
	struct chunk *chunks;      /* those with room to grow first */
	struct chunk *last_chunk;
	uint64_t free_pages;   /* in free runs */
	uint64_t mapped_pages; /* in chunks, books included, and in large blocks with theirs */
	uint64_t book_pages;
	uint64_t peak_pages;   /* most of mapped_pages */
	uint64_t given_pages;  /* given back since the last tick, and not yet asked for again */
	uint64_t regret_pages; /* widens the reserve: given back and asked for again */
	uint64_t grown, returned;
	uint64_t bin_bits[(BINS + 63) / 64];
	pageno_t bins[BINS];
};

extern struct heap heap;
extern struct size_class heap_classes[HEAP_CLASSES];
extern uint8_t heap_class_table[TABLE_MAX / SMALL_STEP + 1];

/* The chunk around a block. A block at a chunk's very start belongs to the chunk before: large ones can lie so. */
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

/* ---- heap_pages.c: runs of pages. All under heap.lock. ---- */

enum pages_from {
	PAGES_MAPPED, /* only what is mapped already */
	PAGES_GROW,   /* or mapped for it */
};

/* A run of `pages` pages at a multiple of `align` pages (at most 1,024); 0 when there is no memory. Not marked yet. */
pageno_t pages_alloc(uint32_t pages, uint32_t align, enum pages_from from);
/* Give `pages` pages back, a run or a part of one. May give memory to the backend. */
void pages_free(pageno_t first, uint32_t pages);
/* Mark the ends of a run that is one block. */
void pages_mark_run(pageno_t first, uint32_t pages);
/* Lengthen the block's run in place to `pages` pages; false, and nothing changed, when what follows is taken. */
bool pages_extend(pageno_t first, uint32_t pages);
/* For heap_chunk.c: put newly mapped pages among the free ones; take a free run out. */
void pages_add_free(pageno_t first, uint32_t pages);
void pages_unlink_free(pageno_t first);
/* The length of the free run that ends right before `page`; 0: that page is not free. */
uint32_t pages_free_before(pageno_t page);

/* ---- heap_chunk.c: growing and giving back. All under heap.lock. ---- */

/* Map memory so that a free run of `pages` comes to be; false: no memory, nothing has changed. */
bool chunk_grow(uint32_t pages);
/* After the free run `first` came to be: give back what exceeds the reserve. */
void chunk_give_back(pageno_t first);
/* Give back all free pages that fill 2 MiB leaves or chunks, and forget the regret; or halve it and obey the reserve. */
void chunk_trim(void);
void chunk_tick(void);
/* Map or unmap, and count. */
bool chunk_map(vaddr_t va, uint64_t pages);
void chunk_unmap(vaddr_t va, uint64_t pages);

/* ---- heap_large.c: blocks above RUN_MAX_SIZE. Take heap.lock themselves. ---- */

void *large_alloc(uint64_t size, uint64_t align);
void large_free(struct chunk *chunk, void *block);
/* Make it shorter in place; false when it would have to grow. */
bool large_resize(struct chunk *chunk, uint64_t size);

/* ---- heap_class.c ---- */

void classes_init(void);
/* The class for blocks of `size` (at most SMALL_MAX) bytes; 0 for size 0. */
uint32_t class_of_size(size_t size);

/* ---- heap_slab.c: blocks in and out of slabs. Take the class's lock themselves. ---- */

/* Put up to `count` blocks into `blocks`; returns how many. At most one slab is made for it. */
size_t slab_take(uint32_t class_id, void **blocks, size_t count, enum pages_from from);
void slab_give(uint32_t class_id, void *const *blocks, size_t count);

/* ---- heap_magazine.c: the slow halves of allocating and freeing. Between heap_cpu_enter and _leave. ---- */

void magazines_init(void);
/* A block of the class when the loaded magazine is empty; NULL when there is no memory. */
void *magazine_refill(struct heap_cpu *cpu, uint32_t class_id);
/* Take a block when the loaded magazine is full. */
void magazine_spill(struct heap_cpu *cpu, uint32_t class_id, void *block);
/* Empty this CPU's magazines, or the common ones, into the slabs. */
void magazines_drain_cpu(struct heap_cpu *cpu);
void magazines_drain_depots(void);
/* Empty the common ones if they hold a part of the heap that counts; false: they do not. */
bool magazines_drain_before_growing(void);

/* ---- heap.c: the heap as it is without the debug build's checks; heap_debug.c stands on it ---- */

/* What heap_debug.c makes of the largest block at the largest alignment. */
#define RAW_MAX (2 * HEAP_ALLOC_MAX + PAGE_SIZE)

/* NULL when size is 0 or above RAW_MAX. */
void *heap_raw_alloc_aligned(size_t size, size_t align);
/* size is not 0. */
void *heap_raw_realloc(void *block, size_t size);
void heap_raw_free(void *block);
size_t heap_raw_size(const void *block);

/* ---- heap_debug.c: built always, used by the debug build and by its tests ---- */

void *heap_debug_alloc(size_t size, size_t align, const void *owner);
void *heap_debug_realloc(void *block, size_t size, const void *owner);
void heap_debug_free(void *block, const void *caller);
size_t heap_debug_size(const void *block);
void heap_debug_check(void);
void heap_debug_report(void (*see)(void *ctx, const void *owner, uint64_t count, uint64_t bytes), void *ctx);
/* Let the quarantined blocks go, each checked first. */
void heap_debug_flush(void);
void heap_debug_init(void);
