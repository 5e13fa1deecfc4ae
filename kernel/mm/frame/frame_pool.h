/*
 * The pool: all free memory that is in no CPU's cache. Shared by frame*.c and nobody else.
 *
 * A *region* is 1 GiB and has 512 *blocks* of 2 MiB; a block has 512 frames.
 */
#pragma once

#include "kernel/mm/frame/frame.h"

#define BLOCK_FRAMES  512U
#define REGION_BLOCKS 512U
#define REGION_FRAMES (REGION_BLOCKS * BLOCK_FRAMES)

/* An address to its frame's, block's and region's number. */
#define BLOCK_SHIFT  21
#define REGION_SHIFT 30

/* Counts for 4 KiB frames are set up for 64 MiB at once: 32 KiB of them. */
#define REFS_SHIFT  26
#define REFS_BLOCKS (1U << (REFS_SHIFT - BLOCK_SHIFT))
#define REGION_REFS (1U << (REGION_SHIFT - REFS_SHIFT))

/* Bitmaps have frames, blocks and regions in words of this many; so many frames are this many bytes. */
#define WORD_BITS 64U
#define WORD_SIZE (WORD_BITS * PAGE_SIZE)

#define FRAME_BATCH (FRAME_CACHE_FRAMES / 2) /* frames between a cache and the pool at once */

/* What a count says of a frame that was never added. */
#define REFS_ABSENT 0xffff

/*
 * Blocks by how much of them is free, the fullest first: allocation takes the first class there is,
 * which leaves the emptier blocks the time to become whole again. A block without a free
 * frame is in no class.
 */
enum frame_class {
	CLASS_PARTIAL,   /* four of these: up to 1/4, 1/2, 3/4 and less than all of the block is free */
	CLASS_WHOLE = 4, /* all of it */
	BLOCK_CLASSES,
	CLASS_REGION = 5, /* not a class of blocks: all the region's blocks are whole */
};

#define CLASSES_PARTIAL ((1U << CLASS_WHOLE) - 1) /* as bits */

#define CLASS_SHIFT 7 /* a number of free frames to the class */

_Static_assert(BLOCK_FRAMES >> CLASS_SHIFT == CLASS_WHOLE, "a block that is all free is whole");
_Static_assert(CLASS_REGION + 1 == FRAME_CLASSES, "frame.h knows how many classes there are");

enum region_state {
	REGION_ABSENT, /* nothing was added */
	REGION_PLAIN,  /* all of it was added at once, and none of it was split */
	REGION_OPEN,   /* the detail is valid, as it is in no other state */
};

/* A block's free frames. Valid while some are handed out, or were never added. */
struct frame_block {
	uint64_t free[BLOCK_FRAMES / WORD_BITS];
};

/* What is known of a region's blocks. Valid once the region is open. */
struct region_detail {
	uint64_t members[BLOCK_CLASSES][REGION_BLOCKS / WORD_BITS]; /* the blocks of each class */
	uint64_t present[REGION_BLOCKS / WORD_BITS];                /* blocks of which some frame was added */
	uint16_t free[REGION_BLOCKS];                               /* free frames of each block */
	uint16_t refs[REGION_BLOCKS];                               /* references to each block as one 2 MiB frame */
} __attribute__((aligned(64)));

/*
 * A region. Boot clears it, so it is small: what else there is of a region is set up when it is first
 * split. The lock covers all but the reference counts, which belong to the frame's owner.
 */
struct frame_region {
	uint32_t lock;
	uint32_t free;                        /* free 4 KiB frames in the pool */
	uint16_t refs;                        /* references to the region as one 1 GiB frame */
	uint16_t first_block;                 /* RAM lies in the blocks [first_block, end_block) */
	uint16_t end_block;                   /* 0: this region is not managed */
	uint16_t class_blocks[BLOCK_CLASSES]; /* how many blocks each class has */
	uint8_t state;                        /* enum region_state */
	uint8_t classes;                      /* bit c: some block is of class c */
	uint8_t indexed;                      /* bit c: frames->index[c] names this region */
	bool taken;                           /* out of the pool as one 1 GiB frame */
	struct region_detail *detail;
	struct frame_block *blocks; /* by block number in the region, but only those in [first_block, end_block) */
	uint16_t *refs_4k;    /* by frame number in the region; 0 for a free frame; valid where `refs_rows` says so */
	uintptr_t *refs_rows; /* the region's part of frame_lookup.refs */
} __attribute__((aligned(64)));

/* Bitmaps whose words one lock covers. */
static inline bool bit_get(const uint64_t *words, uint64_t bit)
{
	return words[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

static inline void bit_set(uint64_t *words, uint64_t bit)
{
	words[bit / WORD_BITS] |= 1ULL << bit % WORD_BITS;
}

static inline void bit_clear(uint64_t *words, uint64_t bit)
{
	words[bit / WORD_BITS] &= ~(1ULL << bit % WORD_BITS);
}

static inline void region_lock(struct frame_region *region)
{
	while (__atomic_exchange_n(&region->lock, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&region->lock, __ATOMIC_RELAXED))
			__builtin_ia32_pause();
}

static inline void region_unlock(struct frame_region *region)
{
	__atomic_store_n(&region->lock, 0, __ATOMIC_RELEASE);
}

/* Set the region's count of free frames. Anybody may read it, without the lock. */
static inline void region_count(struct frame_region *region, uint32_t free)
{
	__atomic_store_n(&region->free, free, __ATOMIC_RELAXED);
}

/* ---- frame_region.c: one region, under its lock ---- */

/* Set up the detail: of a region that is all free, or of one that has nothing yet. */
void region_open(struct frame_region *region);

/* Block `block` has `free` free frames now: move it to its class. The region's lists follow with region_publish. */
void region_set_free(struct frame_region *region, unsigned block, unsigned free);

/* Make the counts of the 64 MiB around `block` valid, 0 at first. `start` is where the region starts. */
void region_need_refs(struct frame_region *region, paddr_t start, unsigned block);

/* Name the region in the index for exactly the classes that it has. */
void region_publish(struct frames *frames, struct frame_region *region);

/* The lowest block of a class that has one. */
unsigned region_first_block(const struct frame_region *region, unsigned kind);

/*
 * Take up to `want` frames of 4 KiB of the region that starts at `start`: from partial blocks, or from one whole
 * block when there is no partial one. They are stored downward from `end`, so that the lowest is
 * popped from a stack first. Returns how many: 0 when nothing is free.
 */
uint32_t region_take(struct frame_region *region, paddr_t start, uint32_t want, struct frame_entry *end);

/*
 * Put `count` frames back: those that have a bit in `mask`, counted from `first`, where a word of a block's
 * bitmap starts. Panics when one of them is free already.
 */
void region_give(struct frame_region *region, paddr_t first, uint64_t mask, uint32_t count);

/* ---- frame_pool.c: all regions ---- */

enum pool_reach { POOL_ANY, POOL_BELOW_4G };

/* Take up to `want` frames of 4 KiB as region_take does. 0: the pool has none. */
uint32_t pool_take(struct frame_cache *cache, enum pool_reach reach, uint32_t want, struct frame_entry *end);

/* Put frames of 4 KiB back. Cheapest when neighbours stand side by side. */
void pool_give(struct frames *frames, const struct frame_entry *entries, uint32_t count);

/* Take and put back one frame of 2 MiB or 1 GiB. Address 0, which is never handed out: the pool has none. */
paddr_t pool_take_large(struct frame_cache *cache, enum frame_size size);
void pool_give_large(struct frames *frames, enum frame_size size, paddr_t pa);
