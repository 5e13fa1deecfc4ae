/*
 * Finds the frame of a page by the page's number in a file, for files with holes: a radix tree of tables with 64
 * entries, as high as the largest number needs. The tables lie in the heap. The caller allocates and frees the frames.
 */
#pragma once

#include "paging/types.h"

#define PAGE_TREE_BITS 6
#define PAGE_TREE_SIZE (1U << PAGE_TREE_BITS)
#define PAGE_TREE_NONE UINT64_MAX

struct page_tree_table;

/* A tree; an empty one is all zeros. Guard: tasks only, which the kernel does not preempt. */
struct page_tree {
	struct page_tree_table *root;
	unsigned height; /* levels of tables; 0: none */
	uint64_t count;  /* number of frames in the tree */
};

/* Return the frame of page `index`; 0 when it has none. */
paddr_t page_tree_find(const struct page_tree *tree, uint64_t index);

/*
 * page_tree_next() returns the first page from `index` on that has a frame, or PAGE_TREE_NONE; page_tree_next_hole()
 * the first that has none. Pages for which there is no table are skipped in one step.
 */
uint64_t page_tree_next(const struct page_tree *tree, uint64_t index);
uint64_t page_tree_next_hole(const struct page_tree *tree, uint64_t index);

/*
 * Enter the frame `pa` (not 0) for page `index`, which must have none. Returns OK, or ERR_NO_MEMORY with the pages as
 * before.
 */
MUST_CHECK enum status page_tree_insert(struct page_tree *tree, uint64_t index, paddr_t pa);

/* Remove page `index`, which must have a frame, and return that. Tables that become empty are freed. */
paddr_t page_tree_remove(struct page_tree *tree, uint64_t index);

/* Remove all pages from `first` on, and call `drop` with each frame. Tables that become empty are freed. */
void page_tree_cut(struct page_tree *tree, uint64_t first, void (*drop)(paddr_t pa));

/* Do page_tree_cut(), but remove at most `most` pages. Returns whether there may be more; false: nothing is left. */
bool page_tree_cut_some(struct page_tree *tree, uint64_t first, uint64_t most, void (*drop)(paddr_t pa));
