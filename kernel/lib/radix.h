/*
 * A radix tree: maps numbers of 32 bits to pointers. The time to find, add or remove an entry does not depend on the
 * number of entries.
 *
 * A node has 64 slots and two words of bits: `used` says which slots are in use, `full` below which slots no number is
 * free. With `used` the next number that has an entry is found, with `full` the next number that has none, in one step
 * for each level. The tree has one level for each 6 bits of the largest number in it.
 *
 * The code that has a tree says what guards it. An entry is added or removed by one store: radix_find() in an interrupt
 * handler sees the tree as it was either before or after a change. A node's memory is freed after that store, so no
 * handler on another CPU may be using the tree.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "paging/types.h"

#define RADIX_BITS  6
#define RADIX_SLOTS (1U << RADIX_BITS)

struct radix_node;

/* A tree. Guard: the code that has the tree says what guards it. */
struct radix {
	struct radix_node *root;
	/*
	 * A node without entries, or NULL. The next node that is needed is taken from here, so that entries that come
	 * and go one by one need no allocation.
	 */
	struct radix_node *spare;
	bool keeps_spare; /* keep `spare` even without entries, until radix_destroy(); fixed when the tree is made */
	void *(*alloc)(size_t size); /* zeroed memory, or NULL; fixed when the tree is made */
	void (*free)(void *memory);  /* fixed when the tree is made */
};

/* Return the entry of the number; NULL: it has none. */
void *radix_find(const struct radix *tree, uint32_t number);

/*
 * Return the entry of the least number at or above *number, and set *number to that number. Returns NULL when there is
 * no entry; *number is unchanged then.
 */
void *radix_next(const struct radix *tree, uint32_t *number);

/* Return the entry of the greatest number that has one, and set *number to that number; NULL: there is no entry. */
void *radix_last(const struct radix *tree, uint32_t *number);

/* Return the least number at or above `number` that has no entry. There must be such a number. */
uint32_t radix_next_free(const struct radix *tree, uint32_t number);

/* Make `item`, not NULL, the entry of a number that has none. Returns ERR_NO_MEMORY; the entries are unchanged then. */
MUST_CHECK enum status radix_insert(struct radix *tree, uint32_t number, void *item);

/* Make `item`, not NULL, the entry of a number that has an entry already, in place of the old one. */
void radix_replace(struct radix *tree, uint32_t number, void *item);

/*
 * Remove the entry of the number, which must have one, and return it. A tree without entries has no memory, unless
 * `keeps_spare` is set.
 */
void *radix_remove(struct radix *tree, uint32_t number);

/* Free the spare node of a tree that has no entries. */
void radix_destroy(struct radix *tree);
