/*
 * Mapping and unmapping of the heap's pages, private to kernel/mm/heap (heap_chunk.c). The caller of each function
 * holds heap.lock.
 */
#pragma once

#include "kernel/mm/heap/heap_data.h"

/* Map memory so that a free run of `pages` exists. Returns false when there is no memory; nothing has changed then. */
bool chunk_map_run(uint32_t pages);
/*
 * The most pages that are unmapped at a time, since other tasks wait meanwhile: it takes some 300,000 instructions if
 * each page is a leaf of its own.
 */
#define UNMAP_MOST LEAF_PAGES
/*
 * Unmap pages of a free run, or its whole chunk when no page of the chunk is in use, so that at least `keep` free pages
 * stay in the heap. Unmaps whole pieces of `step` pages (a power of two), at most UNMAP_MOST pages. Returns false when
 * nothing could be unmapped.
 */
bool chunk_unmap_run(pageno_t run, uint64_t keep, uint64_t step);
/* Return the first chunk, by address, that ends behind `page`; NULL: there is none. */
struct chunk *chunk_find(pageno_t page);
/* Map or unmap `pages` pages through the backend, and count them. chunk_map returns false when there is no memory. */
bool chunk_map(vaddr_t va, uint64_t pages);
void chunk_unmap(vaddr_t va, uint64_t pages);
