/*
 * The queue of shares against exact shares: whoever wants all of the CPU gets what his weight is worth, whoever sleeps is
 * owed nothing and waits for no one long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/task/fair_interrupt.h"
#include "test/host/random.h"

#define MEMBERS  24
#define SLICE_NS 10000000ULL

struct member {
	struct run_node node; /* first: a node is its member */
	unsigned level;
	uint64_t served;
};

static struct fair_queue queue;
static struct member members[MEMBERS];

static void start(struct random *r, unsigned count, unsigned lowest, unsigned levels)
{
	memset(&queue, 0, sizeof(queue));
	memset(members, 0, sizeof(members));
	for (unsigned i = 0; i < count; i++) {
		members[i].level = lowest + (unsigned)random_below(r, levels);
		fair_add(&queue, &members[i].node, members[i].level);
	}
}

/* Serve the next one for `ns`; it wants more. */
static struct member *serve(uint64_t ns)
{
	struct member *m = (struct member *)fair_take(&queue);

	assert_non_null(m);
	m->served += ns;
	fair_charge(&queue, m->level, ns);
	fair_add(&queue, &m->node, m->level);
	return m;
}

/*
 * The lag is bounded. Members of a level are one slice apart at the most; levels one slice's virtual time, which costs
 * each member at most a slice for each level that got ahead, and one for its own.
 */
static void shares_are_weights(void **state)
{
	struct random r = random_start("test_fair_queue");

	(void)state;
	for (int round = 0; round < 200; round++) {
		unsigned count = 1 + (unsigned)random_below(&r, MEMBERS), levels = 1 + (unsigned)random_below(&r, 12);
		unsigned lowest = (unsigned)random_below(&r, FAIR_LEVELS - levels + 1);
		uint64_t total = 0, weights = 0;

		start(&r, count, lowest, levels);
		for (unsigned i = 0; i < count; i++)
			weights += fair_weights[members[i].level];
		for (int n = 0; n < 3000; n++) {
			serve(SLICE_NS);
			total += SLICE_NS;
		}
		for (unsigned i = 0; i < count; i++) {
			double share = (double)total * fair_weights[members[i].level] / (double)weights;
			double lag = share - (double)members[i].served, most = (levels + 2.0) * SLICE_NS;

			if (lag > most || lag < -most)
				printf("member %u of %u, level %u: share %.0f, lag %.0f\n", i, count, members[i].level,
				       share, lag);
			assert_true(lag <= most && lag >= -most);
		}
	}
}

/* Nobody starves: the nicest one beside the most urgent one has its 15 of 88,776. */
static void the_nicest_is_served(void **state)
{
	struct random r = random_start("test_fair_queue");
	uint64_t since = 0, longest = 0;

	(void)state;
	start(&r, 2, 0, 1);
	fair_remove(&queue, &members[1].node, 0);
	members[1].level = FAIR_IDLE - 1;
	fair_add(&queue, &members[1].node, FAIR_IDLE - 1);
	for (int n = 0; n < 100000; n++) {
		since = serve(SLICE_NS) == &members[1] ? 0 : since + 1;
		longest = since > longest ? since : longest;
	}
	assert_in_range(members[1].served / SLICE_NS, 100000 * 15 / 88776, 100000 * 15 / 88776 + 2);
	assert_in_range(longest, 5000, 6000);
}

/* SCHED_IDLE is no rank either: 3 of 1,027 beside one of nice 0. */
static void the_idle_are_served(void **state)
{
	struct random r = random_start("test_fair_queue");

	(void)state;
	start(&r, 2, 20, 1);
	fair_remove(&queue, &members[1].node, 20);
	members[1].level = FAIR_IDLE;
	fair_add(&queue, &members[1].node, FAIR_IDLE);
	for (int n = 0; n < 100000; n++)
		serve(SLICE_NS);
	assert_in_range(members[1].served / SLICE_NS, 100000 * 3 / 1027, 100000 * 3 / 1027 + 2);
}

