/*
 * Begins and ends tracing: makes a task a tracee of another, and lets go of it when the tracer says so or one of the
 * two ends. The stops of a tracee are the business of ptrace_stop.c.
 */
#include "kernel/arch/irq_guard.h"
#include "kernel/fs/errno.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/clone.h"
#include "kernel/task/give_way.h"
#include "kernel/task/process_wait.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/wait_until.h"

#define ENDED_MOST 1024 /* tracees whose end is kept for the tracer's wait4(2) */

/* Make `task` a tracee of `tracer`. Returns 0 or -ENOMEM. */
static int link_up(struct task *task, struct task *tracer, unsigned options, bool seized)
{
	struct tracee *tracee = kmalloc(sizeof(*tracee));

	if (!tracee)
		return -ENOMEM;
	*tracee = (struct tracee){
		.task = task, .tracer = tracer, .tid = task->tid, .options = options, .seized = seized
	};
	list_init(&tracee->in_news);
	list_add_last(&tracer->tracing.tracees, &tracee->of_tracer);
	task->tracing.tracee = tracee;
	/* The entry code passes the calls of the task to syscall_run(), which knows of tracing. */
	task->rights.calls_by_c = true;
	if (task == task_current())
		this_cpu->calls_by_c = true;
	return 0;
}

void ptrace_forget(struct tracee *tracee)
{
	if (!tracee->task)
		tracee->tracer->process->trace_ended--;
	list_remove(&tracee->in_news);
	list_remove(&tracee->of_tracer);
	kfree(tracee);
}

bool ptrace_is_capable(const struct task *task)
{
	const struct tracee *tracee = task->tracing.tracee;
	HELD_CREDENTIALS const struct credentials *who = tracee ? rights_of_task(tracee->tracer) : NULL;

	return !tracee || (who && credentials_can(who, CAP_SYS_PTRACE));
}

/* Return whether the current task may begin to trace `task`: 0, -EPERM, -ESRCH. */
static int check(const struct task *task)
{
	if (!task->process)
		return -ESRCH;
	/* While the task gains rights by an execve(2), a tracer that lacks them must not begin to look at it. */
	if (task->process == process_current() || !rights_may_trace(task->process) ||
	    (task->rights.gains && !rights_can(CAP_SYS_PTRACE)))
		return -EPERM;
	return ptrace_is_traced(task) || task_must_end(task) ? -EPERM : 0;
}

/*
 * Make a task that has stopped with its process run for a moment, to stop as a tracee, and wait for that: as on Linux
 * the next request finds it stopped. The wait ends early when the tracee ends, or when the caller must end. has_stopped
 * is false: do not wait for a task that has not stopped yet, since it may stay in its call for ever, as in vfork(2).
 */
static void stop_as_tracee(struct task *task, bool has_stopped)
{
	struct process *process = process_current();
	struct task_waiter waiter;

	ptrace_call_to_stop(task);
	if (!has_stopped)
		return;
	task_waiter_init(&waiter);
	wait_queue_add(&process->waiters, &waiter.waiter);
	(void)WAIT_UNTIL_KILLABLE(!ptrace_is_traced(task) || task->tracing.tracee->stopped || !task->process->stopped ||
				  task_must_end(task));
	wait_queue_remove(&waiter.waiter);
}

int ptrace_attach(struct task *task)
{
	const bool has_stopped = task->state == TASK_STOPPED;
	int error = check(task);

	if (!error)
		error = link_up(task, task_current(), 0, false);
	if (error)
		return error;
	task->tracing.tracee->group_due = task->process->stopped;
	(void)signal_send_task(task, SIGSTOP, NULL);
	if (task->process->stopped)
		stop_as_tracee(task, has_stopped);
	return 0;
}

int ptrace_seize(struct task *task, unsigned options)
{
	int error = check(task);

	if (!error)
		error = link_up(task, task_current(), options, true);
	if (!error && task->process->stopped)
		stop_as_tracee(task, task->state == TASK_STOPPED);
	return error;
}

/*
 * Return the task that becomes the tracer by PTRACE_TRACEME: the one that made the process; or, if that has ended, any
 * task of the parent process.
 */
static struct task *parent_task(const struct process *process)
{
	struct task *task = task_peek(process->parent_tid);

	return task && task->process == process->parent ? task : process_any_task(process->parent);
}

