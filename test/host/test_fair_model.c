/*
 * The fair queue in use as the scheduler uses it, at random: tasks of all nice values, SCHED_IDLE and SCHED_BATCH that
 * compute, sleep, wake, interrupt, fork, change their nice values and end. Beside it stands a model of what each is
 * owed, and after each step everybody's lag is compared with its bound.
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

#define TASKS    32
#define TURN_NS  10000000ULL
#define STEPS    10000
#define ROUNDS   24
#define ROUNDING 64.0 /* virtual time lost by dividing integers, in the steps of a turn that is interrupted often */

enum state { ABSENT, ASLEEP, WAITS, RUNS };

struct task {
	struct run_node node; /* first: a node is its task */
	enum state state;
	unsigned level;
	bool batch;      /* SCHED_BATCH: its waking interrupts nobody but SCHED_IDLE */
	uint64_t served; /* ns in all */
};

static struct {
	struct fair_queue queue;
	struct task tasks[TASKS];
	struct task *running;
	uint64_t turn_ns;      /* of the running task, so far */
	uint64_t charged_from; /* turn_ns when the running task got the CPU */
	uint64_t step;
	/* for two tasks: the first one's `served` less the second one's, when the later began to want service in its level */
	double together[TASKS][TASKS];
	uint64_t most_time; /* the queue's time, which never goes back */
} m;

static bool is_active(const struct task *t)
{
	return t->state == WAITS || t->state == RUNS;
}

/* Begin to compare a task with the others of its level. */
static void begin(struct task *t)
{
	size_t i = (size_t)(t - m.tasks);

	for (size_t n = 0; n < TASKS; n++) {
		m.together[i][n] = (double)t->served - (double)m.tasks[n].served;
		m.together[n][i] = -m.together[i][n];
	}
}

static void add(struct task *t, unsigned level)
{
	t->level = level;
	t->state = WAITS;
	fair_add(&m.queue, &t->node, level);
	begin(t);
}

/* Let the running task have `ns`, which its level is charged for only when it leaves the CPU. */
static void serve(uint64_t ns)
{
	m.running->served += ns;
	m.turn_ns += ns;
}

/* The running task leaves the CPU: charge its level for what it had since it got it. */
static struct task *leave(void)
{
	struct task *t = m.running;

	fair_charge(&m.queue, t->level, m.turn_ns - m.charged_from);
	m.running = NULL;
	return t;
}

static void put_back(bool interrupted)
{
	struct task *t = leave();

	t->state = WAITS;
	if (interrupted && m.turn_ns < TURN_NS)
		fair_add_interrupted(&m.queue, &t->node, t->level, m.turn_ns);
	else
		fair_add(&m.queue, &t->node, t->level);
}

static void take(void)
{
	struct run_node *node = fair_take(&m.queue);

	m.running = (struct task *)node;
	if (!node)
		return;
	assert_int_equal(m.running->state, WAITS);
	m.running->state = RUNS;
	m.turn_ns = m.charged_from = m.queue.turn_ns;
	assert_true(m.turn_ns < TURN_NS);
}

/* A task begins to want service; as in the scheduler it may end the running one's turn. */
static void wake(struct task *t, unsigned level)
{
	const struct task *now = m.running;
	bool first;

	add(t, level);
	if (!now || level >= now->level)
		return;
	first = now->level == FAIR_IDLE ||
		(!t->batch && fair_goes_first(&m.queue, level, now->level, m.turn_ns - m.charged_from));
	if (first) {
		put_back(true);
		take();
	}
}

/* Change a task's nice value, whatever it does. */
static void renice(struct task *t, unsigned level)
{
	if (t->state == WAITS) {
		fair_remove(&m.queue, &t->node, t->level);
		add(t, level);
	} else if (t->state == RUNS) {
		leave();
		add(t, level);
		take();
	} else {
		t->level = level;
	}
}

/* Two that both want all they get, and are in one level: they take turns, and differ by one at the most. */
static void check_level_mates(void)
{
	for (size_t i = 0; i < TASKS; i++)
		for (size_t n = 0; n < i; n++) {
			const struct task *a = &m.tasks[i], *b = &m.tasks[n];
			double lag = (double)a->served - (double)b->served - m.together[i][n];

			if (!is_active(a) || !is_active(b) || a->level != b->level)
				continue;
			if (lag > (double)TURN_NS || -lag > (double)TURN_NS)
				fail_msg("step %llu: %zu and %zu of level %u differ by %.0f ns",
					 (unsigned long long)m.step, i, n, a->level, lag);
		}
}

/* The virtual times of levels: none is ahead of the one that is most behind by more than a turn of one of its members. */
static void check_levels(void)
{
	bool active[FAIR_LEVELS] = { false };
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < TASKS; i++)
		active[m.tasks[i].level] |= is_active(&m.tasks[i]);
	for (size_t l = 0; l < FAIR_LEVELS; l++)
		if (active[l] && m.queue.levels[l].time < least)
			least = m.queue.levels[l].time;
	for (size_t l = 0; l < FAIR_LEVELS; l++) {
		double ahead = (double)m.queue.levels[l].time - (double)least;

		if (active[l] && ahead > (double)TURN_NS * FAIR_UNIT / fair_weights[l] + ROUNDING)
			fail_msg("step %llu: level %zu is ahead by %.0f", (unsigned long long)m.step, l, ahead);
	}
	assert_true(m.queue.time >= m.most_time);
	m.most_time = m.queue.time;
}

