/*
 * Trees of intervals of numbers, which may overlap one another: those that overlap a range are found in O(log n)
 * each. The code that has a tree says what guards it.
 */
#pragma once

#include "kernel/lib/tree.h"

/* An interval in a tree. Guard: what guards the tree. */
struct interval {
	uint64_t first, last;  /* the interval, `last` included; changed by interval_set_last() alone in a tree */
	const void *tag;       /* who the interval belongs to, for interval_first_other(); not changed in a tree */
	uint64_t end;          /* the greatest `last` in the subtree; set by the tree */
	const void *tags;      /* the tag of all intervals of the subtree; NULL: they differ; set by the tree */
	struct tree_node node; /* sorted by `first` */
};

/* Add an interval whose first, last and tag are set, or remove one. */
void interval_add(struct tree_node **root, struct interval *interval);
void interval_remove(struct tree_node **root, struct interval *interval);

/* Set the interval's `last`, which may be any number from `first` on. */
void interval_set_last(struct interval *interval, uint64_t last);

/*
 * interval_first: return the interval that starts lowest of those that overlap [first, last]. interval_next: return
 * the next of these after `interval`. NULL when there is none.
 */
struct interval *interval_first(struct tree_node *root, uint64_t first, uint64_t last);
struct interval *interval_next(const struct interval *interval, uint64_t first, uint64_t last);

/*
 * Return the interval that starts lowest of those that overlap [first, last] and have another tag than `tag`, which
 * is not NULL; or NULL. Subtrees of which all intervals have that tag are not searched, however many these are.
 */
struct interval *interval_first_other(const struct tree_node *root, uint64_t first, uint64_t last, const void *tag);
