/*
 * Delivers signals to the current task on its way to user mode: runs a handler, stops the task, or kills the process.
 */
#include "kernel/fs/errno.h"
#include "kernel/task/core.h"
#include "kernel/task/job_control.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/sched.h"
#include "kernel/task/self_write.h"
#include "kernel/task/signal_internal.h"

#define RESTART_SYSCALL 219 /* Linux's number of restart_syscall(2) */

/* Stop the current task, which is not traced, as long as its process is stopped and the task does not have to end. */
static void stop_with_process(struct task *task)
{
	/* No wake-up is lost: `stopped` is cleared before task_go_on() takes task_lock to wake this task. */
	lock_take_on(&task_lock);
	while (task->process->stopped && !ptrace_is_traced(task) && !task_must_end(task)) {
		task->state = TASK_STOPPED;
		sched_switch();
	}
	lock_release_on(&task_lock);
}

/* Stop the current task as long as that is wanted: with its process, or, if it is traced, as its tracer says. */
static void stop_here(struct task *task)
{
	while (unlikely(task->signals.stop_wanted) && !task_must_end(task)) {
		if (ptrace_is_traced(task)) {
			ptrace_trap();
			continue;
		}
		stop_with_process(task);
		if (!ptrace_is_traced(task) && !task->process->stopped)
			break;
	}
}

static void act_by_default(struct process *process, int signal, const struct signal_info *info)
{
	if (process->pid == 1 || (SIGNAL_BIT(signal) & SIGNALS_IGNORED))
		return;
	if (!(SIGNAL_BIT(signal) & SIGNALS_STOPPING)) {
		if (!core_dump(signal, info))
			process_kill(process, signal);
		return;
	}
	if (signal != SIGSTOP && job_control_is_orphaned(process->group, process->session, NULL))
		return;
	signal_stop_process(process, signal);
}

void signal_finish_call(struct trap_frame *frame, const struct signal_action *handler)
{
	bool again, goes_on = false;

	/* `error` is ~0 after signal_return(): RAX is then no call's result, and nothing must be restarted. */
	if ((int64_t)frame->error < 0)
		return;
	switch (-(int64_t)frame->rax) {
	case ERESTARTNOINTR:
		again = true;
		break;
	case ERESTARTSYS:
		again = !handler || (handler->flags & SA_RESTART);
		break;
	case ERESTART_GO_ON:
		again = goes_on = !handler;
		break;
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK:
		again = !handler;
		break;
	default:
		return;
	}
	if (again) {
		frame->rip -= SYSCALL_LENGTH;
		frame->rax = goes_on ? RESTART_SYSCALL : frame->error;
	} else {
		frame->rax = (uint64_t)-EINTR;
		task_current()->restart.call = RESTART_NONE;
	}
}

static void call_handler(struct trap_frame *frame, struct task *task, const struct signal_action *action,
			 const struct signal_info *info)
{
	struct task_signals *signals = &task->signals;
	uint64_t blocked = signals->restore_blocked ? signals->saved_blocked : signals->blocked;
	enum status status;
	bool steps;

	signals->restore_blocked = false;
	if (unlikely(task->self_write.at))
		(void)self_write_end(frame);
	steps = ptrace_step_ends(frame);
	do
		status = signal_frame_push(frame, action, info, blocked);
	while (unlikely(status == ERR_NO_MEMORY) && task_find_memory());
	if (unlikely(status != OK)) {
		/*
		 * As on Linux: when a handler's frame cannot be made, the task gets SIGSEGV, whose handler may have
		 * another stack; but if the signal was SIGSEGV itself, the process ends.
		 */
		if (info->signal == SIGSEGV)
			process_kill(task->process, SIGSEGV);
		else
			signal_fault(SIGSEGV, SI_KERNEL, 0);
		return;
	}
	blocked = signals->blocked | action->mask;
	if (!(action->flags & SA_NODEFER))
		blocked |= SIGNAL_BIT(info->signal);
	signal_set_blocked(blocked);
	/* The tracer may have let go of the task while memory for the frame was sought. */
	if (unlikely(steps) && ptrace_is_traced(task))
		(void)ptrace_notify(SIGTRAP, 0);
}

/* Deliver one signal. Returns false when none was pending. Sets *ret_handled when a handler is to run. */
static bool deliver_one(struct trap_frame *frame, struct task *task, bool system_call, bool *ret_handled)
{
	struct process *process = task->process;
	struct signal_action *at, action;
	struct signal_info info;
	int signal = signal_take_quietly(~task->signals.blocked, &info);

	*ret_handled = false;
	if (!signal)
		return false;
	if (unlikely(ptrace_is_traced(task)) && signal != SIGKILL) {
		signal = ptrace_signal(signal, &info);
		if (!signal)
			return true;
	}
	at = &process->signals.actions[signal - 1];
	action = *at;
	if (action.handler == SIGNAL_IGNORE)
		return true;
	if (action.handler == SIGNAL_DEFAULT) {
		act_by_default(process, signal, &info);
		return true;
	}
	if (action.flags & SA_RESETHAND)
		at->handler = SIGNAL_DEFAULT;
	if (system_call)
		signal_finish_call(frame, &action);
	call_handler(frame, task, &action, &info);
	*ret_handled = true;
	return true;
}

void signal_deliver(struct trap_frame *frame, bool system_call)
{
	struct task *task = task_current();
	bool handled;

	do {
		stop_here(task);
		/* The caller, task_return(), ends the task. */
		if (task_must_end(task))
			return;
	} while (deliver_one(frame, task, system_call, &handled) && !handled);
	if (handled)
		return;
	if (system_call)
		signal_finish_call(frame, NULL);
	if (task->signals.restore_blocked) {
		task->signals.restore_blocked = false;
		signal_set_blocked(task->signals.saved_blocked);
	}
	signal_recompute(task);
}
