/*
 * Stops of traced tasks: a task stops itself, and its tracer lets it go on.
 */
#include "kernel/arch/registers.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/rights.h"
#include "kernel/task/sched.h"
#include "kernel/task/signal_internal.h"

void ptrace_tell_held(struct tracee *tracee, int code, int status)
{
	struct process *process = tracee->tracer->process;
	const struct signal_action *action = &process->signals.actions[SIGCHLD - 1];
	const struct signal_info info = {
		.signal = SIGCHLD,
		.code = code,
		.sender = { .pid = tracee->tid, .uid = tracee->uid, .value = (uint64_t)status },
	};

	lock_assert_held(&signal_lock);
	list_remove(&tracee->in_news);
	list_add_last(&process->trace_news, &tracee->in_news);
	/*
	 * With SA_NOCLDSTOP a stop sends no signal, just as a child's stop sends none. wait4(2) finds the tracee
	 * anyway.
	 */
	if (!tracee->task || !(action->flags & SA_NOCLDSTOP))
		(void)signal_send_process_held(process, SIGCHLD, &info);
	wait_queue_wake(&process->waiters);
}

/* Return whether the task is to stay stopped. */
static bool stays(const struct task *task)
{
	const struct tracee *tracee = task->tracing.tracee;

	/* PTRACE_EVENT_EXIT stops a task that ends anyway, unless SIGKILL ends it. */
	if (task->process->exiting &&
	    !(tracee && tracee->stop_code >> 8 == PTRACE_EVENT_EXIT && !task->process->killed))
		return false;
	return tracee && tracee->stopped && (!task->end_wanted || tracee->stop_code >> 8 == PTRACE_EVENT_EXIT);
}

int ptrace_stop(int code, struct signal_info *info)
{
	struct task *task = task_current();
	struct tracee *tracee = task->tracing.tracee;
	const bool group = code >> 8 == PTRACE_EVENT_STOP || !info;
	uint64_t flags;

	task->tracing.info = info;
	task->tracing.signal = 0;
	tracee->uid = rights_current()->uid.real;
	tracee->stopped = true;
	tracee->code = tracee->stop_code = code;
	if (stays(task)) {
		flags = lock_take(&signal_lock);
		ptrace_tell_held(tracee, group ? CLD_STOPPED : CLD_TRAPPED, code & 0x7f);
		lock_release(&signal_lock, flags);
	}
	/* No wake-up is lost: ptrace_resume() clears `stopped` before it takes task_lock to wake this task. */
	lock_take_on(&task_lock);
	while (stays(task)) {
		task->state = TASK_STOPPED;
		sched_switch();
	}
	lock_release_on(&task_lock);
	task->tracing.info = NULL;
	tracee = task->tracing.tracee;
	if (tracee) {
		tracee->stopped = tracee->listening = false;
		tracee->code = 0;
		list_remove(&tracee->in_news);
	}
	return task->tracing.signal;
}

int ptrace_notify(int code, uint64_t message)
{
	struct task *task = task_current();
	struct signal_info info = {
		.signal = code & 0x7f,
		.code = code,
		.sender = { .pid = task->tid, .uid = rights_current()->uid.real },
	};

	task->tracing.tracee->message = message;
	return ptrace_stop(code, &info);
}

/* Set the trap flag of a tracee that is to be stepped; otherwise clear it if an earlier step has set it. */
static void set_steps(struct tracee *tracee, bool steps)
{
	struct trap_frame *frame = task_frame(tracee->task);

	if (steps && !(frame->rflags & RFLAGS_TF)) {
		frame->rflags |= RFLAGS_TF;
		tracee->steps = true;
	} else if (!steps && tracee->steps) {
		frame->rflags &= ~RFLAGS_TF;
		tracee->steps = false;
	}
}

void ptrace_resume(struct tracee *tracee, enum ptrace_run run, int signal)
{
	struct task *task = tracee->task;

	set_steps(tracee, run == PTRACE_RUN_STEP);
	tracee->run = run;
	tracee->code = 0;
	list_remove(&tracee->in_news);
	task->tracing.signal = signal;
	tracee->stopped = tracee->listening = false;
	task_go_on(task);
}

void ptrace_call_to_stop(struct task *task)
{
	uint64_t flags = lock_take(&signal_lock);

	task->signals.stop_wanted = true;
	task->signals.wanted = true;
	task_wake_stopped(task);
	lock_release(&signal_lock, flags);
}
