/*
 * Kills or wakes all tasks of a process. A process may have very many tasks, and signals are sent with interrupts off.
 * So only a few tasks are woken at once; a timer wakes the others, some each time it fires, and other programs run in
 * between.
 */
#include "kernel/arch/cpus.h"
#include "kernel/irq/timer.h"
#include "kernel/task/sched.h"
#include "kernel/task/signal_internal.h"

#define WAKES    64    /* tasks that are woken with interrupts off, at the most */
#define PAUSE_NS 50000 /* until the timer wakes as many more: longer than it takes to wake them */

/*
 * Processes whose `wake_next` is not NULL, linked by `waking`; the one at the front has waited longest.
 * Guard: signal_lock.
 */
static struct link waking = { &waking, &waking };

static void wake_more(struct timer *unused);

static struct timer timer = { .fire = wake_more }; /* runs while `waking` is not empty. Guard: signal_lock */

/* Wake the next tasks of the process, from `wake_next` on; the process is in `waking` afterwards if more are left. */
static void wake_some(struct process *process)
{
	struct link *at = process->wake_next;

	for (unsigned left = WAKES; left && at != &process->tasks; left--, at = at->next) {
		struct task *task = list_item(at, struct task, in_process);

		/*
		 * A task that need not end is woken only from a stop: if it is blocked in a system call, it goes on
		 * waiting.
		 */
		if (task_must_end(task))
			task_wake_stopped(task);
		else
			task_go_on(task);
	}
	list_remove(&process->waking);
	process->wake_next = at == &process->tasks ? NULL : at;
	if (process->wake_next)
		list_add_last(&waking, &process->waking);
}

static void wake_more(struct timer *unused)
{
	(void)unused;
	lock_take_off(&signal_lock);
	if (!list_is_empty(&waking))
		wake_some(list_item(waking.next, struct process, waking));
	if (!list_is_empty(&waking))
		timer_start(&timer, time_add(clock_monotonic_ns(), PAUSE_NS));
	lock_release_off(&signal_lock);
}

void process_wake_tasks(struct process *process)
{
	const bool idle = list_is_empty(&waking);

	lock_assert_held(&signal_lock);
	process->wake_next = process->tasks.next;
	wake_some(process);
	if (idle && !list_is_empty(&waking))
		timer_start(&timer, time_add(clock_monotonic_ns(), PAUSE_NS));
}

void process_leave_tasks(struct task *task)
{
	struct process *process = task->process;
	uint64_t flags = lock_take(&signal_lock);

	if (unlikely(process->wake_next == &task->in_process)) {
		process->wake_next = task->in_process.next;
		if (process->wake_next == &process->tasks) {
			process->wake_next = NULL;
			list_remove(&process->waking);
		}
	}
	list_remove(&task->in_process);
	lock_release(&signal_lock, flags);
}

void task_end_soon(struct task *task)
{
	lock_assert_held(&signal_lock);
	task->signals.wanted = true;
	if (unlikely(cpu_count > 1))
		task_kick(task);
}

void process_kill_held(struct process *process, int status)
{
	lock_assert_held(&signal_lock);
	if (!process->exiting) {
		process->exiting = true;
		process->status = status;
	}
	process->killed |= status == SIGKILL;
	PROCESS_EACH_TASK(process, task)
		task_end_soon(task);
	process_wake_tasks(process);
}

void process_kill(struct process *process, int status)
{
	uint64_t flags = lock_take(&signal_lock);

	process_kill_held(process, status);
	lock_release(&signal_lock, flags);
}
