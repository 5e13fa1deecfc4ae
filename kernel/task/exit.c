/*
 * The end of tasks and processes: exit(2), exit_group(2), zombies, and the new parent of children that are left.
 */
#include "kernel/fs/errno.h"
#include "kernel/irq/timer.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/task/core.h"
#include "kernel/task/fd_work.h"
#include "kernel/task/give_way.h"
#include "kernel/task/job_control.h"
#include "kernel/task/late.h"
#include "kernel/task/posix_timer.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/seccomp.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/space_work.h"
#include "kernel/task/wait_until.h"

#define CHILDREN 32 /* most children that get another parent in one step: each may cost a search in its group */

/*
 * Called when a task ends, or leaves its program in execve(2), so that layers above drop what they keep for it, such as
 * its futexes. Fixed after boot.
 */
static void (*exit_hook)(struct task *task);

/*
 * Called when a task ends, but not in execve(2), so that layers above undo what it has done to System V's objects.
 * Fixed after boot.
 */
static void (*end_hook)(struct task *task);

/* the first process, once it has been started; guard: tasks only, which the kernel does not preempt */
static struct process *init;
static struct wait_queue init_ended = WAIT_QUEUE_INITIAL;

void process_set_exit_hook(void (*hook)(struct task *task))
{
	exit_hook = hook;
}

void process_set_end_hook(void (*hook)(struct task *task))
{
	end_hook = hook;
}

void process_set_init(struct process *process)
{
	init = process;
}

static bool only_init_is_left(void)
{
	return init->zombie && process_living() == 1;
}

int process_wait_init(bool (*wanted)(void), void (*work)(void))
{
	int status;

	while (!only_init_is_left()) {
		(void)WAIT_IN_QUEUE(&init_ended, only_init_is_left() || wanted(), TASK_NO_DEADLINE);
		work();
	}
	status = init->status;
	process_forget(init);
	init = NULL;
	return status;
}

/*
 * Return whether no wait4(2) will ask for the zombie `process`, so that it can be removed at once: its parent ignores
 * SIGCHLD (sigaction(2)), or is a zombie itself, which can only be init: other zombies have no children.
 */
static bool nobody_will_ask(const struct process *process)
{
	const struct signal_action *action;

	if (process->parent && process->parent->zombie)
		return true;
	if (!process->parent || process->exit_signal != SIGCHLD)
		return false;
	action = &process->parent->signals.actions[SIGCHLD - 1];
	return action->handler == SIGNAL_IGNORE || (action->flags & SA_NOCLDWAIT);
}

/*
 * Return the process that becomes the parent of the children of `process`, which ends: the nearest of those it descends
 * from that is a subreaper, or init.
 */
static struct process *heir_of(const struct process *process)
{
	struct process *heir = process->parent;

	while (heir && !(heir->rights.subreaper && !heir->exiting))
		heir = heir->parent;
	return heir ? heir : init;
}

/* Send `child`, whose parent ends, the signals that its tasks have asked for in that case (PR_SET_PDEATHSIG). */
static void tell_of_death(struct process *child)
{
	uint64_t wanted = 0;

	if (!child->rights.death_is_awaited)
		return;
	/* A signal is sent once, however many tasks want it: each send may look at all tasks of the process. */
	PROCESS_EACH_TASK(child, task)
		if (task->rights.parent_death_signal)
			wanted |= SIGNAL_BIT(task->rights.parent_death_signal);
	for (; wanted; wanted &= wanted - 1)
		(void)signal_send_process(child, __builtin_ctzll(wanted) + 1, NULL);
}

/*
 * Make init, or a subreaper, the parent of up to CHILDREN of the children of `process`, zombies included. Their exit
 * signal becomes SIGCHLD: init's wait4 finds only children with that signal, and others would stay zombies for ever.
 * Returns whether some are left.
 */
static bool give_children_away(struct process *process)
{
	struct process *heir = list_is_empty(&process->children) ? NULL : heir_of(process);
	unsigned left = CHILDREN;

	LIST_EACH_LEAVING(&process->children, struct process, sibling, child) {
		if (!left--)
			return true;
		tell_of_death(child);
		process_change_parent(child, heir);
		child->exit_signal = SIGCHLD;
		job_control_part(child, process);
		if (!child->zombie)
			continue;
		if (nobody_will_ask(child))
			process_forget(child);
		else
			process_tell_parent(child, CLD_EXITED);
	}
	return false;
}

/* Remove the zombies among the children of init, which has ended and so does not wait for them. */
static void forget_zombies(struct process *process)
{
	LIST_EACH_LEAVING(&process->children, struct process, sibling, child)
		if (child->zombie)
			process_forget(child);
}

/* End the current process, whose last task is ending: free its memory and files, and tell its parent. */
static void end_process(struct process *process)
{
	struct user_space *space = process->space;
	struct fd_table *fds = process->fds;

	timer_cancel(&process->alarm);
	timer_cancel(&process->cpu_watch);
	process_end_vfork(process);
	while (signal_drop_some(process))
		;
	process->fds = NULL;
	fd_table_put(fds);
	/* Leave the process's page tables, which are about to be freed. */
	context_load(&kernel_context);
	(void)process_most_pages(process);
	process->space = NULL;
	user_space_put(space);
	process_put_paths(process);
	late_do_rest();
	job_control_end(process);
	job_control_part_at_end(process);
	process->zombie = true;
	wait_queue_wake(&process->signals.ended);
	signal_end_stop(process);
	signal_end(process);
	process_has_news(process);
	if (process == init) {
		forget_zombies(process);
		process_kill_all();
	} else {
		while (give_children_away(process))
			;
		if (nobody_will_ask(process)) {
			wait_queue_wake(&process->parent->waiters);
			process_forget(process);
		} else {
			process_tell_parent(process, CLD_EXITED);
		}
	}
	wait_queue_wake(&init_ended);
}

