/*
 * The tree of areas: an AVL tree with parent pointers. Each node records where its subtree begins and ends, and the
 * widest gap between two neighbours in it. A change walks towards the root and stops where nothing changes any more.
 */
#include "kernel/mm/user/area.h"

#include "kernel/lib/panic.h"

enum { LOW, HIGH };

static int height(const struct area *a)
{
	return a ? a->height : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Compute the node's height, first, last and gap from its children's. Returns whether anything has changed. */
static bool sum_up(struct area *a)
{
	const struct area *low = a->child[LOW], *high = a->child[HIGH];
	int tall = 1 + (height(low) > height(high) ? height(low) : height(high));
	vaddr_t first = low ? low->first : a->start, last = high ? high->last : a->end;
	uint64_t gap = 0;
	bool changed;

	if (low)
		gap = larger(low->gap, a->start - low->last);
	if (high)
		gap = larger(gap, larger(high->gap, high->first - a->end));
	changed = tall != a->height || first != a->first || last != a->last || gap != a->gap;
	a->height = tall;
	a->first = first;
	a->last = last;
	a->gap = gap;
	return changed;
}

/* Return the pointer that points at `a`. */
static struct area **link_of(struct area_tree *tree, struct area *a)
{
	if (!a->parent)
		return &tree->root;
	return &a->parent->child[a->parent->child[HIGH] == a];
}

/*
 * Rotate: put the child on `side` in the place of `a`, which becomes that child's child on the other side. Returns the
 * node that is on top now.
 */
static struct area *rotate(struct area_tree *tree, struct area *a, int side)
{
	struct area *top = a->child[side], *between = top->child[!side];

	*link_of(tree, a) = top;
	top->parent = a->parent;
	top->child[!side] = a;
	a->parent = top;
	a->child[side] = between;
	if (between)
		between->parent = a;
	sum_up(a);
	sum_up(top);
	return top;
}

/* Balance `a` and all nodes above it, and compute their fields anew (sum_up); stop where nothing changes. */
static void mend(struct area_tree *tree, struct area *a)
{
	while (a) {
		int lean = height(a->child[HIGH]) - height(a->child[LOW]);
		bool changed;

		if (lean < -1 || lean > 1) {
			int side = lean > 0;
			struct area *tall = a->child[side];

			if (height(tall->child[!side]) > height(tall->child[side]))
				rotate(tree, tall, !side);
			a = rotate(tree, a, side);
			changed = true;
		} else {
			changed = sum_up(a);
		}
		if (!changed)
			return;
		a = a->parent;
	}
}

struct area *area_find_from(const struct area_tree *tree, vaddr_t va)
{
	struct area *a = tree->root, *best = NULL;

	while (a) {
		if (va >= a->end) {
			a = a->child[HIGH];
			continue;
		}
		best = a;
		if (va >= a->start)
			break;
		a = a->child[LOW];
	}
	return best;
}

struct area *area_find(const struct area_tree *tree, vaddr_t va)
{
	struct area *a = tree->root;

	while (a && (va < a->start || va >= a->end))
		a = a->child[va >= a->end];
	return a;
}

/* Return the outermost node on `side` of a subtree. */
static struct area *outermost(struct area *a, int side)
{
	while (a && a->child[side])
		a = a->child[side];
	return a;
}

static struct area *neighbour(const struct area *a, int side)
{
	if (a->child[side])
		return outermost(a->child[side], !side);
	while (a->parent && a->parent->child[side] == a)
		a = a->parent;
	return a->parent;
}

struct area *area_next(const struct area *area)
{
	return neighbour(area, HIGH);
}

struct area *area_prev(const struct area_tree *tree, const struct area *area)
{
	return area ? neighbour(area, LOW) : outermost(tree->root, HIGH);
}

void area_insert(struct area_tree *tree, struct area *area)
{
	struct area **link = &tree->root, *parent = NULL;

	ASSERT(area->start < area->end);
	while (*link) {
		parent = *link;
		ASSERT(area->end <= parent->start || area->start >= parent->end);
		link = &parent->child[area->start >= parent->end];
	}
	*link = area;
	area->parent = parent;
	area->child[LOW] = area->child[HIGH] = NULL;
	area->height = 0;
	sum_up(area);
	mend(tree, parent);
	tree->count++;
}

void area_remove(struct area_tree *tree, struct area *area)
{
	struct area *from, *next = NULL, *only;

	if (area->child[LOW] && area->child[HIGH]) {
		/* The next area takes this one's place; it has no lower child. */
		next = outermost(area->child[HIGH], LOW);
		from = next->parent == area ? next : next->parent;
		if (next->parent != area) {
			next->parent->child[LOW] = next->child[HIGH];
			if (next->child[HIGH])
				next->child[HIGH]->parent = next->parent;
			next->child[HIGH] = area->child[HIGH];
			next->child[HIGH]->parent = next;
		}
		next->child[LOW] = area->child[LOW];
		next->child[LOW]->parent = next;
		*link_of(tree, area) = next;
		next->parent = area->parent;
		/* The node `next` has another place now: its height there is still to be computed. */
		next->height = 0;
	} else {
		only = area->child[area->child[LOW] ? LOW : HIGH];
		from = area->parent;
		*link_of(tree, area) = only;
		if (only)
			only->parent = from;
	}
	mend(tree, from);
	/* The walk from `from` may have stopped below `next`, which has other children now: mend it in any case. */
	if (next)
		mend(tree, next);
	tree->count--;
}

void area_resize(struct area *area, vaddr_t start, vaddr_t end)
{
	ASSERT(start < end);
	if (area->object)
		area->offset += (int64_t)(start - area->start) / (int64_t)PAGE_SIZE;
	area->start = start;
	area->end = end;
	while (area && sum_up(area))
		area = area->parent;
}

/*
 * Return whether [from, to), clipped to [low, high), holds `size` bytes; if so, *ret is where the last such bytes
 * start.
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

/* Find the highest gap that fits, between neighbours inside the subtree. Recursion as deep as the tree. */
static bool gap_inside(const struct area *a, uint64_t size, vaddr_t low, vaddr_t high, vaddr_t *ret)
{
	const struct area *below, *above;

	/* The subtree has no gap wide enough, or lies outside of [low, high). */
	if (!a || a->gap < size || a->first >= high || a->last <= low)
		return false;
	below = a->child[LOW];
	above = a->child[HIGH];
	return gap_inside(above, size, low, high, ret) || (above && fits(a->end, above->first, size, low, high, ret)) ||
	       (below && fits(below->last, a->start, size, low, high, ret)) || gap_inside(below, size, low, high, ret);
}

enum status area_gap_below(const struct area_tree *tree, uint64_t size, vaddr_t low, vaddr_t high, vaddr_t *ret)
{
	const struct area *root = tree->root;

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
static bool copy_below(const struct area *a, struct area *parent, struct area **link,
		       struct area *(*copy)(void *ctx, const struct area *area), void *ctx, size_t *count)
{
	struct area *made = copy(ctx, a);

	if (!made)
		return false;
	made->parent = parent;
	made->child[LOW] = made->child[HIGH] = NULL;
	made->height = a->height;
	made->first = a->first;
	made->last = a->last;
	made->gap = a->gap;
	*link = made;
	++*count;
	for (int side = LOW; side <= HIGH; side++)
		if (a->child[side] && !copy_below(a->child[side], made, &made->child[side], copy, ctx, count))
			return false;
	return true;
}

bool area_copy_all(const struct area_tree *tree, struct area *(*copy)(void *ctx, const struct area *area), void *ctx,
		   struct area_tree *ret)
{
	*ret = (struct area_tree){ NULL, 0 };
	return !tree->root || copy_below(tree->root, NULL, &ret->root, copy, ctx, &ret->count);
}

void area_drop_all(struct area_tree *tree, void (*drop)(void *ctx, struct area *area), void *ctx)
{
	struct area *a = tree->root;

	/* Drop each node after its children, since `drop` may free it. */
	while (a) {
		struct area *parent = a->parent;

		if (a->child[LOW]) {
			a = a->child[LOW];
		} else if (a->child[HIGH]) {
			a = a->child[HIGH];
		} else {
			if (parent)
				parent->child[parent->child[HIGH] == a] = NULL;
			drop(ctx, a);
			a = parent;
		}
	}
	*tree = (struct area_tree){ NULL, 0 };
}
