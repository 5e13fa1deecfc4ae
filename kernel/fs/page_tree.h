/*
 * From the number of a page to its frame, for contents with holes: a tree of tables of 64, as high as the largest
 * number needs. The tables lie in the heap. Owns no frames: it only keeps their addresses.
 */
#pragma once

#include "paging/types.h"

#define PAGE_TREE_BITS 6
#define PAGE_TREE_SIZE (1U << PAGE_TREE_BITS)

struct page_tree_table;

/* All zeros: empty. */
struct page_tree {
	struct page_tree_table *root;
	unsigned height; /* levels of tables; 0: none */
	uint64_t count;  /* frames in it */
};

/* The frame of page `index`, or one at address 0: none. */
paddr_t page_tree_find(const struct page_tree *tree, uint64_t index);

/*
 * Let `index`, which has none, have the frame `pa` (not 0). Returns ERR_NO_MEMORY; nothing that can be found has
 * changed then.
 */
MUST_CHECK enum status page_tree_insert(struct page_tree *tree, uint64_t index, paddr_t pa);

/* Remove all pages from `first` on; `drop` gets each frame. Tables that become empty are freed. */
void page_tree_cut(struct page_tree *tree, uint64_t first, void (*drop)(paddr_t pa));