/*
 * Do the part of a process's end that may take long, in steps with other tasks in between: the children, which may be
 * many, get their new parent, and the signals that wait are dropped. A child may still be added to the process
 * meanwhile (CLONE_PARENT): end_process() gives that away. Signals are not added to a process that is exiting.
 */
static void end_in_steps(struct process *process)
{
	while (posix_timers_end_some(process))
		(void)task_give_way();
	while (signal_drop_some(process))
		(void)task_give_way();
	while (process != init && give_children_away(process))
		(void)task_give_way();
}

/*
 * Return the wait status of a task of `process` that ends with the exit code `code`. If the whole process is to end,
 * all of its tasks have the process's status.
 */
static int end_status(const struct process *process, int code)
{
	return process->exiting ? process->status : (code & 0xff) << 8;
}

void process_exit_task(int code)
{
	struct task *task = task_current();
	struct process *process = task->process;
	struct seccomp_filter *filters;

	/*
	 * Late work may hold a file's turn (file_resize.c). Do it before the task stops for a tracer or a core file,
	 * since whoever goes on meanwhile may wait for the turn. Other tasks begin to end at once.
	 */
	if (task->tracing.tracee || process->core)
		late_do_all();
	core_park();
	ptrace_event(PTRACE_EVENT_EXIT, (uint64_t)end_status(process, code));
	ptrace_end_tracer();
	if (exit_hook)
		exit_hook(task);
	process->ending++;
	if (end_hook)
		end_hook(task);
	if (process->task_count == 1) {
		process->status = end_status(process, code);
		process->exiting = true;
		/*
		 * First unmap a large space and close the files. Other tasks run in between and may find this process,
		 * so it keeps its space and its descriptor table until end_process().
		 */
		space_shed(process->space);
		if (process->fds->refs == 1)
			fd_work_close(process->fds, 0, UINT32_MAX, FD_ALL);
		process_put_paths(process);
	}
	late_do_all();
	/*
	 * Drop the task's seccomp filters: it makes no more system calls. The task loses the whole chain before the
	 * first filter is freed, since other tasks run in between and must not see a chain that is freed in part.
	 */
	filters = task->rights.filter;
	task->rights.filter = NULL;
	while (seccomp_put_some(&filters))
		(void)task_give_way();
	signal_drop(task);
	if (process->task_count == 1)
		end_in_steps(process);
	/*
	 * ptrace_end_tracer() lets other tasks run, which may begin to trace this one; after ptrace_end_tracee() none
	 * can.
	 */
	ptrace_end_tracer();
	ptrace_end_tracee(end_status(process, code));
	process->ending--;
	/*
	 * This task does not return to user mode. Stop using the page tables before the task leaves the process: then
	 * others may free the tables, and the last task changes them without telling any CPU
	 * (kernel/mm/user/user_open.h).
	 */
	if (process->task_count > 1)
		context_load(&kernel_context);
	process_remove_task(task);
	if (process->task_count == 0) {
		end_process(process);
	} else {
		if (process->exec_waiter)
			task_wake(process->exec_waiter);
		core_task_ended(process);
	}
	task->process = NULL;
	process_put(process);
	task_exit();
}

static bool kill_one(void *ctx, struct process *process)
{
	(void)ctx;
	if (process != init && !process->zombie)
		process_kill(process, SIGKILL);
	return true;
}

void process_kill_all(void)
{
	process_visit(kill_one, NULL);
}

void process_exit(int status)
{
	process_kill(process_current(), status);
	process_exit_task(0);
}

void process_leave_program(struct task *task)
{
	if (exit_hook)
		exit_hook(task);
	task->clear_child_tid = 0;
	task->futexes.robust_list = 0;
	/*
	 * Delete the timers first: signal_exec() drops the signals that they have sent, and nothing may send more then.
	 */
	while (posix_timers_end_some(task->process))
		(void)task_give_way();
	signal_exec(task->process);
	task->process->executed = true;
}

int process_end_others(void)
{
	struct task *self = task_current();
	struct process *process = self->process;
	uint64_t flags;

	if (process->exec_waiter)
		return -EINTR;
	process->exec_waiter = self;
	flags = lock_take(&signal_lock);
	PROCESS_EACH_TASK(process, task)
		if (task != self) {
			task->end_wanted = true;
			task_end_soon(task);
		}
	process_wake_tasks(process);
	lock_release(&signal_lock, flags);
	/*
	 * A task that ends clears words in the program's memory (clear_child_tid, robust futexes). To other tasks in
	 * user mode that may look like a lock that is free again. So all of them must have left user mode when the
	 * first ends.
	 */
	if (process->task_count > 1)
		context_interrupt(&process->space->context);
	(void)WAIT_UNTIL_KILLABLE(process->task_count == 1);
	process->exec_waiter = NULL;
	return process->exiting ? -EINTR : 0;
}
