/*
 * Sets of CPUs, their lists, and what moves between fair queues: several queues are served at the same time, and at the end of
 * a turn a member that waits may move, as the scheduler has it (kernel/task/balance.c). Everybody's share is compared with the
 * exact one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/task/cpu_set.h"
#include "kernel/task/fair_move.h"

#define CPUS_HERE 4
#define TASKS     12
#define TURN_NS   10000000ULL
#define TURNS     4000

struct task {
	struct run_node node; /* first: a node is its task */
	unsigned level;
	double served; /* turns in all */
};

static struct {
	struct fair_queue queues[CPUS_HERE];
	struct task *running[CPUS_HERE];
	unsigned balanced[CPUS_HERE]; /* the turn at whose end a member last moved from there or to there, plus 1 */
	uint32_t seeds[CPUS_HERE];
	struct task tasks[TASKS];
} m;

static void add(unsigned task, unsigned cpu, unsigned level)
{
	m.tasks[task].level = level;
	fair_add(&m.queues[cpu], &m.tasks[task].node, level);
}

static void take(unsigned cpu)
{
	m.running[cpu] = (struct task *)(void *)fair_take(&m.queues[cpu]);
}

static void put_back(unsigned cpu)
{
	struct task *t = m.running[cpu];

	fair_charge(&m.queues[cpu], t->level, TURN_NS);
	fair_add(&m.queues[cpu], &t->node, t->level);
}

static struct fair_place place_of(unsigned cpu)
{
	return (struct fair_place){ fair_load(&m.queues[cpu]) + fair_weights[m.running[cpu]->level], m.balanced[cpu] };
}

/* Move the first member of the lowest level that waits for a CPU to the best other one, if it may. */
static void balance(unsigned cpu, unsigned turn)
{
	const struct fair_place here = place_of(cpu);
	struct fair_queue *from = &m.queues[cpu];
	unsigned best = cpu;
	struct task *t;

	if (!from->waiting || m.balanced[cpu] == turn)
		return;
	t = (struct task *)(void *)from->levels[__builtin_ctzll(from->waiting)].list.first;
	for (unsigned to = 0; to < CPUS_HERE; to++) {
		if (to == cpu || m.balanced[to] == turn || !fair_may_move(here, place_of(to), t->level))
			continue;
		if (best == cpu || fair_is_better(place_of(to), place_of(best), t->level))
			best = to;
	}
	if (best == cpu || fair_skips(here, place_of(best), t->level, &m.seeds[cpu]))
		return;
	if (t->level != m.running[best]->level)
		fair_bring(&m.queues[best], from, t->level);
	fair_remove(from, &t->node, t->level);
	fair_add(&m.queues[best], &t->node, t->level);
	m.balanced[cpu] = m.balanced[best] = turn;
}

/* Serve all CPUs for TURNS turns. */
static void serve(void)
{
	for (unsigned cpu = 0; cpu < CPUS_HERE; cpu++)
		take(cpu);
	for (unsigned turn = 1; turn <= TURNS; turn++) {
		for (unsigned cpu = 0; cpu < CPUS_HERE; cpu++)
			m.running[cpu]->served++;
		for (unsigned cpu = 0; cpu < CPUS_HERE; cpu++)
			balance(cpu, turn);
		for (unsigned cpu = 0; cpu < CPUS_HERE; cpu++) {
			if (!m.queues[cpu].waiting)
				continue;
			put_back(cpu);
			take(cpu);
		}
	}
}

/* Check that a task had `share` of one CPU, but for a tenth of that. */
static void expect_share(unsigned task, double share)
{
	const double saw = m.tasks[task].served / TURNS;

	if (saw < share * 0.9 || saw > share * 1.1)
		fail_msg("task %u had %.3f of a CPU, expected %.3f", task, saw, share);
}

/* So many tasks of one level, all of which wait for the first CPU at first but for one on each other. */
static void equals_have_equal_shares(void **state)
{
	(void)state;
	for (unsigned tasks = CPUS_HERE; tasks <= TASKS; tasks++) {
		memset(&m, 0, sizeof(m));
		for (unsigned task = 0; task < tasks; task++)
			add(task, task < CPUS_HERE ? task : 0, 20);
		serve();
		for (unsigned task = 0; task < tasks; task++)
			expect_share(task, (double)CPUS_HERE / tasks);
	}
}

/* Tasks that are as nice as can be wait beside: they take from nobody more than their weight, and do not starve. */
static void nice_tasks_take_little(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	for (unsigned task = 0; task < CPUS_HERE + 1; task++)
		add(task, task % CPUS_HERE, 20);
	for (unsigned task = CPUS_HERE + 1; task < CPUS_HERE + 3; task++)
		add(task, 0, 39);
	serve();
	for (unsigned task = 0; task < CPUS_HERE + 1; task++)
		expect_share(task, (double)CPUS_HERE / (CPUS_HERE + 1));
	for (unsigned task = CPUS_HERE + 1; task < CPUS_HERE + 3; task++)
		if (m.tasks[task].served < TURNS / 500.0 || m.tasks[task].served > TURNS / 20.0)
			fail_msg("nice task %u had %.0f turns", task, m.tasks[task].served);
}

static void the_next_of_a_set_is_found(void **state)
{
	struct cpu_set set = { { 0 } };

	(void)state;
	assert_int_equal(cpu_set_next(&set, 0), -1);
	assert_int_equal(cpu_set_next(&set, 255), -1);
	cpu_set_add(&set, 70);
	for (unsigned from = 0; from < CPUS_MOST; from++)
		assert_int_equal(cpu_set_next(&set, from), 70);
	cpu_set_add(&set, 255);
	for (unsigned from = 0; from < CPUS_MOST; from++)
		assert_int_equal(cpu_set_next(&set, from), from <= 70 ? 70 : 255);
	cpu_set_remove(&set, 70);
	assert_int_equal(cpu_set_next(&set, 0), 255);
}

static void lists_are_read(void **state)
{
	static const char *const wrong[] = { "", ",", "1,", ",1", "1-", "-1", "3-2", "1 2", "a", "1-2-3", "0x1" };
	struct cpu_set set;

	(void)state;
	assert_true(cpu_set_parse("1,4-6,255,255-99999999999", &set));
	for (unsigned cpu = 0; cpu < CPUS_MOST; cpu++)
		assert_int_equal(cpu_set_has(&set, cpu), cpu == 1 || (cpu >= 4 && cpu <= 6) || cpu == 255);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(cpu_set_parse(wrong[i], &set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_have_equal_shares),
		cmocka_unit_test(nice_tasks_take_little),
		cmocka_unit_test(the_next_of_a_set_is_found),
		cmocka_unit_test(lists_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
