/*
 * Keeps open sections of a process's other tasks (kernel/mm/user/user_fault_open.h) away from its memory, while one of
 * its tasks is in the kernel with the kernel lock, and may use and change that memory as it likes.
 */
#pragma once

#include "kernel/sync/open_gate.h"
#include "kernel/task/process.h"

/*
 * Hold the gate of the memory of `task`, which has the CPU, or is about to: until the kernel lock is let go of, or this
 * is called for another task. A process with one task needs no gate, as it is not in a section while it is here. Call
 * with the kernel lock, on a machine with several CPUs.
 */
static inline void memory_gate_hold(const struct task *task)
{
	const struct process *process = task->process;

	open_gate_hold(process && process->space && process->task_count != 1 ? &process->space->gate : NULL);
}

/* Take the kernel lock for the current task, which comes from user mode. Does nothing with one CPU. */
static inline void memory_gate_enter_kernel(void)
{
	if (unlikely(kernel_lock_used)) {
		kernel_enter();
		memory_gate_hold(task_current());
	}
}
