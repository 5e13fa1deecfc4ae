/*
 * The tree of areas. Each node records where its subtree begins and ends, and the widest gap between two neighbours in
 * it.
 */
#include "kernel/mm/user/area.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/tree_change.h"

/* Return the area of a node; NULL for none. */
static struct area *area_of(const struct tree_node *node)
{
	return node ? tree_item(node, struct area, node) : NULL;
}

/* Return the child of an area, or NULL. */
static struct area *child(const struct area *a, enum tree_side side)
{
	return area_of(a->node.child[side]);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Compute the node's first, last and gap from its children's. Returns whether any has changed. */
static bool sum(struct tree_node *node)
{
	struct area *a = area_of(node);
	const struct area *low = child(a, TREE_LOW), *high = child(a, TREE_HIGH);
	vaddr_t first = low ? low->first : a->start, last = high ? high->last : a->end;
	uint64_t gap = 0;
	bool changed;

	if (low)
		gap = larger(low->gap, a->start - low->last);
	if (high)
		gap = larger(gap, larger(high->gap, high->first - a->end));
	changed = first != a->first || last != a->last || gap != a->gap;
	a->first = first;
	a->last = last;
	a->gap = gap;
	return changed;
}

struct area *area_find_from(const struct area_tree *tree, vaddr_t va)
{
	struct area *a = area_of(tree->root), *best = NULL;

	while (a) {
		if (va >= a->end) {
			a = child(a, TREE_HIGH);
			continue;
		}
		best = a;
		if (va >= a->start)
			break;
		a = child(a, TREE_LOW);
	}
	return best;
}

struct area *area_find(const struct area_tree *tree, vaddr_t va)
{
	struct area *a = area_of(tree->root);

	while (a && (va < a->start || va >= a->end))
		a = child(a, va >= a->end);
	return a;
}

struct area *area_next(const struct area *area)
{
	return area_of(tree_beside(&area->node, TREE_HIGH));
}

struct area *area_prev(const struct area_tree *tree, const struct area *area)
{
	return area_of(area ? tree_beside(&area->node, TREE_LOW) : tree_outermost(tree->root, TREE_HIGH));
}

void area_insert(struct area_tree *tree, struct area *area)
{
	struct area *parent = NULL;
	enum tree_side side = TREE_LOW;

	ASSERT(area->start < area->end);
	for (struct area *a = area_of(tree->root); a; a = child(a, side)) {
		parent = a;
		ASSERT(area->end <= a->start || area->start >= a->end);
		side = area->start >= a->end;
	}
	tree_add(&tree->root, parent ? &parent->node : NULL, side, &area->node, sum);
	tree->count++;
}

void area_remove(struct area_tree *tree, struct area *area)
{
	tree_remove(&tree->root, &area->node, sum);
	tree->count--;
}

void area_resize(struct area *area, vaddr_t start, vaddr_t end)
{
	ASSERT(start < end);
	if (area->object)
		area->offset += (int64_t)(start - area->start) / (int64_t)PAGE_SIZE;
	area->start = start;
	area->end = end;
	tree_sum_up(&area->node, sum);
}

/*
 * area_split() and area_join() change the end of `low` without computing sums. Where `high` is added or removed below
 * `low` in the tree, it is the first area of a subtree there: the field `first` of each node from that place up to
 * `low` changes, so that the sums of all these nodes, `low` included, are computed anew.
 */

void area_split(struct area_tree *tree, struct area *low, vaddr_t at, struct area *high)
{
	ASSERT(low->start < at && at < low->end);
	*high = *low;
	high->start = at;
	if (high->object)
		high->offset += (at - low->start) / PAGE_SIZE;
	low->end = at;
	area_insert(tree, high);
}

void area_join(struct area_tree *tree, struct area *low, struct area *high)
{
	const vaddr_t end = high->end;
	const bool is_below = child(low, TREE_HIGH);

	ASSERT(low->end == high->start);
	if (is_below)
		low->end = end;
	area_remove(tree, high);
	if (!is_below)
		area_resize(low, low->start, end);
}

/*
 * Return whether [from, to), clipped to [low, high), has at least `size` bytes; if so, *ret is where the last `size`
 * bytes of it start.
 */
static bool fits(vaddr_t from, vaddr_t to, uint64_t size, vaddr_t low, vaddr_t high, vaddr_t *ret)
{
	if (from < low)
		from = low;
	if (to > high)
		to = high;
	if (to < from || to - from < size)
		return false;
	*ret = to - size;
	return true;
}

/* Find the highest gap that fits, between neighbours inside the subtree. Recurses as deep as the tree is high. */
static bool gap_inside(const struct area *a, uint64_t size, vaddr_t low, vaddr_t high, vaddr_t *ret)
{
	const struct area *below, *above;

	/* There is no subtree, or it has no gap wide enough, or lies outside of [low, high). */
	if (!a || a->gap < size || a->first >= high || a->last <= low)
		return false;
	below = child(a, TREE_LOW);
	above = child(a, TREE_HIGH);
	return gap_inside(above, size, low, high, ret) || (above && fits(a->end, above->first, size, low, high, ret)) ||
	       (below && fits(below->last, a->start, size, low, high, ret)) || gap_inside(below, size, low, high, ret);
}

enum status area_gap_below(const struct area_tree *tree, uint64_t size, vaddr_t low, vaddr_t high, vaddr_t *ret)
{
	const struct area *root = area_of(tree->root);

	if (!root)
		return fits(low, high, size, low, high, ret) ? OK : ERR_NOT_FOUND;
	if (fits(root->last, high, size, low, high, ret) || gap_inside(root, size, low, high, ret) ||
	    fits(low, root->first, size, low, high, ret))
		return OK;
	return ERR_NOT_FOUND;
}

bool area_continues(const struct area *low, const struct area *high)
{
	return low->end == high->start && low->rights == high->rights && low->object == high->object &&
	       !((low->flags ^ high->flags) & AREA_KIND) &&
	       (!low->object || low->offset + (low->end - low->start) / PAGE_SIZE == high->offset);
}

/*
 * Copy a subtree; the copy's root gets the parent `parent`. Returns false when `copy` has returned NULL for a node; the
 * nodes made so far are linked.
 */
static bool copy_below(const struct area *a, struct tree_node *parent, struct tree_node **link,
		       struct area *(*copy)(void *ctx, const struct area *area), void *ctx, size_t *count)
{
	struct area *made = copy(ctx, a);

	if (!made)
		return false;
	made->node = (struct tree_node){ .parent = parent, .height = a->node.height };
	made->first = a->first;
	made->last = a->last;
	made->gap = a->gap;
	*link = &made->node;
	++*count;
	for (int side = TREE_LOW; side <= TREE_HIGH; side++)
		if (a->node.child[side] &&
		    !copy_below(child(a, side), &made->node, &made->node.child[side], copy, ctx, count))
			return false;
	return true;
}

bool area_copy_all(const struct area_tree *tree, struct area *(*copy)(void *ctx, const struct area *area), void *ctx,
		   struct area_tree *ret)
{
	*ret = (struct area_tree){ NULL, 0 };
	return !tree->root || copy_below(area_of(tree->root), NULL, &ret->root, copy, ctx, &ret->count);
}

void area_drop_all(struct area_tree *tree, void (*drop)(void *ctx, struct area *area), void *ctx)
{
	struct tree_node *node, *at = NULL;

	while ((node = tree_take_leaf(&tree->root, &at)) != NULL)
		drop(ctx, area_of(node));
	tree->count = 0;
}
