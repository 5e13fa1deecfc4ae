/*
 * One region of the pool, under its lock. Included by frame*.c and nobody else.
 */
#pragma once

#include "kernel/mm/frame/frame_pool.h"

/* Set up the detail of a region, which is all free or has no memory yet. */
void region_open(struct frame_region *region);

/* Note that a block has `free` free frames now, and move it to the class for that. region_publish must follow. */
void region_set_free(struct frame_region *region, unsigned block, unsigned free);

/* Make the counts of the 64 MiB around `block` valid, all 0 if they were not. The region starts at `start`. */
void region_need_refs(struct frame_region *region, paddr_t start, unsigned block);

/* Have the index name the region for exactly the classes that it has. */
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