/* As many wait in each level as the model says, and somebody runs if anybody wants to. */
static void check_counts(void)
{
	unsigned waiting[FAIR_LEVELS] = { 0 };

	for (size_t i = 0; i < TASKS; i++)
		waiting[m.tasks[i].level] += m.tasks[i].state == WAITS;
	for (size_t l = 0; l < FAIR_LEVELS; l++) {
		assert_int_equal(m.queue.levels[l].count, waiting[l]);
		assert_int_equal(m.queue.waiting >> l & 1, waiting[l] != 0);
	}
	assert_true(m.running || !m.queue.waiting);
}

/* Any level, but mostly few, so that many tasks meet in one. */
static unsigned some_level(struct random *r, unsigned spread)
{
	if (random_below(r, 16) == 0)
		return FAIR_IDLE;
	return (unsigned)random_below(r, 40 / spread) * spread;
}

/* Something happens to a task that does not run. */
static void happen(struct random *r, unsigned spread)
{
	struct task *t = &m.tasks[random_below(r, TASKS)];
	uint64_t what = random_below(r, 100);

	if (t == m.running)
		return;
	if (what < 60 && t->state == ASLEEP) {
		wake(t, t->level);
	} else if (what < 70 && t->state == ABSENT && m.running) { /* fork: the child has its parent's nice value */
		t->batch = m.running->batch;
		add(t, m.running->level);
	} else if (what < 75 && t->state == ABSENT) {
		t->batch = random_below(r, 4) == 0;
		wake(t, some_level(r, spread));
	} else if (what < 80) {
		renice(t, some_level(r, spread));
	}
}

/* For how long the running task may go on before a less nice one that waits, and was ahead of its share, goes first. */
static uint64_t until_interrupted(void)
{
	const uint64_t had = m.turn_ns - m.charged_from, first = fair_soonest_first(&m.queue, m.running->level);

	return first > had ? first - had : 0;
}

/* The running task computes, and then its turn is over, or it sleeps, yields, ends, or changes its nice value. */
static void go_on(struct random *r, unsigned spread)
{
	uint64_t left = TURN_NS - m.turn_ns, ns = random_below(r, 3) ? left : 1 + random_below(r, left);
	uint64_t what = random_below(r, 100), until = until_interrupted();

	if (until < left && until <= ns) {
		serve(until);
		put_back(true);
		take();
		return;
	}
	serve(ns);
	if (m.turn_ns == TURN_NS)
		put_back(false);
	else if (what < 30)
		leave()->state = ASLEEP;
	else if (what < 33)
		leave()->state = ABSENT;
	else if (what < 36)
		renice(m.running, some_level(r, spread));
	else
		return; /* it computes on */
	if (!m.running)
		take();
}

static void lag_is_bounded(void **state)
{
	struct random r = random_start("test_fair_model");

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		static const unsigned spreads[] = { 1, 5, 13, 40 };
		unsigned spread = spreads[round % 4];

		memset(&m, 0, sizeof(m));
		for (m.step = 1; m.step <= STEPS; m.step++) {
			if (random_below(&r, 2) || !m.running)
				happen(&r, spread);
			if (!m.running)
				take();
			if (m.running)
				go_on(&r, spread);
			check_counts();
			check_level_mates();
			check_levels();
		}
	}
}

/* Run for so long, as two of nice 0 do beside one of nice -5 that wakes after each `every` ns and wants `burst` ns. */
static void beside_a_waker(uint64_t every, uint64_t burst)
{
	uint64_t due = every, now = 0;

	memset(&m, 0, sizeof(m));
	add(&m.tasks[0], 20);
	add(&m.tasks[1], 20);
	m.tasks[2].state = ASLEEP;
	take();
	for (m.step = 1; m.step < 20000; m.step++) {
		uint64_t left = TURN_NS - m.turn_ns, until;

		if (m.running == &m.tasks[2]) {
			serve(burst);
			now += burst;
			leave()->state = ASLEEP;
			take();
			continue;
		}
		until = due > now ? due - now : 0;
		serve(left < until ? left : until);
		now += left < until ? left : until;
		if (left <= until) {
			put_back(false);
			take();
		} else {
			due += every;
			wake(&m.tasks[2], 15);
		}
		check_level_mates();
	}
}

/* An interruption that falls into the same one's turn again and again, as a clock's do, takes that turn from nobody. */
static void an_interruption_ends_no_turn(void **state)
{
	(void)state;
	for (uint64_t every = TURN_NS / 4; every < 4 * TURN_NS; every += TURN_NS / 20)
		beside_a_waker(every, TURN_NS / 10);
}

/* All nice values, SCHED_IDLE and more than one of each: the exact share of everybody who always wants, at each step. */
static void shares_are_exact(void **state)
{
	struct random r = random_start("test_fair_model");

	(void)state;
	for (int round = 0; round < 20; round++) {
		double total = 0, weights = 0;
		unsigned levels = 0;

		memset(&m, 0, sizeof(m));
		for (size_t i = 0; i < TASKS; i++) {
			add(&m.tasks[i], round ? (unsigned)random_below(&r, FAIR_LEVELS) : (unsigned)(i * 41 / TASKS));
			weights += fair_weights[m.tasks[i].level];
		}
		levels = (unsigned)__builtin_popcountll(m.queue.waiting);
		take();
		for (m.step = 1; m.step < STEPS; m.step++) {
			serve(TURN_NS - m.turn_ns);
			total += (double)TURN_NS;
			put_back(false);
			take();
			for (size_t i = 0; i < TASKS; i++) {
				const struct task *t = &m.tasks[i];
				double lag = total * fair_weights[t->level] / weights - (double)t->served;

				if (lag > (levels + 1.0) * TURN_NS || -lag > (levels + 1.0) * TURN_NS)
					fail_msg("step %llu: %zu of level %u lags by %.0f ns",
						 (unsigned long long)m.step, i, t->level, lag);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lag_is_bounded),
		cmocka_unit_test(an_interruption_ends_no_turn),
		cmocka_unit_test(shares_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
