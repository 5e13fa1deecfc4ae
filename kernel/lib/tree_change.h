/*
 * Adds nodes to a tree of kernel/lib/tree.h, removes them, and keeps the tree balanced; for the file that has the tree.
 *
 * A node may keep a sum of its subtree; in a tree of intervals, for example, the highest end of all intervals there.
 * The user's function `sum` computes it from the sums of the node's children, and is called wherever a subtree has
 * changed. All functions are inline ones in this header, so that the compiler can build the user's `sum` into them.
 */
#pragma once

#include "kernel/lib/tree.h"

/*
 * Compute the node's sum from its own values and its children's sums. Returns whether the sum is another one now. NULL
 * in place of such a function: nodes keep no sums.
 */
typedef bool tree_sum(struct tree_node *node);

/* Compute the sums anew from `node` towards the root, after a value of the node itself has changed. */
static inline void tree_sum_up(struct tree_node *node, tree_sum *sum)
{
	while (node && sum(node))
		node = node->parent;
}

static inline int tree_height(const struct tree_node *node)
{
	return node ? node->height : 0;
}

/* Compute the node's height and its sum from its children's. Returns whether either has changed. */
static inline bool tree_compute(struct tree_node *node, tree_sum *sum)
{
	int low = tree_height(node->child[TREE_LOW]), high = tree_height(node->child[TREE_HIGH]);
	int tall = 1 + (low > high ? low : high);
	bool changed = tall != node->height;

	node->height = tall;
	if (sum && sum(node))
		changed = true;
	return changed;
}

/* Return the pointer that points at the node. */
static inline struct tree_node **tree_link_of(struct tree_node **root, struct tree_node *node)
{
	if (!node->parent)
		return root;
	return &node->parent->child[node->parent->child[TREE_HIGH] == node];
}

/*
 * Rotate: put the child on `side` in the node's place; the node becomes that child's child on the other side. Returns
 * the child, which is on top now.
 */
static inline struct tree_node *tree_rotate(struct tree_node **root, struct tree_node *node, int side, tree_sum *sum)
{
	struct tree_node *top = node->child[side], *between = top->child[!side];

	*tree_link_of(root, node) = top;
	top->parent = node->parent;
	top->child[!side] = node;
	node->parent = top;
	node->child[side] = between;
	if (between)
		between->parent = node;
	tree_compute(node, sum);
	tree_compute(top, sum);
	return top;
}

/* Balance `node` and all nodes above it, and compute their heights and sums anew; stop where nothing changes. */
static inline void tree_mend(struct tree_node **root, struct tree_node *node, tree_sum *sum)
{
	while (node) {
		int lean = tree_height(node->child[TREE_HIGH]) - tree_height(node->child[TREE_LOW]);

		if (lean < -1 || lean > 1) {
			int side = lean > 0;
			struct tree_node *tall = node->child[side];

			if (tree_height(tall->child[!side]) > tree_height(tall->child[side]))
				tree_rotate(root, tall, !side, sum);
			node = tree_rotate(root, node, side, sum);
		} else if (!tree_compute(node, sum)) {
			return;
		}
		node = node->parent;
	}
}

/*
 * Add `node`, which must be in no tree, as parent's child on `side`, where there must be none; NULL: as the root of an
 * empty tree.
 */
static inline void tree_add(struct tree_node **root, struct tree_node *parent, enum tree_side side,
			    struct tree_node *node, tree_sum *sum)
{
	*node = (struct tree_node){ .parent = parent, .height = 1 };
	*(parent ? &parent->child[side] : root) = node;
	if (sum)
		sum(node);
	tree_mend(root, parent, sum);
}

/*
 * Take the node, which has two children, out of the tree, and put `next`, the first node behind it, in its place.
 * Returns the lowest node whose subtree has changed.
 */
static inline struct tree_node *tree_replace(struct tree_node **root, struct tree_node *node, struct tree_node *next)
{
	struct tree_node *from = next->parent == node ? next : next->parent;

	if (from != next) {
		/* The node `next` has no lower child, being the first. */
		from->child[TREE_LOW] = next->child[TREE_HIGH];
		if (next->child[TREE_HIGH])
			next->child[TREE_HIGH]->parent = from;
		next->child[TREE_HIGH] = node->child[TREE_HIGH];
		next->child[TREE_HIGH]->parent = next;
	}
	next->child[TREE_LOW] = node->child[TREE_LOW];
	next->child[TREE_LOW]->parent = next;
	*tree_link_of(root, node) = next;
	next->parent = node->parent;
	next->height = 0; /* still to be computed, whatever it was in the other place */
	return from;
}

/* Remove a node. */
static inline void tree_remove(struct tree_node **root, struct tree_node *node, tree_sum *sum)
{
	struct tree_node *from, *next = NULL;

	if (node->child[TREE_LOW] && node->child[TREE_HIGH]) {
		next = tree_outermost(node->child[TREE_HIGH], TREE_LOW);
		from = tree_replace(root, node, next);
	} else {
		struct tree_node *only = node->child[node->child[TREE_LOW] ? TREE_LOW : TREE_HIGH];

		from = node->parent;
		*tree_link_of(root, node) = only;
		if (only)
			only->parent = from;
	}
	tree_mend(root, from, sum);
	/* The walk from `from` may have stopped below `next`, which has other children now: mend it in any case. */
	if (next)
		tree_mend(root, next, sum);
}

/*
 * Take a leaf out of the tree without balancing it: for a caller that ends the whole tree, by calling this until it
 * returns NULL. Between two calls the nodes that are left must not be looked up. *at says where to go on: NULL at
 * first.
 */
static inline struct tree_node *tree_take_leaf(struct tree_node **root, struct tree_node **at)
{
	struct tree_node *node = *at ? *at : *root;

	if (!node)
		return NULL;
	while (node->child[TREE_LOW] || node->child[TREE_HIGH])
		node = node->child[node->child[TREE_LOW] ? TREE_LOW : TREE_HIGH];
	*tree_link_of(root, node) = NULL;
	*at = node->parent;
	return node;
}
