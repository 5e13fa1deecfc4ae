/*
 * Frames: the machine's physical memory, handed out in pieces of 4 KiB, 2 MiB and 1 GiB.
 * A picture of the allocator and what it costs are at the top of frame.c.
 *
 * All calls reach memory through the direct map: call them in the kernel context. A cache belongs to one CPU, and its
 * calls must not interrupt each other: never call them in interrupt handlers. Calls with different caches may run at
 * once. A call with a frame that is not handed out, or not in that size, panics with the frame's address.
 */
#pragma once

#include "kernel/arch/percpu.h"
#include "kernel/boot/memmap.h"

enum frame_size { FRAME_4K, FRAME_2M, FRAME_1G };

/* Return how many 4 KiB frames fill one of `size`. */
static inline uint64_t frame_size_frames(enum frame_size size)
{
	return 1ULL << (9 * size);
}

#define FRAME_CACHE_FRAMES 256 /* free frames that a CPU's cache holds at the most: 1 MiB */
#define FRAME_CLASSES      6   /* how many classes enum frame_class of frame_pool.h has */

/*
 * What is needed to get from an address to the frame's reference count. Both fields are fixed once frame_init has
 * returned; each entry of `refs` changes once, atomically. The counts of each 64 MiB of frames are an array: a row. The
 * count of frame number n, in row i, lies at refs[i] + 2 * n: refs[i] is the row's address less 2 bytes for each frame
 * below the row's first. refs[i] is 0 until the row is set up.
 */
struct frame_lookup {
	uint64_t limit; /* number (address / 4 KiB) of the first frame beyond all RAM */
	uintptr_t *refs;
};

/* A free frame of 4 KiB in a cache. */
struct frame_entry {
	paddr_t pa;
	uint16_t *refs; /* the frame's reference count, kept here so that it need not be looked up again */
};

/* One CPU's free frames. Guard: own CPU, whose calls never interrupt one another; atomic where a field says so. */
struct frame_cache {
	struct frame_entry *top;    /* top[-1] is the frame to hand out next. Atomic: other CPUs read it */
	struct frame_entry *full;   /* `top` of a full stack; the stack's start while fail_in is not 0 */
	struct frame_lookup lookup; /* a copy of frames->lookup, in this CPU's cache lines */
	/* slots[s]: a free frame of size s (never FRAME_4K), or 0. Atomic: any CPU may take slots[FRAME_1G] */
	uint64_t slots[3];
	uint64_t fail_in;         /* the allocation that counts this down to 0 fails; 0: none is to fail */
	uint64_t fail_every;      /* fail_in is set to this after a failure; 0: no more failures */
	uint32_t home;            /* the region that the last frames came from */
	bool home_claimed;        /* `home` is marked in frames->claimed: other CPUs avoid it while they can */
	uint16_t bottom_refs;     /* the count of stack[0]. Not 0, so that stack[0] is never taken for a free frame */
	struct frames *frames;    /* where the frames come from */
	struct frame_cache *next; /* the next cache in the list frames->caches; fixed after frame_cache_init */
	struct frame_entry stack[1 + FRAME_CACHE_FRAMES]; /* stack[0] marks the stack's end and is no frame */
} __attribute__((aligned(64)));

/* All memory of a machine; host tests have several. Guard: fixed after boot, unless a field says otherwise. */
struct frames {
	struct frame_lookup lookup;
	struct frame_region *regions; /* one for each GiB from address 0 on; each has its lock */
	uint64_t region_count;
	uint64_t *index[FRAME_CLASSES]; /* per class a bitmap of regions: those with a block of that class. Atomic */
	uint64_t *claimed;              /* bitmap of regions: those that are some cache's home. Atomic */
	uint64_t index_words;           /* words of each bitmap of regions */
	struct frame_cache *caches;     /* list of all caches, so that the free frames in them can be counted. Atomic */
	uint32_t cache_count;           /* how many caches are in the list `caches`. Atomic */
	paddr_t low_page;  /* a page below 1 MiB, to start CPUs. Guard: frame_add_range() has one caller at a time */
	uint64_t total;    /* 4 KiB frames that were added. Guard: the same as for low_page */
	uint64_t left_out; /* 4 KiB frames of usable memory that could not be managed */
	uint64_t metadata; /* bytes of RAM that the allocator's bookkeeping takes */
	uintptr_t direct;  /* the frame at pa is mapped at direct + pa */
};

/* The machine's memory, and each CPU's cache. */
extern struct frames machine_frames;
extern PER_CPU struct frame_cache machine_frame_cache;

/* Return the cache of the CPU that this runs on. */
static inline struct frame_cache *frame_cache_here(void)
{
	return per_cpu_pointer(machine_frame_cache);
}

