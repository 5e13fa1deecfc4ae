/* Keeps intervals in a tree, and finds those that overlap a range; see interval.h. */
#include "kernel/lib/interval.h"

#include "kernel/lib/tree_insert.h"

static struct interval *interval_of(const struct tree_node *node)
{
	return tree_item(node, struct interval, node);
}

static bool sum(struct tree_node *node)
{
	struct interval *interval = interval_of(node);
	const void *tags = interval->tag;
	uint64_t end = interval->last;
	bool changed;

	for (int side = TREE_LOW; side <= TREE_HIGH; side++) {
		const struct interval *child = node->child[side] ? interval_of(node->child[side]) : NULL;

		if (child && child->end > end)
			end = child->end;
		if (child && child->tags != tags)
			tags = NULL;
	}
	changed = end != interval->end || tags != interval->tags;
	interval->end = end;
	interval->tags = tags;
	return changed;
}

static bool is_behind(const struct tree_node *node, const struct tree_node *other)
{
	return interval_of(node)->first >= interval_of(other)->first;
}

void interval_add(struct tree_node **root, struct interval *interval)
{
	tree_insert(root, &interval->node, is_behind, sum);
}

void interval_remove(struct tree_node **root, struct interval *interval)
{
	tree_remove(root, &interval->node, sum);
}

void interval_set_last(struct interval *interval, uint64_t last)
{
	interval->last = last;
	tree_sum_up(&interval->node, sum);
}

/* Return whether the subtree at `node` (NULL: it is empty) has an interval whose `last` is at least `first`. */
static bool reaches(const struct tree_node *node, uint64_t first)
{
	return node && interval_of(node)->end >= first;
}

/* Return the first interval of a subtree whose `last` is at least `first`. There must be one: see reaches(). */
static struct interval *first_reaching(const struct tree_node *node, uint64_t first)
{
	for (;;) {
		if (reaches(node->child[TREE_LOW], first))
			node = node->child[TREE_LOW];
		else if (interval_of(node)->last >= first)
			return interval_of(node);
		else
			node = node->child[TREE_HIGH];
	}
}

struct interval *interval_first(struct tree_node *root, uint64_t first, uint64_t last)
{
	struct interval *found = reaches(root, first) ? first_reaching(root, first) : NULL;

	return found && found->first <= last ? found : NULL;
}

/* Return the lowest node above `node` that sorts behind it, so that its lower subtree is where `node` is; or NULL. */
static const struct tree_node *node_behind(const struct tree_node *node)
{
	while (node->parent && node->parent->child[TREE_HIGH] == node)
		node = node->parent;
	return node->parent;
}

struct interval *interval_next(const struct interval *interval, uint64_t first, uint64_t last)
{
	const struct tree_node *node = &interval->node;

	/*
	 * An interval that starts behind `last` does not overlap the range, and neither does any interval after it.
	 */
	while (node && interval_of(node)->first <= last) {
		if (reaches(node->child[TREE_HIGH], first)) {
			struct interval *found = first_reaching(node->child[TREE_HIGH], first);

			return found->first <= last ? found : NULL;
		}
		node = node_behind(node);
		if (node && interval_of(node)->last >= first)
			return interval_of(node)->first <= last ? interval_of(node) : NULL;
	}
	return NULL;
}

/* Return whether the subtree at `node` may have an interval of another tag whose `last` is at least `first`. */
static bool may_have_other(const struct tree_node *node, uint64_t first, const void *tag)
{
	return reaches(node, first) && interval_of(node)->tags != tag;
}

struct interval *interval_first_other(const struct tree_node *root, uint64_t first, uint64_t last, const void *tag)
{
	const struct tree_node *node = may_have_other(root, first, tag) ? root : NULL;
	bool comes_from_above = true;

	while (node) {
		while (comes_from_above && may_have_other(node->child[TREE_LOW], first, tag))
			node = node->child[TREE_LOW];
		/* If this interval starts behind `last`, so do all that would be visited after it. */
		if (interval_of(node)->first > last)
			return NULL;
		if (interval_of(node)->tag != tag && interval_of(node)->last >= first)
			return interval_of(node);
		comes_from_above = may_have_other(node->child[TREE_HIGH], first, tag);
		if (comes_from_above)
			node = node->child[TREE_HIGH];
		else
			node = node_behind(node);
	}
	return NULL;
}
