/*
 * Changes the scheduling parameters of a task, and the CPUs that it may run on.
 */
#include "kernel/task/run_queues.h"

/* Charge the current task for its run so far, by its old parameters, and let a new run of it begin now. */
static void charge_so_far(struct cpu_queues *cpu, struct task *task)
{
	uint64_t now = clock_monotonic_ns();

	if (is_rt(task))
		rt_share_charge(&cpu->share, &rt_settings.allowance, task->started_ns, now);
	else
		fair_charge(&cpu->ready, (unsigned)task->rank, now - task->started_ns);
	task->run_ns += now - task->started_ns;
	task->started_ns = now;
}

/* Set a task's parameters, and update cpu->rt_tasks, the number of real-time tasks that are ready or run. */
static void become(struct cpu_queues *cpu, struct task *task, const struct task_sched *sched)
{
	bool active = task->state == TASK_RUNNABLE;

	/* RLIMIT_RTTIME limits the time since a task became real-time, or was last woken. */
	if (!is_rt(task))
		task->woken_run_ns = task->run_ns;
	if (active && is_rt(task))
		cpu->rt_tasks--;
	task->sched = *sched;
	task->rank = sched_rank(sched);
	task->turn_left_ns = rt_settings.turn_ns;
	if (active && is_rt(task))
		rt_begins(cpu);
}

static bool is_same(const struct task_sched *a, const struct task_sched *b)
{
	return a->policy == b->policy && a->nice == b->nice && a->rt_priority == b->rt_priority && a->lent == b->lent;
}

/* Change a task's parameters, what it was lent among them. */
static void change(struct task *task, const struct task_sched *sched)
{
	uint64_t flags = lock_take(&task_lock);
	struct cpu_queues *cpu = queues_of(task->cpu);
	bool lowered = sched_rank(sched) > task->rank;

	if (is_same(&task->sched, sched)) {
		task->sched.reset_on_fork = sched->reset_on_fork;
	} else if (task->queued) {
		run_queue_remove(cpu, task);
		become(cpu, task, sched);
		run_queue_add(cpu, task);
		/*
		 * If its priority was lowered, a task goes before those of its new priority, otherwise behind them
		 * (sched(7)).
		 */
		if (is_rt(task) && lowered) {
			rt_queue_remove(&cpu->rt, &task->ready, (unsigned)-task->rank);
			rt_queue_add_first(&cpu->rt, &task->ready, (unsigned)-task->rank);
		}
		run_queue_make_room(cpu, task);
	} else if (task == cpu->cpu->current) {
		charge_so_far(cpu, task);
		become(cpu, task, sched);
		want_switch(cpu);
	} else {
		become(cpu, task, sched);
	}
	lock_release(&task_lock, flags);
}

void sched_set(struct task *task, const struct task_sched *sched)
{
	struct task_sched wanted = *sched;

	wanted.lent = task->sched.lent;
	change(task, &wanted);
}

void sched_lend(struct task *task, int priority)
{
	struct task_sched wanted = task->sched;

	if (wanted.lent == priority)
		return;
	wanted.lent = priority;
	change(task, &wanted);
}

void sched_set_cpus(struct task *task, const struct cpu_set *cpus)
{
	uint64_t flags = lock_take(&task_lock);
	struct cpu_queues *cpu = queues_of(task->cpu);

	task->may = *cpus;
	if (may_run_on(task, task->cpu)) {
		lock_release(&task_lock, flags);
		return;
	}
	if (task->queued) {
		run_queue_remove(cpu, task);
		if (is_rt(task))
			cpu->rt_tasks--;
		sched_ready(task);
	} else if (task == cpu->cpu->current) {
		want_switch(cpu);
	}
	lock_release(&task_lock, flags);
}
