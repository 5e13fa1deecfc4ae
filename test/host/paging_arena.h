/*
 * Fake RAM for page tables. It starts at physical 4 GiB, so that an address cut to 32 bits fails at once.
 * Frames are handed out full of garbage, none twice; a frame that is given back wrongly ends the test.
 */
#pragma once

#include "paging/space.h"

#define ARENA_BASE   (4ULL << 30)
#define ARENA_FRAMES 4096

struct arena {
	uint8_t *memory;   /* ARENA_FRAMES frames, page-aligned */
	size_t used;       /* frames handed out now */
	size_t most;       /* no more than this many at once */
	size_t fail_after; /* allocations that succeed before one fails; SIZE_MAX: none fails */
	size_t free_count; /* frames in free_list */
	uint32_t free_list[ARENA_FRAMES];
	bool taken[ARENA_FRAMES];
};

extern const struct space_ops arena_ops; /* ctx: the struct arena */

void arena_init(struct arena *a);
void arena_destroy(struct arena *a);

/* The `direct` of a space whose tables lie in the arena. */
uintptr_t arena_direct(const struct arena *a);

/* The frame at `pa`, 512 entries; fails the test when it is not one that is handed out. */
uint64_t *arena_table(const struct arena *a, uint64_t pa);
