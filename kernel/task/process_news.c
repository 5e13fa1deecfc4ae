/*
 * Sends a parent the signal that its child has ended, stopped or continued.
 */
#include "kernel/task/process_wait.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal_internal.h"

void process_tell_parent_held(struct process *process, int code)
{
	struct process *parent = process->parent;
	struct signal_info info = {
		.signal = SIGCHLD,
		.code = code,
		.sender = { .pid = process->pid, .uid = rights_user_of(process) },
	};

	if (!parent)
		return;
	if (code == CLD_EXITED) {
		const struct wait_end end = wait_end_of(process->status);

		info.signal = process->exit_signal;
		info.code = end.code;
		info.sender.value = (uint64_t)end.status;
	}
	if (code == CLD_STOPPED)
		info.sender.value = (uint64_t)process->stop_status >> 8 & 0xff;
	if (code == CLD_CONTINUED)
		info.sender.value = SIGCONT;
	/* A signal that cannot be queued is not retried: wait4(2) finds the child without it. */
	if (info.signal && signal_send_process_held(parent, info.signal, &info) != 0)
		info.signal = 0;
	wait_queue_wake(&parent->waiters);
}

void process_tell_parent(struct process *process, int code)
{
	uint64_t flags = lock_take(&signal_lock);

	process_tell_parent_held(process, code);
	lock_release(&signal_lock, flags);
}
