/*
 * How tracees take part in a stop of their process (job control): each is woken when the stop begins or ends, and
 * reports that itself.
 */
#include "kernel/task/signal_internal.h"
#include "kernel/task/tracee.h"

void ptrace_stop_comes_held(struct task *task)
{
	lock_assert_held(&signal_lock);
	task->tracing.tracee->group_due = true;
	task_wake_off(task);
}

void ptrace_stop_ends_held(struct task *task)
{
	struct tracee *tracee = task->tracing.tracee;

	lock_assert_held(&signal_lock);
	tracee->group_due = false;
	/* A tracer that has just attached may wait for the stop (ptrace_attach.c), which does not come any more. */
	wait_queue_wake(&tracee->tracer->process->waiters);
	if (!tracee->seized)
		return;
	task->signals.stop_wanted = true;
	if (tracee->listening)
		tracee->stopped = tracee->listening = false;
	task_wake_off(task);
}
