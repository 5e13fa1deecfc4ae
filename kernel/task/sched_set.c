/*
 * How a task comes to be scheduled otherwise than before.
 */
#include "kernel/task/run_queues.h"

/* End a turn of the current task, which goes on: what it has run is charged as it was scheduled so far. */
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

/* Give a task other parameters. One that is real-time, and ready or running, is counted as such. */
static void become(struct cpu_queues *cpu, struct task *task, const struct task_sched *sched)
{
	bool active = task->state == TASK_RUNNABLE;

	/* RLIMIT_RTTIME's time begins when a task becomes real-time, and when it wakes. */
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
	return a->policy == b->policy && a->nice == b->nice && a->rt_priority == b->rt_priority;
}

void sched_set(struct task *task, const struct task_sched *sched)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);
	uint64_t flags = lock_take(&task_lock);
	bool lowered = sched_rank(sched) > task->rank;

	if (is_same(&task->sched, sched)) {
		task->sched.reset_on_fork = sched->reset_on_fork;
	} else if (task->queued) {
		run_queue_remove(cpu, task);
		become(cpu, task, sched);
		run_queue_add(cpu, task);
		/* A task that is lowered goes before its new equals, one that is raised behind them (sched(7)). */
		if (is_rt(task) && lowered) {
			rt_queue_remove(&cpu->rt, &task->ready, (unsigned)task->sched.rt_priority);
			rt_queue_add_first(&cpu->rt, &task->ready, (unsigned)task->sched.rt_priority);
		}
		run_queue_make_room(cpu, task);
	} else if (task == task_current()) {
		charge_so_far(cpu, task);
		become(cpu, task, sched);
		this_cpu->switch_wanted = true;
	} else {
		become(cpu, task, sched);
	}
	lock_release(&task_lock, flags);
}
