/*
 * Spreads tasks over the CPUs: chooses a CPU for a task that becomes ready, a task for a CPU that has none, and at the
 * end of a turn a task that moves. How the tasks of one CPU wait is the business of run_queues.h.
 */
#include "kernel/task/balance.h"

#include "kernel/task/fair_move.h"

/* The most that one search looks at: tasks of one CPU's queues, CPUs for which tasks wait, and CPUs at all. */
#define LOOK_TASKS   16
#define LOOK_CROWDED 16
#define LOOK_CPUS    8

#define LOAD_MOST UINT64_MAX /* the load of a CPU with real-time tasks, which run before all fair tasks there */

struct cpu_set shared_cpus = { { ~0ULL, ~0ULL, ~0ULL, ~0ULL } };
_Static_assert(CPU_SET_WORDS == 4, "the words of shared_cpus");

struct cpu_set crowded_cpus;

/* The CPUs that run their idle task, and that no task has been given to since then. Guard: task_lock. */
static struct cpu_set idle_cpus;

/* Return the CPUs that a task may be given to: those of its affinity that are not isolated, or else all of them. */
static struct cpu_set cpus_for(const struct task *task)
{
	const struct cpu_set shared = cpu_set_both(&task->may, &shared_cpus);

	return cpu_set_is_empty(&shared) ? task->may : shared;
}

static bool may_go_to(const struct task *task, const struct percpu *cpu)
{
	const struct cpu_set cpus = cpus_for(task);

	return cpu_set_has(&cpus, cpu->number);
}

/* Return an idle CPU that may run a task: the first from number `near` on, then from 0 on. NULL: there is none. */
static struct percpu *idle_cpu_for(const struct task *task, unsigned near)
{
	const struct cpu_set cpus = cpus_for(task), idle = cpu_set_both(&cpus, &idle_cpus);
	const int number = cpu_set_next(&idle, near);

	return number < 0 ? NULL : cpu_list[number];
}

struct percpu *balance_choose(const struct task *task)
{
	const unsigned last = task->cpu->number;
	struct percpu *best = idle_cpu_for(task, last);

	if (best) {
		cpu_set_remove(&idle_cpus, best->number);
		return best;
	}
	if (may_go_to(task, task->cpu))
		best = task->cpu;
	if (best && !is_rt(task))
		return best;
	/* No CPU is idle: a real-time task takes the CPU whose current task has the least priority. */
	CPUS_EACH(cpu) {
		if (may_go_to(task, cpu) && (!best || (is_rt(task) && cpu->current->rank > best->current->rank)))
			best = cpu;
	}
	return best;
}

static struct task *task_of(struct run_node *node)
{
	return (struct task *)((char *)node - offsetof(struct task, ready));
}

/*
 * Return the first task that waits for the CPU of `from` and may go to `cpu` or, if `cpu` is NULL, to any idle CPU.
 * Returns NULL when none of the first LOOK_TASKS tasks may.
 */
static struct task *find_for(const struct cpu_queues *from, const struct percpu *cpu)
{
	uint64_t levels = from->ready.waiting;
	struct run_node *node = NULL;

	if (from->rt.count)
		node = from->rt.lists[rt_queue_highest(&from->rt)].first;
	for (int i = 0; i < LOOK_TASKS; i++) {
		for (; !node && levels; levels &= levels - 1)
			node = from->ready.levels[__builtin_ctzll(levels)].list.first;
		if (!node)
			return NULL;
		if (cpu ? may_go_to(task_of(node), cpu) : idle_cpu_for(task_of(node), 0) != NULL)
			return task_of(node);
		node = node->next;
	}
	return NULL;
}

/* Take a waiting task out of the queue of `from`, so that it can run on the CPU of `to` or be added to its queue. */
static void take_away(struct task *task, struct cpu_queues *from, struct cpu_queues *to)
{
	if (is_rt(task)) {
		from->rt_tasks--;
		rt_begins(to);
	} else if (task->rank != to->cpu->current->rank) {
		fair_bring(&to->ready, &from->ready, (unsigned)task->rank);
	}
	run_queue_remove(from, task);
	task->cpu = to->cpu;
}

/* Take a task that waits for another CPU and may run on this one; NULL: none was found. */
static struct task *steal(struct cpu_queues *cpu)
{
	int first = -1; /* the first CPU that stays in the set: when it comes again, all were looked at */

