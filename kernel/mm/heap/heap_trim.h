/*
 * Does what heap_trim() (heap.h) does, in pieces: for a caller that must let other tasks run in between.
 */
#pragma once

#include "paging/types.h"

/* How far heap_trim_step() has come. Guard: only its caller uses it. */
struct heap_trim {
	enum {
		HEAP_TRIM_DEPOTS,    /* the free blocks that all CPUs share */
		HEAP_TRIM_CPU,       /* the free blocks that each CPU keeps; in a host test only this one */
		HEAP_TRIM_PAGES,     /* free pages */
		HEAP_TRIM_MAGAZINES, /* magazines (arrays of free blocks) that are empty now */
	} next;
	uint32_t page; /* for HEAP_TRIM_PAGES: the number of the page from which to go on */
};

#define HEAP_TRIM_START ((struct heap_trim){ HEAP_TRIM_DEPOTS, 0 })

/*
 * Do a piece of what heap_trim() does, in less than half a million instructions. Set *trim to HEAP_TRIM_START before
 * the first piece. Returns false when all is done. Others may call the heap between two pieces.
 */
bool heap_trim_step(struct heap_trim *trim);
