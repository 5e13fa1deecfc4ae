/*
 * Sums up what tasks and processes have used, and runs the timer that tells system time from user time.
 */
#include "kernel/task/usage.h"

#include "kernel/arch/trap.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/timer.h"
#include "kernel/task/process.h"
#include "kernel/task/run_queues.h"

/* The timer by which each CPU tells system time from user time. Guard: task_lock. */
static PER_CPU struct usage_tick {
	struct timer timer;
	bool runs; /* `timer` has been started and has not fired */
} usage_tick;

static void look(struct timer *timer)
{
	struct task *task = task_current();

	(void)timer;
	lock_take_off(&task_lock);
	per_cpu(usage_tick).runs = false;
	/* While the CPU idles or runs a kernel task there is no tick; switch_to() starts it for the next user task. */
	if (task->fpu) {
		uint64_t run_ns = task_run_ns(task);

		if (!trap_from_user(irq_frame()))
			task->system_ns += run_ns - task->divided_ns;
		task->divided_ns = run_ns;
		usage_tick_start();
	}
	lock_release_off(&task_lock);
}

void usage_tick_start(void)
{
	struct usage_tick *tick = per_cpu_pointer(usage_tick);

	if (tick->runs)
		return;
	tick->runs = true;
	tick->timer.fire = look;
	timer_start(&tick->timer, time_add(clock_monotonic_ns(), USAGE_TICK_NS));
}

/* Return ns * system_ns / all_ns. */
static uint64_t share_of(uint64_t ns, uint64_t system_ns, uint64_t all_ns)
{
	/* Keep 20 bits of all_ns, and as much of system_ns, so that the product does not overflow. */
	for (; all_ns >> 20; all_ns >>= 1)
		system_ns >>= 1;
	return all_ns ? ns * system_ns / all_ns : 0;
}

/*
 * Divide what the task has run since divided_ns into user and system time; neither ever becomes less. The caller holds
 * task_lock.
 */
static void divide(struct task *task)
{
	uint64_t run_ns = task_run_ns(task);

	/*
	 * In a process with many tasks most have not run since their usage was last asked for: nothing is to be
	 * divided.
	 */
	if (run_ns == task->divided_ns)
		return;
	task->system_ns += share_of(run_ns - task->divided_ns, task->system_ns, task->divided_ns);
	task->divided_ns = run_ns;
}

/* Add what a task has used to *sum. */
static inline void add_task(struct usage *sum, struct task *task)
{
	uint64_t flags = lock_take(&task_lock);

	divide(task);
	sum->user_ns += task->divided_ns - task->system_ns;
	sum->system_ns += task->system_ns;
	sum->faults += task->faults;
	sum->voluntary += task->left[0];
	sum->involuntary += task->left[1];
	lock_release(&task_lock, flags);
}

struct usage task_usage(struct task *task)
{
	struct usage usage = { 0 };

	add_task(&usage, task);
	return usage;
}

void usage_add(struct usage *sum, const struct usage *more)
{
	sum->user_ns += more->user_ns;
	sum->system_ns += more->system_ns;
	sum->faults += more->faults;
	sum->voluntary += more->voluntary;
	sum->involuntary += more->involuntary;
}

struct usage process_usage(struct process *process)
{
	struct usage sum = process->ended;

	PROCESS_EACH_TASK(process, task)
		add_task(&sum, task);
	return sum;
}
