/*
 * The queue of real-time tasks against a plain list of all that wait, in which the most urgent and then the first is looked
 * for; and the share of real-time tasks against a count of each nanosecond's period.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/task/rt_queue.h"
#include "kernel/task/rt_share.h"
#include "test/host/random.h"

#define MEMBERS 300

struct member {
	struct run_node node; /* first: a node is its member */
	unsigned priority;
	bool in;
	int64_t place; /* among its equals: the least one goes first */
};

static struct rt_queue queue;
static struct member members[MEMBERS];

static struct member *most_urgent(void)
{
	struct member *best = NULL;

	for (struct member *m = members; m < members + MEMBERS; m++)
		if (m->in && (!best || m->priority > best->priority ||
			      (m->priority == best->priority && m->place < best->place)))
			best = m;
	return best;
}

static unsigned waiting(unsigned priority)
{
	unsigned count = 0;

	for (struct member *m = members; m < members + MEMBERS; m++)
		count += m->in && (!priority || m->priority == priority);
	return count;
}

static void add(struct member *m, struct random *r, int64_t *first, int64_t *last)
{
	/* Few priorities at times, so that many are equals; the borders of the two words of bits among them. */
	static const unsigned borders[] = { 1, 34, 35, 36, 37, 98, 99 };

	m->priority = random_below(r, 2) ? borders[random_below(r, 7)] : 1 + (unsigned)random_below(r, 99);
	m->in = true;
	if (random_below(r, 2)) {
		m->place = ++*last;
		rt_queue_add_last(&queue, &m->node, m->priority);
	} else {
		m->place = --*first;
		rt_queue_add_first(&queue, &m->node, m->priority);
	}
}

static void the_most_urgent_goes_first(void **state)
{
	struct random r = random_start("test_rt_queue");
	int64_t first = 0, last = 0;

	(void)state;
	assert_null(rt_queue_take(&queue));
	assert_int_equal(rt_queue_highest(&queue), 0);
	for (int n = 0; n < 200000; n++) {
		struct member *m = &members[random_below(&r, MEMBERS)], *expected;

		if (random_below(&r, 3) == 0) {
			expected = most_urgent();
			assert_int_equal(rt_queue_highest(&queue), expected ? expected->priority : 0);
			assert_ptr_equal(rt_queue_take(&queue), expected);
			if (expected)
				expected->in = false;
		} else if (m->in) {
			rt_queue_remove(&queue, &m->node, m->priority);
			m->in = false;
		} else {
			add(m, &r, &first, &last);
		}
		assert_int_equal(queue.count, waiting(0));
		assert_int_equal(rt_queue_has(&queue, m->priority), m->priority && waiting(m->priority));
	}
}

/* ---- the share ---- */

/* Run for `ns`, at most as long as the share allows; with nothing left, others run until the period is over. */
static uint64_t run(struct rt_share *share, const struct rt_allowance *allowance, uint64_t *now, uint64_t ns)
{
	uint64_t end = rt_share_end(share, allowance, *now, *now), from = *now;

	if (end <= from) {
		*now = rt_share_renewal(share, allowance, from);
		return 0;
	}
	*now = from + ns < end ? from + ns : end;
	/* Asked in the middle of a run, the share says the same end. */
	assert_int_equal(rt_share_end(share, allowance, from, from + (*now - from) / 2), end);
	rt_share_charge(share, allowance, from, *now);
	return *now - from;
}

static void others_have_the_rest(void **state)
{
	struct random r = random_start("test_rt_share");

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct rt_allowance allowance = { 1 + random_below(&r, 1000000), 0 };
		struct rt_share share = { 0 };
		uint64_t now = random_below(&r, 1ULL << 40), start, ran = 0, periods;

		allowance.runtime_ns = random_below(&r, allowance.period_ns);
		start = now;
		rt_share_begin(&share, &allowance, now);
		for (int n = 0; n < 1000; n++)
			ran += run(&share, &allowance, &now, 1 + random_below(&r, 2 * allowance.period_ns));
		periods = (now - start) / allowance.period_ns;
		/* Who wants all has the runtime in each whole period, and no more. */
		assert_true(ran >= periods * allowance.runtime_ns && ran <= (periods + 1) * allowance.runtime_ns);
	}
}

static void nobody_waits_for_old_periods(void **state)
{
	const struct rt_allowance allowance = { 1000, 950 }, all = { 1000, 1000 };
	struct rt_share share = { 0 };

	(void)state;
	/* A period begins with the first run, not on the clock's round numbers. */
	rt_share_begin(&share, &allowance, 12345);
	assert_int_equal(rt_share_end(&share, &allowance, 12345, 12345), 12345 + 950);
	rt_share_charge(&share, &allowance, 12345, 12345 + 900);
	assert_int_equal(rt_share_end(&share, &allowance, 13250, 13250), 13250 + 50);
	/* The rest of a share reaches into the next period, which has one of its own. */
	assert_int_equal(rt_share_end(&share, &allowance, 13300, 13300), 13345 + 950);
	/* A new start within the period changes nothing, one after it begins a period. */
	rt_share_begin(&share, &allowance, 13300);
	assert_int_equal(share.used_ns, 900);
	rt_share_begin(&share, &allowance, 13400);
	assert_int_equal(share.used_ns, 0);
	assert_int_equal(rt_share_renewal(&share, &allowance, 13400), 14400);
	/* After a long run that nobody minded only what fell into this period counts. */
	rt_share_charge(&share, &allowance, 13400, 113400 + 300);
	assert_int_equal(share.used_ns, 300);
	assert_int_equal(rt_share_renewal(&share, &allowance, 113700), 114400);
	/* Spent is spent, until the period ends. */
	rt_share_charge(&share, &allowance, 113700, 114390);
	assert_int_equal(rt_share_end(&share, &allowance, 114395, 114395), 114395);
	assert_int_equal(rt_share_end(&share, &allowance, 114400, 114400), 114400 + 950);
	assert_true(rt_share_end(&share, &all, 114395, 114395) == TIME_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_urgent_goes_first),
		cmocka_unit_test(others_have_the_rest),
		cmocka_unit_test(nobody_waits_for_old_periods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