	for (int i = 0; sched_counts.ready && i < LOOK_CROWDED; i++) {
		const int number = cpu_set_next(&crowded_cpus, cpu->look_at);
		struct cpu_queues *from;
		struct task *task;

		if (number < 0 || number == first)
			return NULL;
		cpu->look_at = ((unsigned)number + 1) % CPUS_MOST;
		from = queues_of(cpu_list[number]);
		task = find_for(from, cpu->cpu);
		if (task) {
			take_away(task, from, cpu);
			return task;
		}
		/*
		 * A CPU without waiting tasks leaves the set. While its timer `slice` runs it must stay: start_slice()
		 * then does nothing for the next task that waits, and so would not put the CPU back.
		 */
		if (!from->ready.waiting && !from->rt.count && !from->slice_runs)
			cpu_set_remove(&crowded_cpus, (unsigned)number);
		else if (first < 0)
			first = number;
	}
	return NULL;
}

struct task *balance_take(struct cpu_queues *cpu, struct task *to)
{
	if (!to)
		to = steal(cpu);
	if (to)
		cpu_set_remove(&idle_cpus, cpu->cpu->number);
	else
		cpu_set_add(&idle_cpus, cpu->cpu->number);
	return to;
}

void balance_start(void)
{
	const uint64_t flags = lock_take(&task_lock);

	CPUS_EACH(cpu)
		if (cpu->number != this_cpu->number)
			cpu_set_add(&idle_cpus, cpu->number);
	lock_release(&task_lock, flags);
}

/* Describe a CPU as a place that fair tasks move from or to. Its load is LOAD_MOST if it has real-time tasks. */
static struct fair_place place_of(const struct cpu_queues *cpu)
{
	const struct task *current = cpu->cpu->current;
	struct fair_place place = { LOAD_MOST, cpu->balanced_ns };

	if (!cpu->rt_tasks)
		place.load = fair_load(&cpu->ready) + (current == cpu->idle ? 0 : fair_weights[current->rank]);
	return place;
}

/* Queue a task that was taken away from another CPU on the CPU of `to`, which runs it at once or after a turn. */
static void give(struct task *task, struct cpu_queues *to, uint64_t now)
{
	const struct task *current = to->cpu->current;

	cpu_set_remove(&idle_cpus, to->cpu->number);
	run_queue_add(to, task);
	if (is_rt(task) || current == to->idle || turn_length(to, current, now) >= SCHED_SLICE_NS)
		want_switch(to);
	else
		start_slice(to, current->started_ns);
}

/*
 * Choose a task that waits for the CPU of `from`, *ret_task, and a CPU with less to do for it to move to. Looks at
 * LOOK_CPUS CPUs, beginning where the last search ended. Returns that CPU's queues; NULL: no task is to move.
 */
static struct cpu_queues *find_lighter(struct cpu_queues *from, uint64_t now, struct task **ret_task)
{
	const struct fair_place here = place_of(from);
	struct fair_place best_place = { 0, 0 };
	struct cpu_queues *best = NULL;

	for (unsigned i = 0; i < LOOK_CPUS && i < cpu_count; i++) {
		struct cpu_queues *to;
		struct fair_place place;
		struct task *task;

		from->look_at = (from->look_at + 1) % cpu_count;
		to = queues_of(cpu_list[from->look_at]);
		place = place_of(to);
		if (to == from || place.load == LOAD_MOST || now - place.moved_ns < SCHED_SLICE_NS)
			continue;
		task = find_for(from, to->cpu);
		if (!task || (!is_rt(task) && !fair_may_move(here, place, (unsigned)task->rank)))
			continue;
		if (best && !fair_is_better(place, best_place, is_rt(task) ? 0 : (unsigned)task->rank))
			continue;
		best = to;
		best_place = place;
		*ret_task = task;
	}
	if (best && !is_rt(*ret_task) && fair_skips(here, best_place, (unsigned)(*ret_task)->rank, &from->seed))
		return NULL;
	return best;
}

bool balance_turn_over(struct cpu_queues *from, uint64_t now)
{
	struct task *task = find_for(from, NULL);
	struct cpu_queues *to;

	if (task) {
		to = queues_of(idle_cpu_for(task, 0));
	} else {
		/*
		 * A task that came from another CPU less than a turn ago must get its turn here before one is sent on.
		 */
		if (now - from->balanced_ns < SCHED_SLICE_NS)
			return false;
		to = find_lighter(from, now, &task);
		if (!to)
			return false;
		from->balanced_ns = to->balanced_ns = now;
	}
	take_away(task, from, to);
	give(task, to, now);
	return true;
}