/*
 * Start to manage the usable memory of `map`, which must have passed memmap_check; the metadata is cut from the end of
 * its largest range. `direct`: the frame at pa is mapped at the address direct + pa. Memory of another type can be
 * added later (frame_add_range) if this map says that it is RAM. Frame 0 is never handed out, and one page below 1 MiB
 * is kept. Memory beyond HHDM_SIZE, and memory for whose metadata no place was found, is counted in `left_out`. The map
 * is not needed afterwards. Returns ERR_NO_MEMORY (no usable range can hold the table of regions); `frames` is then
 * unusable.
 */
MUST_CHECK enum status frame_init(struct frames *frames, const struct memmap *map, uintptr_t direct);

/* Start a CPU's cache, empty. The cache stays part of `frames` for ever. May run beside other calls. */
void frame_cache_init(struct frame_cache *cache, struct frames *frames);

/* Return to the pool what a cache, or each cache, holds. Call while no other CPU uses it (open_sections_close()). */
void frame_cache_drain(struct frame_cache *cache);
void frame_caches_drain(struct frames *frames);
/*
 * Make [start, end) free memory: RAM that the loader or the firmware does not use any more. *ret_frames is how many
 * frames were added, without frame 0, and without the page below 1 MiB if it is taken from this range. Returns
 * ERR_RANGE (unaligned, empty, or not RAM in the map of frame_init), ERR_EXISTS (some of it was added before). On error
 * nothing has changed. One caller at a time; others may allocate meanwhile.
 */
MUST_CHECK enum status frame_add_range(struct frames *frames, paddr_t start, paddr_t end, uint64_t *ret_frames);

/*
 * Take one frame of `size`, aligned to its size, with one reference. Its content is arbitrary.
 * Returns ERR_NO_MEMORY: no frame of that size is free, except perhaps in other CPUs' caches, each of which holds 1 MiB
 * of 4 KiB frames and one 2 MiB frame at the most, and can give them back (frame_cache_drain). Nothing has changed
 * then.
 */
MUST_CHECK enum status frame_alloc_4k(struct frame_cache *cache, paddr_t *ret);
MUST_CHECK enum status frame_alloc_large(struct frame_cache *cache, enum frame_size size, paddr_t *ret);
MUST_CHECK static inline enum status frame_alloc(struct frame_cache *cache, enum frame_size size, paddr_t *ret)
{
	return size == FRAME_4K ? frame_alloc_4k(cache, ret) : frame_alloc_large(cache, size, ret);
}

/* Take one 4 KiB frame below 4 GiB, for a device that reaches no further. Returns what frame_alloc() returns. */
MUST_CHECK enum status frame_alloc_low(struct frame_cache *cache, paddr_t *ret);

/*
 * Take `count` frames of 4 KiB, in no particular order. Returns ERR_NO_MEMORY: then none has been taken and the content
 * of `ret` means nothing.
 */
MUST_CHECK enum status frame_alloc_many(struct frame_cache *cache, size_t count, paddr_t *ret);

/* Give a frame back. Call with its only reference (else it panics), after its mappings were flushed from the TLBs. */
void frame_free_4k(struct frame_cache *cache, paddr_t pa);
void frame_free_large(struct frame_cache *cache, enum frame_size size, paddr_t pa);
static inline void frame_free(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	if (size == FRAME_4K)
		frame_free_4k(cache, pa);
	else
		frame_free_large(cache, size, pa);
}
void frame_free_many(struct frame_cache *cache, size_t count, const paddr_t *pa);

/*
 * Take one more reference to a frame of which the caller already has one. A frame can have any number of references.
 * Returns ERR_NO_MEMORY: their count needs another frame (refs_lend() in frame_refs.h), and none is free.
 */
MUST_CHECK enum status frame_get(struct frame_cache *cache, enum frame_size size, paddr_t pa);

/*
 * Drop a reference, after its mapping was flushed from the TLBs. Returns whether it was the last one, so that the frame
 * is free now.
 */
bool frame_put(struct frame_cache *cache, enum frame_size size, paddr_t pa);

/* Return the number of references to a frame; 0 when it is not handed out, or not in that size. Never panics. */
uint64_t frame_refs(const struct frames *frames, enum frame_size size, paddr_t pa);

/* Return how much memory is free, in 4 KiB frames, caches included. Exact while no other CPU allocates or frees. */
uint64_t frame_free_count(const struct frames *frames);

/*
 * For tests: let the n-th allocation from this cache fail once, each frame counting as one; 1 is the next, 0 cancels.
 * Returns how many allocations were left until the failure that an earlier call had set; 0: none was set. Until the
 * failure each call goes to the pool.
 */
uint64_t frame_fail_nth(struct frame_cache *cache, uint64_t n);

/* For tests: let every n-th allocation fail, until frame_fail_nth is called. */
void frame_fail_every(struct frame_cache *cache, uint64_t n);
