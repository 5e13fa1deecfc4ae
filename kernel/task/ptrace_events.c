/*
 * Stops a traced task for what its tracer wants to hear of: signals, system calls, events, and stops of its process.
 */
#include "kernel/arch/registers.h"
#include "kernel/fs/errno.h"
#include "kernel/lib/likely.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/signal_internal.h"

/* Return the siginfo of a signal that the tracer passes on; if it traces the current task no more, it has no sender. */
static struct signal_info info_from_tracer(int signal)
{
	const struct tracee *tracee = task_current()->tracing.tracee;
	struct signal_info info = { .signal = signal, .code = SI_USER };

	if (tracee) {
		info.sender.pid = tracee->tracer->process->pid;
		info.sender.uid = rights_user_of(tracee->tracer->process);
	}
	return info;
}

void ptrace_send(int signal)
{
	struct signal_info info;

	if (!signal)
		return;
	info = info_from_tracer(signal);
	(void)signal_send_task(task_current(), signal, &info);
}

void ptrace_event(enum ptrace_event event, uint64_t message)
{
	const struct tracee *tracee = task_current()->tracing.tracee;

	if (tracee && tracee->options & 1U << event)
		ptrace_send(ptrace_notify(SIGTRAP | event << 8, message));
}

void ptrace_exec(int old_tid)
{
	const struct tracee *tracee = task_current()->tracing.tracee;

	if (!tracee)
		return;
	if (tracee->options & 1U << PTRACE_EVENT_EXEC)
		ptrace_event(PTRACE_EVENT_EXEC, (uint64_t)old_tid);
	else if (!tracee->seized)
		(void)signal_send_task(task_current(), SIGTRAP, NULL);
}

int ptrace_signal(int signal, struct signal_info *info)
{
	struct task *task = task_current();
	int passed = ptrace_stop(signal, info);

	if (!passed || task_must_end(task))
		return 0;
	if (passed != info->signal)
		*info = info_from_tracer(passed);
	if (!(task->signals.blocked & SIGNAL_BIT(passed)))
		return passed;
	/* The tracer has chosen a signal that the task blocks: let the signal become pending. */
	(void)signal_send_task(task, passed, info);
	return 0;
}

void ptrace_trap(void)
{
	struct task *task = task_current();
	struct tracee *tracee = task->tracing.tracee;
	const bool group = task->process->stopped && (tracee->group_due || tracee->seized);
	const int signal = group ? task->process->stop_status >> 8 : SIGTRAP;
	uint64_t flags = lock_take(&signal_lock);

	task->signals.stop_wanted = false;
	lock_release(&signal_lock, flags);
	tracee->group_due = false;
	if (tracee->seized)
		(void)ptrace_notify(signal | PTRACE_EVENT_STOP << 8, 0);
	else if (group)
		(void)ptrace_stop(signal, NULL);
}

bool ptrace_step_ends(struct trap_frame *frame)
{
	struct tracee *tracee = task_current()->tracing.tracee;

	if (likely(!tracee || !tracee->steps))
		return false;
	frame->rflags &= ~RFLAGS_TF;
	tracee->steps = false;
	return true;
}

/* Stop at the beginning or at the end of a system call, if the tracer wants that. */
static void stop_at_call(uint64_t message)
{
	const struct tracee *tracee = task_current()->tracing.tracee;
	const int code = SIGTRAP | (tracee->options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0);

	if (tracee->run == PTRACE_RUN_CALLS)
		ptrace_send(ptrace_notify(code, message));
}

bool ptrace_call_begins(struct trap_frame *frame)
{
	struct task *task = task_current();
	struct tracee *tracee = task->tracing.tracee;

	/* As on Linux a tracer finds -ENOSYS in RAX before the call, and a call that is left out returns -ENOSYS. */
	frame->rax = (uint64_t)-ENOSYS;
	if (tracee->calls_again)
		tracee->calls_again = false;
	else
		stop_at_call(PTRACE_CALL_BEGINS);
	return !task_must_end(task) && (int64_t)frame->error >= 0;
}

void ptrace_call_ends(struct trap_frame *frame)
{
	const struct tracee *tracee = task_current()->tracing.tracee;
	const struct signal_info step = { .code = TRAP_BRKPT, .address = frame->rip };

	/* A step over SYSCALL has come to its end here, and not behind the instruction that follows. */
	if (tracee->steps)
		signal_fault_as(SIGTRAP, &step);
	else
		stop_at_call(PTRACE_CALL_ENDS);
}
