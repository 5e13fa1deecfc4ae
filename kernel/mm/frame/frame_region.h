/*
 * One region of the pool. The caller of each function holds the region's lock. Private to frame*.c.
 */
#pragma once

#include "kernel/mm/frame/frame_pool.h"

/* Set up region->detail. The region must be all free, or have no memory yet. */
void region_open(struct frame_region *region);

/* Record that a block has `free` free frames now, and move it to the class for that. Call region_publish afterwards. */
void region_set_free(struct frame_region *region, unsigned block, unsigned free);

/*
 * Set up the reference counts of the 64 MiB in which `block` lies, all of them 0, if that was not done yet. The region
 * starts at `start`.
 */
void region_need_refs(struct frame_region *region, paddr_t start, unsigned block);

/* Set the region's bits in frames->index to the classes of which it has blocks now. */
void region_publish(struct frames *frames, struct frame_region *region);

/* Return the lowest block of class `kind`; there must be one. */
unsigned region_first_block(const struct frame_region *region, unsigned kind);

/*
 * Take up to `want` frames of 4 KiB of the region that starts at `start`: from partly free blocks, or from one whole
 * block when there are no others. The frames are stored downward from `end`, so that the lowest is popped from a stack
 * first. Returns how many: 0 when nothing is free.
 */
uint32_t region_take(struct frame_region *region, paddr_t start, uint32_t want, struct frame_entry *end);

/*
 * Put `count` frames back: those whose bit is set in `mask`. The bits count from the frame at `first`, where a word of
 * a block's bitmap starts. Panics when one of the frames is free already.
 */
void region_give(struct frame_region *region, paddr_t first, uint64_t mask, uint32_t count);
