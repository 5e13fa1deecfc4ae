/* The tree of intervals beside a look at all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/interval.h"
#include "test/host/random.h"

#define MOST 200

static struct interval intervals[MOST];
static bool inside[MOST], seen[MOST];
static struct tree_node *root;

static bool overlaps(size_t i, uint64_t first, uint64_t last)
{
	return inside[i] && intervals[i].first <= last && intervals[i].last >= first;
}

/* All that overlap the range come once, in rising order, and nothing else does. */
static void check(uint64_t first, uint64_t last)
{
	uint64_t before = 0;

	memset(seen, 0, sizeof(seen));
	for (struct interval *i = interval_first(root, first, last); i; i = interval_next(i, first, last)) {
		size_t index = (size_t)(i - intervals);

		assert_true(overlaps(index, first, last));
		assert_false(seen[index]);
		assert_true(i->first >= before);
		before = i->first;
		seen[index] = true;
	}
	for (size_t i = 0; i < MOST; i++)
		assert_int_equal(seen[i], overlaps(i, first, last));
}

static const char tags[3];

/* The first one of another tag is the one that a look at all of them finds. */
static void check_other(uint64_t first, uint64_t last, const void *tag)
{
	const struct interval *found = interval_first_other(root, first, last, tag);
	uint64_t lowest = UINT64_MAX;

	for (size_t i = 0; i < MOST; i++)
		if (overlaps(i, first, last) && intervals[i].tag != tag && intervals[i].first < lowest)
			lowest = intervals[i].first;
	assert_int_equal(found ? found->first : UINT64_MAX, lowest);
	assert_true(!found || (found->tag != tag && overlaps((size_t)(found - intervals), first, last)));
}

/* A range anywhere, which may be one number, or reach to the last one. */
static void make_range(struct random *random, uint64_t *first, uint64_t *last)
{
	*first = random_below(random, 1000);
	*last = random_below(random, 8) ? *first + random_below(random, random_below(random, 4) ? 20 : 500)
					: UINT64_MAX;
}

static void change(struct random *random, size_t i)
{
	uint64_t last;

	if (!inside[i]) {
		make_range(random, &intervals[i].first, &intervals[i].last);
		intervals[i].tag = &tags[random_below(random, 8) ? 0 : random_below(random, 3)];
		interval_add(&root, &intervals[i]);
		inside[i] = true;
	} else if (random_below(random, 3)) {
		interval_remove(&root, &intervals[i]);
		inside[i] = false;
	} else {
		last = intervals[i].first + random_below(random, 100);
		interval_set_last(&intervals[i], last);
	}
}

static void test_random(void **state)
{
	struct random random = random_start("test_interval");
	uint64_t first, last;

	(void)state;
	check(0, UINT64_MAX);
	for (unsigned most = 4; most <= MOST; most *= 7)
		for (unsigned round = 0; round < 5000; round++) {
			change(&random, random_below(&random, most));
			make_range(&random, &first, &last);
			check(first, last);
			check_other(first, last, &tags[random_below(&random, 2)]);
		}
	check(0, UINT64_MAX);
	check(UINT64_MAX, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
