/*
 * The tree behind the windows: every piece of the range, free or reserved, in order of address. Private to window*.c.
 *
 * A treap: a search tree by address and at once a heap by a random priority, which keeps it about 2 log2(n) deep
 * without other balancing (Seidel and Aragon, "Randomized Search Trees"). Each node knows the largest free piece in its
 * subtree, so that the lowest piece of some size is found in one descent.
 */
#pragma once

#include "paging/types.h"

struct window_node {
	struct window_node *left;
	struct window_node *right;
	struct window_node *parent;
	vaddr_t base;      /* first byte of the piece, guards included */
	uint64_t size;     /* bytes, guards included */
	uint64_t best;     /* largest free piece in this subtree, in bytes; 0: none */
	uint32_t priority; /* greater than or equal to that of each child */
	uint8_t reserved;  /* 0: free */
	uint8_t guard;     /* enum window_guard, of a reserved piece */
};

void window_tree_insert(struct window_node **root, struct window_node *node);
void window_tree_remove(struct window_node **root, struct window_node *node);

/* Bring `best` up to date from `node` to the root, after the size or the state of `node` has changed. */
void window_tree_update(struct window_node *node);

/* Return the last node that starts at or below `va`; NULL when none does. */
struct window_node *window_tree_floor(struct window_node *root, vaddr_t va);

struct window_node *window_tree_first(struct window_node *root);
struct window_node *window_tree_next(struct window_node *node);
struct window_node *window_tree_previous(struct window_node *node);

/*
 * Return the lowest free piece of at least `size` bytes; and the next such piece above `node`. NULL when there is none.
 */
struct window_node *window_tree_fit(struct window_node *root, uint64_t size);
struct window_node *window_tree_next_fit(struct window_node *node, uint64_t size);
