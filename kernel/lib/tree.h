/*
 * Balanced binary trees (AVL), whose nodes are fields of the structures in the tree: finding, adding and removing take
 * O(log n), and adding and removing need no memory.
 *
 * The tree knows no keys: whoever looks for a node descends by a loop over `child`. kernel/lib/tree_change.h adds and
 * removes nodes, and kernel/lib/tree_insert.h also finds the place of a new one. The code that has a tree says what
 * guards it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tree_side { TREE_LOW, TREE_HIGH };

/* Guard: what guards the tree. */
struct tree_node {
	struct tree_node *parent;   /* NULL: the node is the root */
	struct tree_node *child[2]; /* what sorts before the node, and what sorts behind it; or NULL */
	int height;                 /* levels of the subtree; a leaf's is 1 */
};

/* Return the structure of type `type` whose field `member` is *node. */
#define tree_item(node, type, member) ((type *)((uintptr_t)(node)-offsetof(type, member)))

/* Return the outermost node of a subtree: the first one, for TREE_LOW, or the last one. NULL for no subtree. */
static inline struct tree_node *tree_outermost(struct tree_node *node, enum tree_side side)
{
	while (node && node->child[side])
		node = node->child[side];
	return node;
}

/* Return the node's neighbour in the tree's order, the next one for TREE_HIGH; NULL when there is none. */
static inline struct tree_node *tree_beside(const struct tree_node *node, enum tree_side side)
{
	if (node->child[side])
		return tree_outermost(node->child[side], !side);
	while (node->parent && node->parent->child[side] == node)
		node = node->parent;
	return node->parent;
}
