/* Implements the radix tree of radix.h, whose nodes keep words of bits. */
#include "kernel/lib/radix.h"

#include "kernel/lib/panic.h"

#define LEVELS ((32 + RADIX_BITS - 1) / RADIX_BITS)
#define FULL   (~0ULL)

/* A node of a tree. Guard: what guards the tree. */
struct radix_node {
	uint64_t used;  /* a bit for each slot that is not NULL */
	uint64_t full;  /* a bit for each slot below which no number is free */
	unsigned shift; /* how many bits of a number lie below those that choose the slot; 0: slots are entries */
	void *slots[RADIX_SLOTS]; /* nodes of the next lower level, or entries */
};

static unsigned index_in(const struct radix_node *node, uint32_t number)
{
	return number >> node->shift & (RADIX_SLOTS - 1);
}

/* Return whether a tree with that root is high enough for the number. */
static bool reaches(const struct radix_node *root, uint32_t number)
{
	return root && (root->shift + RADIX_BITS >= 32 || !(number >> (root->shift + RADIX_BITS)));
}

static void *load(void *const *slot)
{
	return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

static struct radix_node *root_of(const struct radix *tree)
{
	return __atomic_load_n(&tree->root, __ATOMIC_ACQUIRE);
}

void *radix_find(const struct radix *tree, uint32_t number)
{
	const struct radix_node *node = root_of(tree);

	if (!reaches(node, number))
		return NULL;
	while (node && node->shift)
		node = load(&node->slots[index_in(node, number)]);
	return node ? load(&node->slots[index_in(node, number)]) : NULL;
}

/* Return `word` with the bits below number `index` cleared. */
static uint64_t bits_from(uint64_t word, unsigned index)
{
	return word & FULL << index;
}

/*
 * Set *number, which is one of the numbers below `node`, to the least number below the node's slot `index`, unless it
 * lies below that slot already.
 */
static void go_to_slot(const struct radix_node *node, unsigned index, uint32_t *number)
{
	uint32_t above = (uint32_t)((uint64_t)*number >> node->shift >> RADIX_BITS << RADIX_BITS);

	if (index != index_in(node, *number))
		*number = (above | index) << node->shift;
}

/*
 * Set *number, which is one of the numbers below `node`, to the least number that follows all of these. Returns false
 * when there is none.
 */
static bool go_behind(const struct radix_node *node, uint32_t *number)
{
	*number |= (uint32_t)((1ULL << (node->shift + RADIX_BITS)) - 1);
	return ++*number != 0;
}

void *radix_next(const struct radix *tree, uint32_t *number)
{
	const struct radix_node *root = root_of(tree), *node = root;
	uint32_t at = *number;

	while (reaches(root, at)) {
		uint64_t used = bits_from(node->used, index_in(node, at));
		void *found;

		if (!used) {
			/*
			 * This node has no more entries. Search on from the root: since no node is empty, that finds
			 * the next entry without going back again.
			 */
			if (node == root || !go_behind(node, &at))
				return NULL;
			node = root;
			continue;
		}
		go_to_slot(node, (unsigned)__builtin_ctzll(used), &at);
		found = load(&node->slots[index_in(node, at)]);
		if (!node->shift) {
			*number = at;
			return found;
		}
		node = found;
	}
	return NULL;
}

void *radix_last(const struct radix *tree, uint32_t *number)
{
	const struct radix_node *node = root_of(tree);
	uint32_t at = 0;

	/* Every node in the tree has an entry below it, so the last slot in use leads to one. */
	while (node) {
		const unsigned index = 63 - (unsigned)__builtin_clzll(node->used);
		void *found = load(&node->slots[index]);

		at |= (uint32_t)index << node->shift;
		if (!node->shift) {
			*number = at;
			return found;
		}
		node = found;
	}
	return NULL;
}

uint32_t radix_next_free(const struct radix *tree, uint32_t number)
{
	const struct radix_node *root = tree->root, *node = root;

	while (reaches(root, number)) {
		uint64_t open = bits_from(~node->full, index_in(node, number));

		if (!open) {
			bool more = go_behind(node, &number);

			ASSERT(more);
			node = root;
			continue;
		}
		go_to_slot(node, (unsigned)__builtin_ctzll(open), &number);
		if (!node->shift || !node->slots[index_in(node, number)])
			return number;
		node = node->slots[index_in(node, number)];
	}
	return number;
}

static struct radix_node *node_new(struct radix *tree, unsigned shift)
{
	struct radix_node *node = tree->spare ? tree->spare : tree->alloc(sizeof(*node));

	tree->spare = NULL;
	if (node)
		node->shift = shift;
	return node;
}

/* Give back a node that has no entries, or keep it as the spare one. */
static void node_drop(struct radix *tree, struct radix_node *node)
{
	if (!tree->spare && (tree->root || tree->keeps_spare))
		tree->spare = node;
	else
		tree->free(node);
}

/*
 * Make the tree high enough for the number. Returns false when there is no memory; the tree is then as high as it could
 * be made.
 */
static bool grow(struct radix *tree, uint32_t number)
{
	unsigned shift = 0;

	if (!tree->root) {
		while (shift + RADIX_BITS < 32 && number >> (shift + RADIX_BITS))
			shift += RADIX_BITS;
		tree->root = node_new(tree, shift);
	}
	while (tree->root && !reaches(tree->root, number)) {
		struct radix_node *root = node_new(tree, tree->root->shift + RADIX_BITS);

		if (!root)
			return false;
		root->slots[0] = tree->root;
		root->used = 1;
		root->full = tree->root->full == FULL;
		__atomic_store_n(&tree->root, root, __ATOMIC_RELEASE);
	}
	return tree->root != NULL;
}

/* The nodes on the way to the number, the root first, and how many there are. */
struct way {
	struct radix_node *nodes[LEVELS];
	unsigned count;
};

/* Return the way to the number, which ends early where a node is missing. */
static struct way way_to(const struct radix *tree, uint32_t number)
{
	struct way way = { .count = 0 };

	for (struct radix_node *node = tree->root; node; node = node->slots[index_in(node, number)]) {
		way.nodes[way.count++] = node;
		if (!node->shift)
			break;
	}
	return way;
}

void radix_destroy(struct radix *tree)
{
	ASSERT(!tree->root);
	if (tree->spare)
		tree->free(tree->spare);
	tree->spare = NULL;
}

/*
 * Drop nodes that have no entries from the end of `way`, the nodes on the way from the root to the number. If no node
 * is left, free the spare one, too, unless `keeps_spare` is set.
 */
static void prune(struct radix *tree, struct way *way, uint32_t number)
{
	while (way->count && !way->nodes[way->count - 1]->used) {
		struct radix_node *node = way->nodes[--way->count],
				  *above = way->count ? way->nodes[way->count - 1] : NULL;

		if (above) {
			unsigned index = index_in(above, number);

			above->used &= ~(1ULL << index);
			__atomic_store_n(&above->slots[index], NULL, __ATOMIC_RELEASE);
		} else {
			__atomic_store_n(&tree->root, NULL, __ATOMIC_RELEASE);
			if (!tree->keeps_spare)
				radix_destroy(tree);
		}
		node_drop(tree, node);
	}
}

/*
 * Continue from the end of `way` to the number's last node, and make the nodes that are missing. Returns false when
 * there is no memory for one.
 */
static bool lengthen(struct radix *tree, struct way *way, uint32_t number)
{
	struct radix_node *node = way->nodes[way->count - 1];

	while (node->shift) {
		struct radix_node *child = node_new(tree, node->shift - RADIX_BITS);
		unsigned index = index_in(node, number);

		if (!child)
			return false;
		node->used |= 1ULL << index;
		__atomic_store_n(&node->slots[index], (void *)child, __ATOMIC_RELEASE);
		way->nodes[way->count++] = child;
		node = child;
	}
	return true;
}

enum status radix_insert(struct radix *tree, uint32_t number, void *item)
{
	struct radix_node *node;
	unsigned index;
	struct way way;

	ASSERT(item);
	if (!grow(tree, number))
		return ERR_NO_MEMORY;
	way = way_to(tree, number);
	if (!lengthen(tree, &way, number)) {
		prune(tree, &way, number);
		return ERR_NO_MEMORY;
	}
	node = way.nodes[way.count - 1];
	index = index_in(node, number);
	ASSERT(!node->slots[index]);
	node->used |= 1ULL << index;
	node->full |= 1ULL << index;
	__atomic_store_n(&node->slots[index], item, __ATOMIC_RELEASE);
	for (unsigned i = way.count - 1; i > 0 && way.nodes[i]->full == FULL; i--)
		way.nodes[i - 1]->full |= 1ULL << index_in(way.nodes[i - 1], number);
	return OK;
}

void radix_replace(struct radix *tree, uint32_t number, void *item)
{
	struct way way = way_to(tree, number);
	struct radix_node *node;

	ASSERT(item && way.count && !way.nodes[way.count - 1]->shift);
	node = way.nodes[way.count - 1];
	ASSERT(node->slots[index_in(node, number)]);
	__atomic_store_n(&node->slots[index_in(node, number)], item, __ATOMIC_RELEASE);
}

void *radix_remove(struct radix *tree, uint32_t number)
{
	struct way way = way_to(tree, number);
	struct radix_node *node;
	unsigned index;
	void *item;

	ASSERT(way.count && !way.nodes[way.count - 1]->shift);
	for (unsigned i = 0; i < way.count; i++)
		way.nodes[i]->full &= ~(1ULL << index_in(way.nodes[i], number));
	node = way.nodes[way.count - 1];
	index = index_in(node, number);
	item = node->slots[index];
	ASSERT(item);
	node->used &= ~(1ULL << index);
	__atomic_store_n(&node->slots[index], NULL, __ATOMIC_RELEASE);
	prune(tree, &way, number);
	return item;
}