/* Who comes back after a long sleep is served soon, and does not get what it slept through. */
static void sleepers_are_owed_nothing(void **state)
{
	struct random r = random_start("test_fair_queue");
	uint64_t before;

	(void)state;
	start(&r, 2, 20, 1);
	members[2].level = 15;
	for (int n = 0; n < 10000; n++)
		serve(SLICE_NS);
	fair_add(&queue, &members[2].node, 15);
	assert_true(fair_goes_first(&queue, 15, 20, SLICE_NS));
	assert_ptr_equal(serve(SLICE_NS), &members[2]);
	before = members[0].served + members[1].served;
	for (int n = 0; n < 1000; n++)
		serve(SLICE_NS);
	/* 3,121 beside twice 1,024. */
	assert_in_range((members[0].served + members[1].served - before) / SLICE_NS, 1000 * 2048 / 5169 - 3,
			1000 * 2048 / 5169 + 3);
	/* The nicer one takes the CPU from nobody, nor does one that has had its share. */
	assert_false(fair_goes_first(&queue, 25, 20, SLICE_NS));
	fair_charge(&queue, 15, 1000 * SLICE_NS);
	assert_false(fair_goes_first(&queue, 15, 20, SLICE_NS));
}

/*
 * A less nice member that was ahead of its share goes first after exactly so much service of the other level, and not
 * only at the end of a turn.
 */
static void the_less_nice_wait_no_longer_than_due(void **state)
{
	struct random r = random_start("test_fair_queue");

	(void)state;
	for (int round = 0; round < 1000; round++) {
		const unsigned level = (unsigned)random_below(&r, 20), served = 20 + (unsigned)random_below(&r, 20);
		struct run_node one = { 0 }, others[8] = { 0 };
		uint64_t after;

		queue = (struct fair_queue){ 0 };
		for (uint64_t n = random_below(&r, 8); n; n--)
			fair_add(&queue, &others[n], served);
		fair_add(&queue, &one, level);
		assert_int_equal(fair_soonest_first(&queue, served), 0);
		queue.levels[level].time += 1 + random_below(&r, SLICE_NS);
		after = fair_first_after(&queue, level, served);
		assert_int_equal(fair_soonest_first(&queue, served), after);
		assert_int_equal(fair_soonest_first(&queue, level), UINT64_MAX);
		assert_true(fair_goes_first(&queue, level, served, after));
		assert_false(fair_goes_first(&queue, level, served, after - 1));
		fair_charge(&queue, served, after);
		assert_true(queue.levels[served].time >= queue.levels[level].time);
	}
	queue.levels[0].time = UINT64_MAX;
	assert_int_equal(fair_first_after(&queue, 0, 20), UINT64_MAX);
}

static void equals_take_turns(void **state)
{
	struct random r = random_start("test_fair_queue");
	struct run_node *now;

	(void)state;
	start(&r, 3, 7, 1);
	now = fair_take(&queue);
	assert_ptr_equal(now, &members[0]);
	for (unsigned i = 1; i < 10; i++) {
		assert_true(fair_only_waits(&queue, 7));
		now = fair_rotate(&queue, now, 7);
		assert_ptr_equal(now, &members[i % 3]);
	}
	assert_ptr_equal(fair_take(&queue), &members[1]);
	fair_add(&queue, &members[0].node, 8);
	assert_false(fair_only_waits(&queue, 7));
	assert_ptr_equal(fair_take(&queue), &members[2]);
	assert_false(fair_only_waits(&queue, 7));
	assert_true(fair_only_waits(&queue, 8));
}

static void members_come_and_go(void **state)
{
	struct random r = random_start("test_fair_queue");
	bool in[MEMBERS] = { false };
	unsigned count = 0;

	(void)state;
	memset(&queue, 0, sizeof(queue));
	assert_null(fair_take(&queue));
	for (int n = 0; n < 100000; n++) {
		unsigned i = (unsigned)random_below(&r, MEMBERS);
		struct member *m = &members[i];

		if (random_below(&r, 4) == 0 && count) {
			m = (struct member *)fair_take(&queue);
			assert_true(in[m - members]);
			in[m - members] = false;
			fair_charge(&queue, m->level, random_below(&r, SLICE_NS));
			count--;
		} else if (in[i]) {
			fair_remove(&queue, &m->node, m->level);
			in[i] = false;
			count--;
		} else {
			m->level = (unsigned)random_below(&r, FAIR_LEVELS);
			fair_add(&queue, &m->node, m->level);
			in[i] = true;
			count++;
		}
		assert_int_equal(queue.waiting == 0, count == 0);
	}
	while (count--)
		assert_non_null(fair_take(&queue));
	assert_null(fair_take(&queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_weights),        cmocka_unit_test(the_nicest_is_served),
		cmocka_unit_test(sleepers_are_owed_nothing), cmocka_unit_test(the_less_nice_wait_no_longer_than_due),
		cmocka_unit_test(equals_take_turns),         cmocka_unit_test(members_come_and_go),
		cmocka_unit_test(the_idle_are_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
