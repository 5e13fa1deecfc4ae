/*
 * The pool: all free memory that is in no CPU's cache. Private to frame*.c, except for the numbers about reference
 * counts (REFS_...), which kernel/mm/user/user_frame.c uses through frame_refs.h.
 *
 * A *region* is 1 GiB and has 512 *blocks* of 2 MiB; a block has 512 frames.
 */
#pragma once

#include "kernel/mm/frame/frame.h"
#include "kernel/mm/frame/frame_lock.h"

#define BLOCK_FRAMES  512U
#define REGION_BLOCKS 512U
#define REGION_FRAMES (REGION_BLOCKS * BLOCK_FRAMES)

/* Shifts that turn an address into the number of its block and of its region. */
#define BLOCK_SHIFT  21
#define REGION_SHIFT 30

/* Reference counts of 4 KiB frames are set up for 64 MiB of frames at once: 32 KiB of counts. */
#define REFS_SHIFT  26
#define REFS_BLOCKS (1U << (REFS_SHIFT - BLOCK_SHIFT))
#define REGION_REFS (1U << (REGION_SHIFT - REFS_SHIFT))

/* Bits in a word of a bitmap; and the bytes of memory whose frames one word describes, in a bitmap of 4 KiB frames. */
#define WORD_BITS 64U
#define WORD_SIZE (WORD_BITS * PAGE_SIZE)

#define FRAME_BATCH (FRAME_CACHE_FRAMES / 2) /* frames that move between a cache and the pool at once */

/* The value of a reference count whose frame was never added to the pool. */
#define REFS_ABSENT 0xffff

/*
 * A frame's reference count has 16 bits, which are enough for nearly all frames. When it reaches REFS_FULL, REFS_BATCH
 * of its references are moved to a second count, of batches; before it falls below REFS_LENT, a batch is moved back. So
 * a frame whose count is below REFS_LENT has no batches.
 */
#define REFS_FULL  0xfffe
#define REFS_BATCH 0x4000
#define REFS_LENT  0x8000

_Static_assert(REFS_FULL - REFS_BATCH > REFS_LENT && REFS_LENT + REFS_BATCH < REFS_FULL, "neither at once again");

/*
 * Classes of blocks by how much of them is free, the fullest first: allocation takes the first class that has a block,
 * which leaves the emptier blocks the time to become whole again. A block without a free frame is in no class.
 */
enum frame_class {
	CLASS_PARTIAL,   /* classes 0 to 3: less than 1/4, 1/2, 3/4 or all of the block is free */
	CLASS_WHOLE = 4, /* all of the block is free */
	BLOCK_CLASSES,
	CLASS_REGION = 5, /* not a class of blocks, but of regions: all blocks of the region are whole */
};

#define CLASSES_PARTIAL ((1U << CLASS_WHOLE) - 1) /* the partial classes as a mask: bit c stands for class c */

#define CLASS_SHIFT 7 /* a block's number of free frames, shifted right by this, is its class */

_Static_assert(BLOCK_FRAMES >> CLASS_SHIFT == CLASS_WHOLE, "a block that is all free is whole");
_Static_assert(CLASS_REGION + 1 == FRAME_CLASSES, "frame.h knows how many classes there are");

enum region_state {
	REGION_ABSENT, /* no memory of the region was added */
	REGION_PLAIN,  /* all of the region was added at once, and none of it was split */
	REGION_OPEN,   /* the region was split, or added in parts: only in this state is `detail` valid */
};

/* A bitmap of a block's free frames. Valid while some of its frames are handed out, or were never added. */
struct frame_block {
	uint64_t free[BLOCK_FRAMES / WORD_BITS];
};

/* Bookkeeping of a region's blocks. Valid once the region is open. Guard: the region's lock. */
struct region_detail {
	uint64_t members[BLOCK_CLASSES][REGION_BLOCKS / WORD_BITS]; /* bitmaps: the blocks of each class */
	uint64_t present[REGION_BLOCKS / WORD_BITS];                /* blocks of which some frame was added */
	uint16_t free[REGION_BLOCKS];                               /* free frames of each block */
	/* references to each block as one 2 MiB frame. Guard: the holders of references, atomic when shared */
	uint16_t refs[REGION_BLOCKS];
	uint32_t batches_2m[REGION_BLOCKS]; /* batches of references to each 2 MiB frame, in addition to `refs` */
	/*
	 * per block an array in a frame of its own: each 4 KiB frame's batches, in addition to refs_4k. NULL: all are 0
	 */
	uint32_t *batches_4k[REGION_BLOCKS];
	uint16_t batches_used[REGION_BLOCKS]; /* how many 4 KiB frames of each block have batches */
} __attribute__((aligned(64)));

/*
 * A region. Boot clears it, so it is small: the rest of its bookkeeping, `detail`, is set up when it is first split.
 * Guard of all fields: `lock`, except for reference counts, which the holders of references change (atomic
 * when shared).
 */
struct frame_region {
	uint32_t lock;                        /* enum frame_lock. Atomic */
	uint32_t free;                        /* 4 KiB frames in the pool. Written under the lock, read by anybody */
	uint16_t refs;                        /* references to the region as one 1 GiB frame */
	uint16_t first_block;                 /* RAM lies in blocks [first_block, end_block). Fixed after boot */
	uint16_t end_block;                   /* 0: this region is not managed */
	uint16_t class_blocks[BLOCK_CLASSES]; /* how many blocks each class has */
	uint8_t state;                        /* enum region_state. Written under the lock, read by anybody */
	uint8_t classes;                      /* bit c: some block is in class c */
	uint8_t indexed;  /* bit c: the region is in frames->index[c]. Written under the lock, read by anybody */
	bool taken;       /* handed out as one 1 GiB frame */
	uint32_t batches; /* batches of references to the 1 GiB frame, in addition to `refs` */
	struct region_detail *detail;
	struct frame_block *blocks; /* indexed by block; only [first_block, end_block) exist */
	/* references to each 4 KiB frame; 0: free. Valid in rows (64 MiB) whose entry in refs_rows is not 0 */
	uint16_t *refs_4k;
	uintptr_t *refs_rows; /* the region's part of frame_lookup.refs. Written under the lock, read by anybody */
} __attribute__((aligned(64)));

/* Read, set or clear a bit of a bitmap whose words are guarded by one lock. */
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
	frame_lock_take(&region->lock);
}

static inline void region_unlock(struct frame_region *region)
{
	frame_lock_release(&region->lock);
}

/* Set the region's count of free frames. Anybody may read the count without the lock. */
static inline void region_count(struct frame_region *region, uint32_t free)
{
	__atomic_store_n(&region->free, free, __ATOMIC_RELAXED);
}

/* ---- frame_pool.c: all regions ---- */

enum pool_reach { POOL_ANY, POOL_BELOW_4G };

/*
 * Take up to `want` frames of 4 KiB, stored downward from `end`, so that a stack pops the lowest first. Returns how
 * many; 0: the pool has none.
 */
uint32_t pool_take(struct frame_cache *cache, enum pool_reach reach, uint32_t want, struct frame_entry *end);

/* Put frames of 4 KiB back. Cheapest when entries for neighbouring frames follow each other. */
void pool_give(struct frames *frames, const struct frame_entry *entries, uint32_t count);

/*
 * Take or put back one frame of 2 MiB or 1 GiB. Taking returns address 0, which is never handed out, when the pool has
 * none.
 */
paddr_t pool_take_large(struct frame_cache *cache, enum frame_size size);
void pool_give_large(struct frames *frames, enum frame_size size, paddr_t pa);
