/*
 * The tree of areas against a list of pages: random operations, and after each the whole tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/user/area.h"
#include "test/host/random.h"

#define PAGES 600

static struct area *model[PAGES]; /* what each page lies in */
static struct area_tree tree;

static vaddr_t va_of(size_t page)
{
	return page * PAGE_SIZE;
}

static const struct area *child_of(const struct area *a, enum tree_side side)
{
	return a->node.child[side] ? tree_item(a->node.child[side], struct area, node) : NULL;
}

/* Check a subtree's sums. */
static void check_below(const struct area *a, size_t *count)
{
	const struct area *low = child_of(a, TREE_LOW), *high = child_of(a, TREE_HIGH);
	uint64_t gap = 0;

	++*count;
	for (int side = TREE_LOW; side <= TREE_HIGH; side++) {
		const struct area *child = child_of(a, side);

		if (child) {
			uint64_t between = side ? child->first - a->end : a->start - child->last;

			check_below(child, count);
			gap = between > gap ? between : gap;
			gap = child->gap > gap ? child->gap : gap;
		}
	}
	assert_int_equal(a->gap, gap);
	assert_int_equal(a->first, low ? low->first : a->start);
	assert_int_equal(a->last, high ? high->last : a->end);
}

static void check(void)
{
	const struct area *next = NULL, *before = NULL;
	size_t count = 0;

	if (tree.root)
		check_below(tree_item(tree.root, struct area, node), &count);
	assert_int_equal(tree.count, count);
	for (size_t page = PAGES; page-- > 0;) {
		const struct area *a = model[page];

		assert_ptr_equal(area_find(&tree, va_of(page)), a);
		if (a && a != next) {
			assert_ptr_equal(area_next(a), next);
			if (next)
				assert_ptr_equal(area_prev(&tree, next), a);
			else
				assert_ptr_equal(area_prev(&tree, NULL), a);
			next = a;
		}
		assert_ptr_equal(area_find_from(&tree, va_of(page)), next);
	}
	before = next ? area_prev(&tree, next) : NULL;
	assert_null(before);
}

/* The highest gap by trying every place. */
static void check_gap(struct random *r)
{
	size_t low = random_below(r, PAGES), high = random_below(r, PAGES + 1), size = 1 + random_below(r, 12);
	vaddr_t expected = ~0ULL, found = ~0ULL;
	enum status status;

	for (size_t at = low; at + size <= high; at++) {
		size_t page = at;

		while (page < at + size && !model[page])
			page++;
		if (page == at + size)
			expected = va_of(at);
	}
	status = area_gap_below(&tree, size * PAGE_SIZE, va_of(low), va_of(high), &found);
	assert_int_equal(status, expected == ~0ULL ? ERR_NOT_FOUND : OK);
	assert_int_equal(found, expected);
}

static void set(struct area *a, struct area *value)
{
	for (size_t page = a->start / PAGE_SIZE; page < a->end / PAGE_SIZE; page++)
		model[page] = value;
}

static struct area *copy_node(void *ctx, const struct area *a)
{
	struct area *copy;

	if (ctx && (*(int *)ctx)-- == 0)
		return NULL;
	copy = malloc(sizeof(*copy));
	assert_non_null(copy);
	memcpy(copy, a, sizeof(*copy));
	return copy;
}

static void drop_node(void *ctx, struct area *a)
{
	if (ctx)
		++*(size_t *)ctx;
	free(a);
}

/* A copy is the same tree in other nodes; it can be taken apart wherever the copying stopped. */
static void check_copy(struct random *r)
{
	int nodes = (int)random_below(r, tree.count + 2);
	size_t copied = 0;
	struct area_tree copy;
	bool all = area_copy_all(&tree, copy_node, &nodes, &copy);

	if (all) {
		if (copy.root)
			check_below(tree_item(copy.root, struct area, node), &copied);
		assert_int_equal(copied, tree.count);
		for (size_t page = 0; page < PAGES; page++) {
			const struct area *a = area_find(&copy, va_of(page));

			assert_true(!a == !model[page] && (!a || (a != model[page] && a->start == model[page]->start)));
		}
	}
	copied = copy.count;
	nodes = 0;
	size_t dropped = 0;
	area_drop_all(&copy, drop_node, &dropped);
	assert_int_equal(dropped, copied);
	assert_null(copy.root);
}

