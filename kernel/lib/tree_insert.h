/*
 * Adds nodes to a tree of kernel/lib/tree.h that is sorted by a function. All is inline, so that the compiler can build
 * the user's function into the loop.
 */
#pragma once

#include "kernel/lib/tree_change.h"

/* Return whether `node` belongs behind `other`, which is in the tree. */
typedef bool tree_order(const struct tree_node *node, const struct tree_node *other);

/* Add `node`, which must be in no tree, where `is_behind` says. sum: as in tree_change.h. */
static inline void tree_insert(struct tree_node **root, struct tree_node *node, tree_order *is_behind, tree_sum *sum)
{
	struct tree_node *parent = NULL;
	enum tree_side side = TREE_LOW;

	for (struct tree_node *at = *root; at; at = at->child[side]) {
		parent = at;
		side = is_behind(node, at) ? TREE_HIGH : TREE_LOW;
	}
	tree_add(root, parent, side, node, sum);
}
