/*
 * The tree of a file's pages: a radix tree; see page_tree.h.
 */
#include "kernel/fs/page_tree.h"

#include "kernel/lib/panic.h"
#include "kernel/mm/heap/heap.h"

#define MOST_LEVELS ((64 + PAGE_TREE_BITS - 1) / PAGE_TREE_BITS)

/* One table of the radix tree. Guard: tasks only, which the kernel does not preempt. */
struct page_tree_table {
	/* addresses of frames on level 1, pointers to tables on higher levels; 0: none */
	uint64_t slots[PAGE_TREE_SIZE];
	uint64_t used; /* a bit for each slot that is not 0 */
};

_Static_assert(PAGE_TREE_SIZE == 64, "a bit for each slot");

static bool covers(unsigned height, uint64_t index)
{
	return height * PAGE_TREE_BITS >= 64 || index >> (height * PAGE_TREE_BITS) == 0;
}

/* Return which slot of a table of `level` leads to `index`; level 1 is the lowest. */
static unsigned slot_of(uint64_t index, unsigned level)
{
	return index >> ((level - 1) * PAGE_TREE_BITS) & (PAGE_TREE_SIZE - 1);
}

static struct page_tree_table *table_at(uint64_t slot)
{
	return (struct page_tree_table *)(uintptr_t)slot;
}

paddr_t page_tree_find(const struct page_tree *tree, uint64_t index)
{
	const struct page_tree_table *table = tree->root;

	if (!table || !covers(tree->height, index))
		return paddr(0);
	for (unsigned level = tree->height; level > 1; level--) {
		table = table_at(table->slots[slot_of(index, level)]);
		if (!table)
			return paddr(0);
	}
	return paddr(table->slots[slot_of(index, 1)]);
}

/*
 * Walk down the tree to the slot of page `index`: to level 1, or to an empty slot above it. Returns the level of the
 * slot, or 0 when the tree is too low for `index`. *ret is the table that has the slot.
 */
static unsigned lowest_slot(const struct page_tree *tree, uint64_t index, const struct page_tree_table **ret)
{
	const struct page_tree_table *table = tree->root;
	unsigned level = tree->height;

	if (!table || !covers(tree->height, index))
		return 0;
	while (level > 1 && table->slots[slot_of(index, level)])
		table = table_at(table->slots[slot_of(index, level--)]);
	*ret = table;
	return level;
}

static uint64_t bit_of(uint64_t index, unsigned level)
{
	return 1ULL << slot_of(index, level);
}

uint64_t page_tree_next(const struct page_tree *tree, uint64_t index)
{
	const struct page_tree_table *table;
	unsigned level;

	while ((level = lowest_slot(tree, index, &table)) != 0) {
		const unsigned shift =
			(level - 1) * PAGE_TREE_BITS; /* a slot of this level leads to 1 << shift pages */
		const uint64_t from = table->used >> slot_of(index, level);

		if (level == 1 && from)
			return index + (unsigned)__builtin_ctzll(from);
		if (!from && level == tree->height)
			break;
		/* Go to the first page of the next slot in use, or to the first page behind this table. */
		index = index >> shift << shift;
		if (from)
			index += (uint64_t)__builtin_ctzll(from) << shift;
		else
			index += (uint64_t)(PAGE_TREE_SIZE - slot_of(index, level)) << shift;
	}
	return PAGE_TREE_NONE;
}

uint64_t page_tree_next_hole(const struct page_tree *tree, uint64_t index)
{
	const struct page_tree_table *table;

	while (lowest_slot(tree, index, &table) == 1) {
		const uint64_t free = ~table->used >> slot_of(index, 1);

		if (free)
			return index + (unsigned)__builtin_ctzll(free);
		index += PAGE_TREE_SIZE - slot_of(index, 1);
	}
	return index;
}

/* Add levels on top of the tree until `index` fits. */
static enum status raise(struct page_tree *tree, uint64_t index)
{
	while (!tree->root || !covers(tree->height, index)) {
		struct page_tree_table *table = kzalloc(sizeof(*table));

		if (!table)
			return ERR_NO_MEMORY;
		if (tree->root) {
			table->slots[0] = (uintptr_t)tree->root;
			table->used = bit_of(0, 1);
		}
		tree->root = table;
		tree->height++;
	}
	return OK;
}

