/* The balanced tree beside an array of what is in it: random changes, and after each the whole tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/tree_insert.h"
#include "test/host/random.h"

#define KEYS 300

/* The sum of a node: the largest weight in its subtree. */
struct item {
	unsigned key, weight, largest;
	bool inside;
	struct tree_node node;
};

static struct item items[KEYS];
static struct tree_node *root;

static struct item *item_of(const struct tree_node *node)
{
	return node ? tree_item(node, struct item, node) : NULL;
}

static unsigned largest_of(const struct item *item)
{
	unsigned largest = item->weight;

	for (int side = TREE_LOW; side <= TREE_HIGH; side++) {
		const struct item *child = item_of(item->node.child[side]);

		if (child && child->largest > largest)
			largest = child->largest;
	}
	return largest;
}

static bool sum(struct tree_node *node)
{
	struct item *item = item_of(node);
	unsigned largest = largest_of(item);
	bool changed = largest != item->largest;

	item->largest = largest;
	return changed;
}

static bool is_behind(const struct tree_node *node, const struct tree_node *other)
{
	return item_of(node)->key > item_of(other)->key;
}

static void add(struct item *item)
{
	tree_insert(&root, &item->node, is_behind, sum);
	item->inside = true;
}

/* Check a subtree: balance, links, order, sums. Returns its height; *next is the lowest key that may come. */
static int check_below(const struct tree_node *node, const struct tree_node *parent, unsigned *next)
{
	const struct item *item = item_of(node);
	int low, high;

	if (!node)
		return 0;
	assert_ptr_equal(node->parent, parent);
	low = check_below(node->child[TREE_LOW], node, next);
	for (; *next < item->key; ++*next)
		assert_false(items[*next].inside);
	assert_true(item->inside);
	assert_int_equal(item->key, *next);
	++*next;
	high = check_below(node->child[TREE_HIGH], node, next);
	assert_in_range(low - high + 1, 0, 2);
	assert_int_equal(node->height, 1 + (low > high ? low : high));
	assert_int_equal(item->largest, largest_of(item));
	return node->height;
}

static void check(void)
{
	unsigned next = 0;
	const struct tree_node *before = NULL;

	check_below(root, NULL, &next);
	for (; next < KEYS; next++)
		assert_false(items[next].inside);
	for (unsigned key = 0; key < KEYS; key++) {
		const struct tree_node *node = &items[key].node;

		if (!items[key].inside)
			continue;
		assert_ptr_equal(tree_beside(node, TREE_LOW), before);
		assert_ptr_equal(before ? tree_beside(before, TREE_HIGH) : tree_outermost(root, TREE_LOW), node);
		before = node;
	}
	assert_ptr_equal(tree_outermost(root, TREE_HIGH), before);
	assert_null(before ? tree_beside(before, TREE_HIGH) : NULL);
}

static void change(struct random *random, unsigned key)
{
	struct item *item = &items[key];

	if (!item->inside) {
		item->weight = (unsigned)random_below(random, 1000);
		add(item);
	} else if (random_below(random, 3)) {
		tree_remove(&root, &item->node, sum);
		item->inside = false;
	} else {
		item->weight = (unsigned)random_below(random, 1000);
		tree_sum_up(&item->node, sum);
	}
}

/* Few keys first, so that each shape of a small tree comes; then many. */
static void test_random(void **state)
{
	struct random random = random_start("test_tree");

	(void)state;
	for (unsigned most = 3; most <= KEYS; most *= 10)
		for (unsigned round = 0; round < 5000; round++) {
			change(&random, (unsigned)random_below(&random, most));
			check();
		}
}

/* Keys in rising and in falling order, which would make a list of a tree that nothing balances. */
static void test_sorted(void **state)
{
	(void)state;
	for (unsigned falling = 0; falling < 2; falling++) {
		for (unsigned i = 0; i < KEYS; i++)
			if (!items[i].inside)
				tree_add(&root, tree_outermost(root, falling ? TREE_LOW : TREE_HIGH),
					 falling ? TREE_LOW : TREE_HIGH, &items[falling ? KEYS - 1 - i : i].node, NULL);
		assert_in_range(root->height, 9, 12);
		while (root)
			tree_remove(&root, root, NULL);
	}
}

static int make_items(void **state)
{
	(void)state;
	memset(items, 0, sizeof(items));
	root = NULL;
	for (unsigned key = 0; key < KEYS; key++)
		items[key].key = key;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random, make_items),
		cmocka_unit_test_setup(test_sorted, make_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
