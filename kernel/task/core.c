/*
 * Stops all tasks of a process while its core file is written. The file itself is written by a function that a layer
 * above has set (core_set_writer()).
 */
#include "kernel/task/core.h"

#include "kernel/arch/fpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/task/process_internal.h"
#include "kernel/task/sched.h"
#include "kernel/task/signal_internal.h"

static bool (*write_file)(int signal, const struct signal_info *info); /* fixed after boot */

void core_set_writer(bool (*writer)(int signal, const struct signal_info *info))
{
	write_file = writer;
}

/*
 * Sleep until somebody wakes this task. Call with task_lock held, in a loop that checks its condition again after each
 * wake-up.
 */
static void sleep(struct task *task)
{
	task->state = TASK_STOPPED;
	sched_switch();
}

static void wait_for_others(struct task *task, const struct core *core)
{
	/*
	 * No wake-up is lost: the other tasks change `parked` or task_count before they take task_lock to wake this
	 * one.
	 */
	lock_take_on(&task_lock);
	while (core->parked + 1 < task->process->task_count)
		sleep(task);
	lock_release_on(&task_lock);
}

bool core_dump(int signal, const struct signal_info *info)
{
	struct task *task = task_current();
	struct process *process = task->process;
	struct core core = { .dumper = task };
	uint64_t flags;

	if (!core_is_wanted(signal) || task_must_end(task))
		return false;
	process->core = &core;
	process_kill(process, signal);
	wait_for_others(task, &core);
	/*
	 * The writer reads the registers of all tasks from their save areas. The other tasks' registers were saved when
	 * those tasks left the CPU; save this task's here.
	 */
	irq_close();
	fpu_save(task->fpu);
	task->fs_base = task_get_fs_base();
	task->gs_base = task_get_gs_base();
	irq_open();
	if (write_file(signal, info))
		process->status |= WAIT_STATUS_CORE;
	process->core = NULL;
	flags = lock_take(&signal_lock);
	process_wake_tasks(process);
	lock_release(&signal_lock, flags);
	return true;
}

void core_park(void)
{
	struct task *task = task_current();
	struct process *process = task->process;
	struct core *core = process->core;

	if (!core || core->dumper == task)
		return;
	core->parked++;
	task_go_on(core->dumper);
	lock_take_on(&task_lock);
	while (process->core)
		sleep(task);
	lock_release_on(&task_lock);
}

void core_task_ended(const struct process *process)
{
	if (process->core)
		task_go_on(process->core->dumper);
}
