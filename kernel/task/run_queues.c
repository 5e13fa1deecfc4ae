/*
 * The run queues, and the timer that ends the turns of tasks that are not real-time.
 */
#include "kernel/task/run_queues.h"

/* The most tasks of one list that are looked at to find one that may run on another CPU. */
#define STEAL_LOOKS 16

struct sched_counts sched_counts;
struct lock task_lock = LOCK_INITIAL(LOCK_TASKS);

/* The run queues of each CPU. Guard: task_lock. */
PER_CPU struct cpu_queues cpu_queues;

struct percpu *run_queue_choose(const struct task *task)
{
	struct percpu *best = may_run_on(task, task->cpu) ? task->cpu : NULL;

	if (best && cpu_is_idle(queues_of(best)))
		return best;
	CPUS_EACH(cpu) {
		if (!may_run_on(task, cpu))
			continue;
		if (cpu_is_idle(queues_of(cpu)))
			return cpu;
		if (!best || (is_rt(task) && cpu->current->rank > best->current->rank))
			best = cpu;
	}
	return best;
}

static struct task *task_of(struct run_node *node)
{
	return (struct task *)((char *)node - offsetof(struct task, ready));
}

struct task *run_queue_take(struct cpu_queues *cpu, uint64_t now)
{
	struct run_node *node = NULL;
	struct task *task;

	if (cpu->rt.count &&
	    !(cpu->ready.waiting && rt_share_end(&cpu->share, &rt_settings.allowance, now, now) <= now))
		node = rt_queue_take(&cpu->rt);
	else
		node = fair_take(&cpu->ready);
	if (!node)
		return NULL;
	task = task_of(node);
	task->queued = false;
	sched_counts.ready--;
	return task;
}

/* Return the first task of a list that may run on `cpu`; NULL: none of the first STEAL_LOOKS may. */
static struct task *first_for(const struct run_list *list, const struct percpu *cpu)
{
	struct run_node *node = list->first;

	for (int i = 0; node && i < STEAL_LOOKS; i++, node = node->next)
		if (may_run_on(task_of(node), cpu))
			return task_of(node);
	return NULL;
}

/* Return a task that waits for the CPU of `from` and may run on `cpu`; NULL: first_for() has found none. */
static struct task *find_for(const struct cpu_queues *from, const struct percpu *cpu)
{
	struct task *task = NULL;

	if (from->rt.count)
		task = first_for(&from->rt.lists[rt_queue_highest(&from->rt)], cpu);
	for (uint64_t levels = from->ready.waiting; levels && !task; levels &= levels - 1)
		task = first_for(&from->ready.levels[__builtin_ctzll(levels)].list, cpu);
	return task;
}

struct task *run_queue_steal(struct cpu_queues *cpu)
{
	CPUS_EACH(other) {
		struct task *task = find_for(queues_of(other), cpu->cpu);

		if (!task)
			continue;
		run_queue_remove(queues_of(other), task);
		if (is_rt(task)) {
			queues_of(other)->rt_tasks--;
			rt_begins(cpu);
		}
		task->cpu = cpu->cpu;
		return task;
	}
	return NULL;
}

/*
 * Let an idle CPU look for a task if one waits for `from` that it may run: when it became idle there was none, or that
 * task was not allowed to run there yet. The caller holds task_lock.
 */
static void call_idle_cpu(const struct cpu_queues *from)
{
	CPUS_EACH(cpu) {
		if (cpu_is_idle(queues_of(cpu)) && find_for(from, cpu)) {
			want_switch(queues_of(cpu));
			return;
		}
	}
}

static void slice_over(struct timer *timer)
{
	struct cpu_queues *cpu = (struct cpu_queues *)((char *)timer - offsetof(struct cpu_queues, slice));
	const struct task *task = cpu->cpu->current;

	lock_take_off(&task_lock);
	cpu->slice_runs = false;
	if (cpu->ready.waiting && task->rank >= 0 && task != cpu->idle) {
		uint64_t now = clock_monotonic_ns(), turn_ns = turn_length(cpu, task, now);

		if (turn_ns >= SCHED_SLICE_NS) {
			want_switch(cpu);
			call_idle_cpu(cpu);
		} else {
			start_slice(cpu, now - turn_ns);
		}
	}
	lock_release_off(&task_lock);
}

void run_queues_init(struct task *idle)
{
	struct cpu_queues *cpu = per_cpu_pointer(cpu_queues);

	cpu->cpu = per_cpu_pointer(percpu);
	cpu->idle = idle;
	cpu->slice.fire = slice_over;
	cpu->rt_timer.fire = rt_rings;
	idle->rank = RANK_IDLE;
	idle->cpu = cpu->cpu;
	idle->state = TASK_RUNNABLE;
}

bool sched_is_alone(void)
{
	const struct cpu_queues *cpu = per_cpu_pointer(cpu_queues);

	return !__atomic_load_n(&cpu->ready.waiting, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&cpu->rt_tasks, __ATOMIC_RELAXED);
}

uint64_t sched_idle_ns(const struct percpu *cpu)
{
	uint64_t sum = 0;

	CPUS_EACH(each)
		if (!cpu || cpu == each)
			sum += task_run_ns(queues_of(each)->idle);
	return sum;
}
