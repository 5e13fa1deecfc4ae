/*
 * Frames: the machine's physical memory, handed out in pieces of 4 KiB, 2 MiB and 1 GiB.
 * The picture, and what it costs, is at the top of frame.c.
 *
 * Everything lies in the direct map, so all of this works in the kernel context only. A cache
 * belongs to one CPU: its calls must not be interrupted by another call with the same cache
 * (no preemption; no frames for interrupt handlers). Calls with different caches may run at once.
 *
 * A frame that is not handed out, or not in that size, is our own bug wherever a frame is passed in: panic,
 * with the frame's address.
 */
#pragma once

#include "kernel/arch/percpu.h"
#include "kernel/boot/memmap.h"

enum frame_size { FRAME_4K, FRAME_2M, FRAME_1G };

/* How many 4 KiB frames fill one of `size`. */
static inline uint64_t frame_size_frames(enum frame_size size)
{
	return 1ULL << (9 * size);
}

#define FRAME_CACHE_FRAMES 256    /* 1 MiB at most waits in a CPU's cache */
#define FRAME_REFS_MAX     0xfffe /* references that one frame can have */
#define FRAME_CLASSES      6      /* see frame_pool.h */

/*
 * What it takes to get from an address to the frame's reference count. Both are fixed once frame_init has
 * returned. The counts of each 64 MiB lie in a row; what `refs` has for it is where frame 0 would have
 * its count if the row reached that far down, or 0 while nobody has needed the row.
 */
struct frame_lookup {
	uint64_t limit; /* a frame number (address / 4 KiB) beyond all RAM */
	uintptr_t *refs;
};

/* A free frame of 4 KiB in a cache. */
struct frame_entry {
	paddr_t pa;
	uint16_t *refs; /* where its references are counted: to look that up once is enough */
};

/* One CPU's frames at hand. Only its own CPU touches it, but for the 1 GiB slot, which others may empty. */
struct frame_cache {
	struct frame_entry *top;    /* behind the last free frame in `stack`, the next to hand out */
	struct frame_entry *full;   /* `top` when there is no more room; the bottom while fail_in counts */
	struct frame_lookup lookup; /* that of `frames`, nearer */
	uint64_t slots[3];          /* a free frame of that enum frame_size, 0 for none; [FRAME_4K] is not used */
	uint64_t fail_in;           /* the allocation that counts this down to 0 fails; 0: none */
	uint64_t fail_every;        /* what fail_in starts from again when one has failed; 0: that was all */
	uint32_t home;              /* the region that the last frames came from */
	bool home_claimed;          /* other CPUs keep off `home` while they can */
	uint16_t bottom_refs;       /* not 0: what lies below the stack looks handed out */
	struct frames *frames;      /* where the frames come from */
	struct frame_cache *next;   /* in frames->caches */
	struct frame_entry stack[1 + FRAME_CACHE_FRAMES]; /* the first is the bottom and no frame */
} __attribute__((aligned(64)));

/* All memory of a machine. One object for the kernel; a host test makes as many as it likes. */
struct frames {
	struct frame_lookup lookup;
	struct frame_region *regions; /* one for each GiB from address 0 on */
	uint64_t region_count;
	uint64_t *index[FRAME_CLASSES]; /* bitmaps of regions: which of them has a block of that class? */
	uint64_t *claimed;              /* bitmap of regions: some cache's home */
	uint64_t index_words;           /* words of each such bitmap */
	struct frame_cache *caches;     /* all of them, so that free frames in them are counted */
	uint32_t cache_count;
	paddr_t low_page;  /* kept for starting other CPUs */
	uint64_t total;    /* 4 KiB frames that were ever added */
	uint64_t left_out; /* 4 KiB frames of usable memory that could not be managed */
	uint64_t metadata; /* bytes of RAM that describe the rest */
};

/* The machine's memory, and each CPU's cache. */
extern struct frames machine_frames;
extern PER_CPU struct frame_cache machine_frame_cache;

/* The cache of the CPU that this runs on. */
static inline struct frame_cache *frame_cache_here(void)
{
	return &per_cpu(machine_frame_cache);
}