static void insert_somewhere(struct random *r)
{
	size_t page = random_below(r, PAGES), end = page, most = 1 + random_below(r, 8);
	struct area *a;

	while (end < PAGES && end < page + most && !model[end])
		end++;
	if (end == page)
		return;
	a = calloc(1, sizeof(*a));
	assert_non_null(a);
	a->start = va_of(page);
	a->end = va_of(end);
	area_insert(&tree, a);
	set(a, a);
}

static void resize_some(struct random *r, struct area *a)
{
	size_t start = a->start / PAGE_SIZE, end = a->end / PAGE_SIZE;

	set(a, NULL);
	if (random_below(r, 2) && end - start > 1)
		start++;
	else if (start > 0 && !model[start - 1])
		start--;
	if (random_below(r, 2) && end - start > 1)
		end--;
	else if (end < PAGES && !model[end])
		end++;
	area_resize(a, va_of(start), va_of(end));
	set(a, a);
}

static void split_some(struct random *r, struct area *a)
{
	size_t pages = (a->end - a->start) / PAGE_SIZE;
	struct area *high = malloc(sizeof(*high));

	assert_non_null(high);
	if (pages < 2) {
		free(high);
		return;
	}
	area_split(&tree, a, a->start + (1 + random_below(r, pages - 1)) * PAGE_SIZE, high);
	set(high, high);
}

/* Fill the gap above `a` and let it have the range of the next area. */
static void join_next(struct area *a)
{
	struct area *next = area_next(a);

	if (!next)
		return;
	area_resize(a, a->start, next->start);
	area_join(&tree, a, next);
	set(a, a);
	free(next);
}

static void random_operations(void **state)
{
	struct random r = random_start("area");

	(void)state;
	for (int i = 0; i < 4000; i++) {
		struct area *a = model[random_below(&r, PAGES)];
		/* Fill and empty in turns. */
		bool filling = i / 400 % 2 == 0;

		if (random_below(&r, 4) == 0 && a) {
			resize_some(&r, a);
		} else if (random_below(&r, 4) == 0 && a) {
			split_some(&r, a);
		} else if (random_below(&r, 8) == 0 && a) {
			join_next(a);
		} else if (random_below(&r, 4) < (filling ? 3 : 1)) {
			insert_somewhere(&r);
		} else if (a) {
			set(a, NULL);
			area_remove(&tree, a);
			free(a);
		}
		check();
		check_gap(&r);
		if (i % 50 == 0)
			check_copy(&r);
	}
	area_drop_all(&tree, drop_node, NULL);
}

/* The offset goes with the start; neighbours continue each other only if it does. */
static void offsets(void **state)
{
	struct memory_object *object = (struct memory_object *)0x1000;
	struct area low = { .start = 0x10000, .end = 0x14000, .rights = USER_READ, .object = object, .offset = 7 };
	struct area high = { .start = 0x14000, .end = 0x15000, .rights = USER_READ, .object = object, .offset = 11 };

	(void)state;
	low.flags = AREA_TOUCHED; /* no matter */
	assert_true(area_continues(&low, &high));
	area_resize(&low, 0x11000, 0x14000);
	assert_int_equal(low.offset, 8);
	area_resize(&low, 0xf000, 0x14000);
	assert_int_equal(low.offset, 6);
	assert_true(area_continues(&low, &high));
	high.offset = 12;
	assert_false(area_continues(&low, &high));
	high.offset = 11;
	high.rights = USER_WRITE;
	assert_false(area_continues(&low, &high));
	high.rights = USER_READ;
	high.flags = AREA_SHARED;
	assert_false(area_continues(&low, &high));
	high.flags = 0;
	high.object = NULL;
	assert_false(area_continues(&low, &high));
}

/* Many areas: the tree stays low. */
static void depth(void **state)
{
	static struct area areas[60000];

	(void)state;
	for (size_t i = 0; i < 60000; i++) {
		areas[i] = (struct area){ .start = 2 * i * PAGE_SIZE, .end = (2 * i + 1) * PAGE_SIZE };
		area_insert(&tree, &areas[i]);
	}
	assert_in_range(tree.root->height, 16, 17);
	tree = (struct area_tree){ NULL, 0 };
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations),
		cmocka_unit_test(offsets),
		cmocka_unit_test(depth),
	};

	return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
