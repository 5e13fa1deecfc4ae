/*
 * Signals that the current task gets for what its program has done: an exception, or a call that seccomp(2) refuses.
 */
#include "kernel/task/core.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/tracee.h"

void signal_fault(int signal, int code, uint64_t address)
{
	const struct signal_info info = { .code = code, .address = address };

	signal_fault_as(signal, &info);
}

void signal_fault_as(int signal, const struct signal_info *info)
{
	struct task *task = task_current();
	struct process *process = task->process;
	uint64_t flags = lock_take(&signal_lock), bit = SIGNAL_BIT(signal);
	/*
	 * A signal that kills is delivered, with its default action, if a tracer is to see it first or delivery writes
	 * a core file. Otherwise the process is killed here; so is the first process, where delivery would ignore the
	 * signal, unless it is traced.
	 */
	const bool later = ptrace_is_traced(task) || (process->pid != 1 && core_is_wanted(signal));
	struct signal_action *action = &process->signals.actions[signal - 1];
	const bool kills = task->signals.blocked & bit || action->handler <= SIGNAL_IGNORE;

	if (kills && later) {
		action->handler = SIGNAL_DEFAULT;
		task->signals.blocked &= ~bit;
	}
	if (kills && !later)
		process_kill_held(process, signal);
	else if (signal_set_add(process, &task->signals.set, signal, info) == 0)
		task->signals.wanted = true;
	lock_release(&signal_lock, flags);
}
