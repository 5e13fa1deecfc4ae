/*
 * Real-time tasks: the turns of SCHED_RR, the share of the CPU that they must leave to others, and RLIMIT_RTTIME.
 */
#include "kernel/task/process.h"
#include "kernel/task/run_queues.h"

#define RT_LOOK_NS NS_PER_MS /* shortest time between two checks of RLIMIT_RTTIME */

/* The settings in /proc/sys/kernel. Guard: task_lock. */
struct rt_settings rt_settings = { .allowance = { RT_PERIOD_NS, RT_RUNTIME_NS }, .turn_ns = RT_TURN_NS };

static void (*rt_ran)(struct process *process, uint64_t ns); /* sched_set_rt_ran()'s function. Fixed after boot */

void sched_set_rt_ran(void (*ran)(struct process *process, uint64_t ns))
{
	rt_ran = ran;
}

uint64_t rt_share_runs_out(const struct cpu_queues *cpu, const struct task *task, uint64_t now)
{
	return rt_share_end(&cpu->share, &rt_settings.allowance, is_rt(task) ? task->started_ns : now, now);
}

/*
 * Return the time at which the current task, `task`, a real-time one, must give the CPU to another task of its
 * priority, or to a task that is not real-time.
 */
static uint64_t rt_turn_end(const struct cpu_queues *cpu, const struct task *task, uint64_t now)
{
	uint64_t end = cpu->ready.waiting ? rt_share_runs_out(cpu, task, now) : TIME_NEVER, turn;

	if (task->sched.policy != SCHED_RR || !rt_queue_has(&cpu->rt, (unsigned)-task->rank))
		return end;
	turn = time_add(task->started_ns, task->turn_left_ns);
	return turn < end ? turn : end;
}

/* Return how long the current task, a real-time one, has run since it was last woken. */
static uint64_t rt_awake_ns(const struct task *task, uint64_t now)
{
	return task->run_ns - task->woken_run_ns + (now - task->started_ns);
}

/*
 * Return when to check RLIMIT_RTTIME again while `task` runs; TIME_NEVER: there is no limit. Checks are at least
 * RT_LOOK_NS apart, even if the limit is exceeded: a signal takes effect only on the way to user mode.
 */
static uint64_t limit_end(const struct task *task, uint64_t now)
{
	uint64_t awake = rt_awake_ns(task, now), most;

	if (!task->process || task->process->rt_most_ns == TIME_NEVER)
		return TIME_NEVER;
	most = task->process->rt_most_ns;
	return time_add(now, most > awake + RT_LOOK_NS ? most - awake : RT_LOOK_NS);
}

void rt_watch(struct cpu_queues *cpu, const struct task *task, uint64_t now)
{
	uint64_t at = TIME_NEVER, limit;

	if (is_rt(task)) {
		at = rt_turn_end(cpu, task, now);
		limit = limit_end(task, now);
		at = limit < at ? limit : at;
	} else if (cpu->rt.count) {
		at = rt_share_renewal(&cpu->share, &rt_settings.allowance, now);
	}
	if (at != TIME_NEVER)
		timer_start(&cpu->rt_timer, at);
	else
		(void)timer_cancel(&cpu->rt_timer);
	/* Fair tasks that wait behind a real-time one may go to another CPU at the end of what would be a turn. */
	if (cpu_count > 1 && is_rt(task) && cpu->ready.waiting)
		start_slice(cpu, now);
}

void rt_rings(struct timer *timer)
{
	struct cpu_queues *cpu = (struct cpu_queues *)((char *)timer - offsetof(struct cpu_queues, rt_timer));
	struct task *task = cpu->cpu->current;
	uint64_t now, awake = 0;

	lock_take_off(&task_lock);
	now = clock_monotonic_ns();
	if (task->state == TASK_RUNNABLE) {
		if (is_rt(task) ? rt_turn_end(cpu, task, now) <= now
				: cpu->rt.count && rt_share_runs_out(cpu, task, now) > now)
			want_switch(cpu);
		awake = is_rt(task) ? rt_awake_ns(task, now) : 0;
	}
	lock_release_off(&task_lock);
	/* rt_ran() may send a signal, which takes signal_lock: that must be taken before task_lock. */
	if (awake && task->process && task->process->rt_most_ns != TIME_NEVER)
		rt_ran(task->process, awake);
	lock_take_off(&task_lock);
	if (task->state == TASK_RUNNABLE && !cpu->cpu->switch_wanted)
		rt_watch(cpu, task, now);
	lock_release_off(&task_lock);
}

void rt_leave(struct cpu_queues *cpu, struct task *task, uint64_t now)
{
	uint64_t ran = now - task->started_ns;
	unsigned priority = (unsigned)-task->rank;

	rt_share_charge(&cpu->share, &rt_settings.allowance, task->started_ns, now);
	if (task->sched.policy == SCHED_RR)
		task->turn_left_ns = task->turn_left_ns > ran ? task->turn_left_ns - ran : 0;
	if (task->state != TASK_RUNNABLE) {
		cpu->rt_tasks--;
		return;
	}
	if (task->turn_left_ns) {
		rt_queue_add_first(&cpu->rt, &task->ready, priority);
	} else {
		task->turn_left_ns = rt_settings.turn_ns;
		rt_queue_add_last(&cpu->rt, &task->ready, priority);
	}
	balance_note_waiting(cpu);
}

void rt_begins(struct cpu_queues *cpu)
{
	if (!cpu->rt_tasks++)
		rt_share_begin(&cpu->share, &rt_settings.allowance, clock_monotonic_ns());
}

void rt_ready(struct cpu_queues *cpu, struct task *task)
{
	rt_begins(cpu);
	task->woken_run_ns = task->run_ns;
	if (!task->turn_left_ns)
		task->turn_left_ns = rt_settings.turn_ns;
	rt_queue_add_last(&cpu->rt, &task->ready, (unsigned)-task->rank);
	balance_note_waiting(cpu);
}

void sched_look(void)
{
	uint64_t flags = lock_take(&task_lock);

	rt_watch(per_cpu_pointer(cpu_queues), task_current(), clock_monotonic_ns());
	lock_release(&task_lock, flags);
}
