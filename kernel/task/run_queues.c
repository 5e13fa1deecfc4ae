/*
 * The run queues, and the timer that ends the turns of tasks that are not real-time.
 */
#include "kernel/task/run_queues.h"

struct lock task_lock = LOCK_INITIAL(LOCK_TASKS);

/* The run queues of each CPU. Guard: task_lock. */
PER_CPU struct cpu_queues cpu_queues;

static void slice_over(struct timer *timer)
{
	struct cpu_queues *cpu = per_cpu_pointer(cpu_queues);
	const struct task *task = task_current();

	(void)timer;
	lock_take_off(&task_lock);
	cpu->slice_runs = false;
	if (cpu->ready.waiting && task->rank >= 0) {
		uint64_t now = clock_monotonic_ns(), turn_ns = turn_length(cpu, task, now);

		if (turn_ns >= SCHED_SLICE_NS)
			this_cpu->switch_wanted = true;
		else
			start_slice(cpu, now - turn_ns);
	}
	lock_release_off(&task_lock);
}

void run_queues_init(void)
{
	struct cpu_queues *cpu = per_cpu_pointer(cpu_queues);

	cpu->slice.fire = slice_over;
	cpu->rt_timer.fire = rt_rings;
}
