/*
 * The tree of address pieces behind the windows: inserts, removes and finds nodes, and keeps the tree balanced. Knows
 * nothing of alignment, guards or where nodes come from.
 */
#include "kernel/mm/space/window_tree.h"

static uint64_t best_of(const struct window_node *node)
{
	return node ? node->best : 0;
}

static uint64_t free_size(const struct window_node *node)
{
	return node->reserved ? 0 : node->size;
}

static void compute_best(struct window_node *node)
{
	uint64_t best = free_size(node);

	if (best_of(node->left) > best)
		best = best_of(node->left);
	if (best_of(node->right) > best)
		best = best_of(node->right);
	node->best = best;
}

void window_tree_update(struct window_node *node)
{
	for (; node; node = node->parent)
		compute_best(node);
}

/* Return the pointer that leads to `node`: the root pointer, or one of the node's parent. */
static struct window_node **link_to(struct window_node **root, struct window_node *node)
{
	struct window_node *parent = node->parent;

	if (!parent)
		return root;
	return parent->left == node ? &parent->left : &parent->right;
}

/* Put `child` in its parent's place, and the parent below it; the order by address is kept. */
static void rotate_up(struct window_node **root, struct window_node *child)
{
	struct window_node *parent = child->parent;
	struct window_node **link = link_to(root, parent);
	struct window_node *moved;

	if (parent->left == child) {
		moved = child->right;
		child->right = parent;
		parent->left = moved;
	} else {
		moved = child->left;
		child->left = parent;
		parent->right = moved;
	}
	if (moved)
		moved->parent = parent;
	child->parent = parent->parent;
	parent->parent = child;
	*link = child;
	compute_best(parent);
	compute_best(child);
}

void window_tree_insert(struct window_node **root, struct window_node *node)
{
	struct window_node **link = root;
	struct window_node *parent = NULL;

	while (*link) {
		parent = *link;
		link = node->base < parent->base ? &parent->left : &parent->right;
	}
	node->left = NULL;
	node->right = NULL;
	node->parent = parent;
	*link = node;
	window_tree_update(node);
	while (node->parent && node->parent->priority < node->priority)
		rotate_up(root, node);
}

void window_tree_remove(struct window_node **root, struct window_node *node)
{
	while (node->left && node->right)
		rotate_up(root, node->left->priority > node->right->priority ? node->left : node->right);

	struct window_node *child = node->left ? node->left : node->right;

	*link_to(root, node) = child;
	if (child)
		child->parent = node->parent;
	window_tree_update(node->parent);
}

struct window_node *window_tree_floor(struct window_node *root, vaddr_t va)
{
	struct window_node *found = NULL;

	while (root) {
		if (root->base <= va) {
			found = root;
			root = root->right;
		} else {
			root = root->left;
		}
	}
	return found;
}

struct window_node *window_tree_first(struct window_node *root)
{
	while (root && root->left)
		root = root->left;
	return root;
}

struct window_node *window_tree_next(struct window_node *node)
{
	if (node->right)
		return window_tree_first(node->right);
	while (node->parent && node->parent->right == node)
		node = node->parent;
	return node->parent;
}

struct window_node *window_tree_previous(struct window_node *node)
{
	if (node->left) {
		for (node = node->left; node->right; node = node->right)
			;
		return node;
	}
	while (node->parent && node->parent->left == node)
		node = node->parent;
	return node->parent;
}

struct window_node *window_tree_fit(struct window_node *root, uint64_t size)
{
	if (best_of(root) < size)
		return NULL;
	for (;;) {
		if (best_of(root->left) >= size)
			root = root->left;
		else if (free_size(root) >= size)
			return root;
		else
			root = root->right;
	}
}

struct window_node *window_tree_next_fit(struct window_node *node, uint64_t size)
{
	for (;;) {
		struct window_node *below = window_tree_fit(node->right, size);

		if (below)
			return below;
		while (node->parent && node->parent->right == node)
			node = node->parent;
		node = node->parent;
		if (!node || free_size(node) >= size)
			return node;
	}
}
