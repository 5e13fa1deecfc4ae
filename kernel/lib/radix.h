/*
 * A radix tree: from numbers of 32 bits to pointers. Finding, entering and removing cost the same however many there
 * are.
 *
 * A node has 64 slots and two words of bits: which slots are used, and below which no number is free. The first one
 * leads to the next number that is used, the second one to the next that is free, past any number of others, in a step
 * for each level. The tree is as high as its largest number wants: a level for each 6 bits.
 *
 * Guard: whoever has the tree. One store makes an entry seen, and one makes it unseen: radix_find() in an interrupt
 * handler sees the tree as it was before or after a change. A node is given back after that, so no handler of another
 * CPU may be in the tree.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "paging/types.h"

#define RADIX_BITS  6
#define RADIX_SLOTS (1U << RADIX_BITS)

struct radix_node;

/* Guard: the tree's owner. */
struct radix {
	struct radix_node *root;
	/*
	 * A node without entries, for the next that is needed, so that entries that come and go one by one need no
	 * heap; or NULL.
	 */
	struct radix_node *spare;
	void *(*alloc)(size_t size); /* zeroed memory, or NULL; fixed when the tree is made */
	void (*free)(void *memory);  /* fixed when the tree is made */
};

/* Return what is entered under the number; NULL: nothing is. */
void *radix_find(const struct radix *tree, uint32_t number);

/*
 * Return what is entered under the least number at or above *number, and set *number to that. NULL: nothing; *number is
 * as it was.
 */
void *radix_next(const struct radix *tree, uint32_t *number);

/* Return the least number at or above `number` under which nothing is entered. There must be one. */
uint32_t radix_next_free(const struct radix *tree, uint32_t number);

/* Enter `item`, not NULL, under a number that has nothing. ERR_NO_MEMORY: the tree holds what it held. */
MUST_CHECK enum status radix_insert(struct radix *tree, uint32_t number, void *item);

/* Enter `item`, not NULL, in place of what is entered under the number, which must have something. */
void radix_replace(struct radix *tree, uint32_t number, void *item);

/* Remove what is entered under the number, which must have something, and return it. */
void *radix_remove(struct radix *tree, uint32_t number);

/* Give back the memory of a tree that has no entries. */
void radix_destroy(struct radix *tree);