enum status page_tree_insert(struct page_tree *tree, uint64_t index, paddr_t pa)
{
	struct page_tree_table *table;

	if (raise(tree, index) != OK)
		return ERR_NO_MEMORY;
	table = tree->root;
	for (unsigned level = tree->height; level > 1; level--) {
		uint64_t *slot = &table->slots[slot_of(index, level)];

		if (!*slot) {
			struct page_tree_table *lower = kzalloc(sizeof(*lower));

			/* On failure empty tables may remain; page_tree_cut frees them. */
			if (!lower)
				return ERR_NO_MEMORY;
			*slot = (uintptr_t)lower;
			table->used |= bit_of(index, level);
		}
		table = table_at(*slot);
	}
	ASSERT(!table->slots[slot_of(index, 1)]);
	table->slots[slot_of(index, 1)] = pa.raw;
	table->used |= bit_of(index, 1);
	tree->count++;
	return OK;
}

/* Free the root if nothing is left in it. */
static void drop_empty_root(struct page_tree *tree)
{
	if (tree->root->used)
		return;
	kfree(tree->root);
	*tree = (struct page_tree){ 0 };
}

paddr_t page_tree_remove(struct page_tree *tree, uint64_t index)
{
	struct page_tree_table *path[MOST_LEVELS], *table = tree->root;
	unsigned level;
	paddr_t pa;

	ASSERT(table && covers(tree->height, index));
	for (level = tree->height; level > 1; level--) {
		path[level - 1] = table;
		table = table_at(table->slots[slot_of(index, level)]);
	}
	pa = paddr(table->slots[slot_of(index, 1)]);
	ASSERT(pa.raw);
	table->slots[slot_of(index, 1)] = 0;
	table->used &= ~bit_of(index, 1);
	/* Free each table that has become empty, from the lowest up; drop_empty_root() frees the root. */
	while (!table->used && ++level <= tree->height) {
		kfree(table);
		table = path[level - 1];
		table->slots[slot_of(index, level)] = 0;
		table->used &= ~bit_of(index, level);
	}
	tree->count--;
	drop_empty_root(tree);
	return pa;
}

#define TABLE_COST 2 /* to go through a table and free it counts as the removal of this many pages */

/* A removal of pages that is in progress. */
struct cut {
	struct page_tree *tree;
	void (*drop)(paddr_t pa);
	uint64_t left; /* how many pages may still be removed, where a table counts as TABLE_COST pages */
};

/*
 * Remove the pages of a table of `level` from `first` on, counted from the table's own first page; at most cut->left of
 * them. Recursion is at most 11 levels deep.
 */
static void cut_table(struct cut *cut, struct page_tree_table *table, unsigned level, uint64_t first)
{
	unsigned start = slot_of(first, level);
	uint64_t below = level > 1 ? first & ((1ULL << ((level - 1) * PAGE_TREE_BITS)) - 1) : 0;

	for (unsigned i = start; i < PAGE_TREE_SIZE && cut->left; i++) {
		uint64_t slot = table->slots[i];

		if (!slot)
			continue;
		if (level > 1) {
			cut_table(cut, table_at(slot), level - 1, i == start ? below : 0);
			if (table_at(slot)->used)
				continue;
			kfree(table_at(slot));
			cut->left -= cut->left < TABLE_COST ? cut->left : TABLE_COST;
		} else {
			cut->drop(paddr(slot));
			cut->tree->count--;
			cut->left--;
		}
		table->slots[i] = 0;
		table->used &= ~(1ULL << i);
	}
}

bool page_tree_cut_some(struct page_tree *tree, uint64_t first, uint64_t most, void (*drop)(paddr_t pa))
{
	struct cut cut = { tree, drop, most };

	if (!tree->root || !covers(tree->height, first))
		return false;
	cut_table(&cut, tree->root, tree->height, first);
	drop_empty_root(tree);
	return !cut.left;
}

void page_tree_cut(struct page_tree *tree, uint64_t first, void (*drop)(paddr_t pa))
{
	(void)page_tree_cut_some(tree, first, UINT64_MAX, drop);
}