/*
 * Manage the usable memory of `map`, which memmap_check has passed; the metadata is cut from the end of its largest
 * range. `direct`: a frame at pa is seen at the address direct + pa. Memory of another type can be added later,
 * frame_add_range, if the map has it as RAM now. Frame 0 is never handed out, and one page below 1 MiB is
 * kept. Memory beyond HHDM_SIZE, and memory whose metadata found no place, is counted in `left_out`.
 * The map is not needed afterwards.
 * Returns ERR_NO_MEMORY (no usable range can hold the table of regions); `frames` is then unusable.
 */
MUST_CHECK enum status frame_init(struct frames *frames, const struct memmap *map, uintptr_t direct);

/* Start a CPU's cache, empty. It stays part of `frames` for ever. May run beside other calls. */
void frame_cache_init(struct frame_cache *cache, struct frames *frames);

/* Give all that this CPU's cache holds back to the pool, for other CPUs or as larger frames. Run it on that CPU. */
void frame_cache_drain(struct frame_cache *cache);

/*
 * Make [start, end) free memory: RAM that the loader or the firmware has let go of. *ret_frames is
 * how many frames that gave, less frame 0 and less the page below 1 MiB if that is still missing.
 * Returns ERR_RANGE (unaligned, empty, or not RAM in the map of frame_init), ERR_EXISTS (some of it was
 * added before). On error nothing has changed. One caller at a time; allocation may go on beside it.
 */
MUST_CHECK enum status frame_add_range(struct frames *frames, paddr_t start, paddr_t end, uint64_t *ret_frames);

/*
 * Take one frame of `size`, aligned to its size, with one reference. Its content is whatever was there.
 * Returns ERR_NO_MEMORY: no frame of that size is free, unless one is in another CPU's cache: 1 MiB in 4 KiB frames
 * and 2 MiB at the most, which that CPU can give back (frame_cache_drain). Nothing has changed then.
 */
MUST_CHECK enum status frame_alloc_4k(struct frame_cache *cache, paddr_t *ret);
MUST_CHECK enum status frame_alloc_large(struct frame_cache *cache, enum frame_size size, paddr_t *ret);
MUST_CHECK static inline enum status frame_alloc(struct frame_cache *cache, enum frame_size size, paddr_t *ret)
{
	return size == FRAME_4K ? frame_alloc_4k(cache, ret) : frame_alloc_large(cache, size, ret);
}

/* The same for one 4 KiB frame below 4 GiB, for devices that reach no further. */
MUST_CHECK enum status frame_alloc_low(struct frame_cache *cache, paddr_t *ret);

/*
 * Take `count` frames of 4 KiB, in no promised order. Returns ERR_NO_MEMORY: then
 * none has been taken and what `ret` holds means nothing.
 */
MUST_CHECK enum status frame_alloc_many(struct frame_cache *cache, size_t count, paddr_t *ret);

/* Give a frame back. The caller holds its only reference and no TLB has it any more. */
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
 * One more reference to a frame that the caller has a reference to. Returns ERR_RANGE: the
 * frame has FRAME_REFS_MAX of them already; copy it instead.
 */
MUST_CHECK enum status frame_get(struct frames *frames, enum frame_size size, paddr_t pa);

/* One reference less; the last one frees the frame: then true. The same duties as frame_free. */
bool frame_put(struct frame_cache *cache, enum frame_size size, paddr_t pa);

/* References to a frame; 0 when it is not handed out, or not in that size. Never panics. */
unsigned frame_refs(const struct frames *frames, enum frame_size size, paddr_t pa);

/* Free memory in 4 KiB frames, caches included. Exact while no other CPU allocates or frees. */
uint64_t frame_free_count(const struct frames *frames);

/*
 * For tests: let the n-th allocation from this cache fail once, each frame counting as one; 1 is the next. 0
 * takes that back. Returns what was left of the count set before; 0: it has fired, or
 * there was none. While it counts the cache holds nothing and each call goes to the pool.
 */
uint64_t frame_fail_nth(struct frame_cache *cache, uint64_t n);

/* The same, but again and again: every n-th allocation fails. frame_fail_nth ends it. */
void frame_fail_every(struct frame_cache *cache, uint64_t n);