int ptrace_me(void)
{
	struct task *task = task_current(), *tracer;
	struct process *process = task->process;
	HELD_CREDENTIALS const struct credentials *theirs = NULL;

	if (ptrace_is_traced(task))
		return -EPERM;
	tracer = process->parent ? parent_task(process) : NULL;
	/* A parent that is ending traces nobody any more. As on Linux the call succeeds. */
	if (!tracer || process->parent->exiting)
		return 0;
	theirs = rights_of_process(process->parent);
	if (rights_current()->permitted & ~theirs->effective && !credentials_can(theirs, CAP_SYS_PTRACE))
		return -EPERM;
	return link_up(task, tracer, 0, false);
}

void ptrace_detach(struct tracee *tracee, int signal)
{
	struct task *task = tracee->task;
	const bool stopped = tracee->stopped;
	uint64_t flags;

	if (!task) {
		ptrace_forget(tracee);
		return;
	}
	if (stopped)
		ptrace_resume(tracee, PTRACE_RUN_FREE, signal);
	task->tracing.tracee = NULL;
	task->rights.calls_by_c = task->rights.seccomp_mode != SECCOMP_OFF;
	ptrace_forget(tracee);
	flags = lock_take(&signal_lock);
	task->signals.stop_wanted = task->process->stopped;
	task->signals.wanted = true;
	lock_release(&signal_lock, flags);
}

void ptrace_end_tracer(void)
{
	struct link *tracees = &task_current()->tracing.tracees;

	while (!list_is_empty(tracees)) {
		struct tracee *tracee = list_item(tracees->next, struct tracee, of_tracer);

		if (tracee->task && tracee->options & PTRACE_O_EXITKILL)
			(void)signal_send_process(tracee->task->process, SIGKILL, NULL);
		ptrace_detach(tracee, 0);
		(void)task_give_way();
	}
}

void ptrace_end_tracee(int status)
{
	struct task *task = task_current();
	struct process *process = task->process;
	struct tracee *tracee = task->tracing.tracee;
	const bool leader = task->tid == process->pid;
	const struct wait_end end = wait_end_of(status);
	struct process *tracer;
	uint64_t flags;

	if (!tracee)
		return;
	task->tracing.tracee = NULL;
	tracer = tracee->tracer->process;
	/*
	 * The tracer gets no news of this end in three cases. If it is the process's parent, it hears of the end of the
	 * process, and so not of the first task's. As on Linux it does not hear of the first task when another task of
	 * the process takes that one's number by execve(2). And if it has not asked for ENDED_MOST ends yet, it does
	 * not hear of more: each takes memory that nothing else limits.
	 */
	if ((leader && (tracer == process->parent || task->end_wanted)) || tracer->trace_ended >= ENDED_MOST) {
		ptrace_forget(tracee);
		wait_queue_wake(&tracer->waiters);
		return;
	}
	tracer->trace_ended++;
	tracee->task = NULL;
	tracee->stopped = false;
	tracee->status = status;
	tracee->tid = task->tid;
	tracee->pid = process->pid;
	tracee->group = process->group;
	flags = lock_take(&signal_lock);
	ptrace_tell_held(tracee, end.code, end.status);
	lock_release(&signal_lock, flags);
}

/* ---- new children ---- */

int ptrace_take_child(struct task *child, uint64_t flags, enum ptrace_event *ret_event)
{
	const struct tracee *tracee = task_current()->tracing.tracee;
	enum ptrace_event event = PTRACE_EVENT_FORK;
	bool wanted;
	int error;

	*ret_event = 0;
	if (!tracee)
		return 0;
	if (flags & CLONE_VFORK)
		event = PTRACE_EVENT_VFORK;
	else if ((flags & CLONE_EXIT_SIGNAL) != SIGCHLD)
		event = PTRACE_EVENT_CLONE;
	wanted = tracee->options & 1U << event && !(flags & CLONE_UNTRACED);
	if (!wanted && !(flags & CLONE_PTRACE))
		return 0;
	error = link_up(child, tracee->tracer, tracee->options, tracee->seized);
	if (error)
		return error;
	if (wanted)
		*ret_event = event;
	return 0;
}

void ptrace_stop_child(struct task *child)
{
	if (!ptrace_is_traced(child))
		return;
	if (child->tracing.tracee->seized)
		ptrace_call_to_stop(child);
	else
		(void)signal_send_task(child, SIGSTOP, NULL);
}

void ptrace_drop_child(struct task *child)
{
	if (!ptrace_is_traced(child))
		return;
	ptrace_forget(child->tracing.tracee);
	child->tracing.tracee = NULL;
}
