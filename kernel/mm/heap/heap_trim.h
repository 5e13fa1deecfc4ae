/*
 * What heap_trim() (heap.h) does, in pieces: for who has to let others run meanwhile.
 */
#pragma once

#include "paging/types.h"

/* How far heap_trim_step() has come. Guard: its caller. */
struct heap_trim {
	enum {
		HEAP_TRIM_DEPOTS,    /* the free blocks that all CPUs share */
		HEAP_TRIM_CPU,       /* those that this CPU keeps */
		HEAP_TRIM_PAGES,     /* free pages */
		HEAP_TRIM_MAGAZINES, /* magazines that were emptied */
	} next;
	uint32_t page; /* the number of the page where the free pages go on */
};

#define HEAP_TRIM_START ((struct heap_trim){ HEAP_TRIM_DEPOTS, 0 })

/*
 * Do a piece of what heap_trim() does, of less than half a million instructions, beginning with *trim ==
 * HEAP_TRIM_START. Returns false when all is done. Others may call the heap between two pieces.
 */
bool heap_trim_step(struct heap_trim *trim);
