/*
 * How a long system call lets other tasks run, since the kernel is not preemptible.
 */
#pragma once

#include "kernel/arch/irq_guard.h"
#include "kernel/sync/kernel_lock.h"
#include "kernel/task/task.h"

/*
 * Return whether the current task, which the caller passes if it knows it, must call task_return() before it returns to
 * user mode: for a signal, a switch to another task, or its end. With interrupts on the answer may change at any time.
 */
static inline bool task_return_wanted_by(const struct task *current)
{
	return this_cpu->switch_wanted || current->signals.wanted;
}

static inline bool task_return_wanted(void)
{
	return task_return_wanted_by(task_current());
}

/* Let other tasks run if it is their turn. Returns whether the task must end. For task_give_way() only. */
bool task_give_way_now(void);

/*
 * Let other tasks run if it is their turn, between two steps of a long system call. Call with interrupts on, without a
 * lock, with the process's context (page tables) loaded, and with all data structures consistent. If the caller is in a
 * wait queue, it must not lose a wake-up that comes meanwhile. Returns true when the task must end: then the system
 * call must return at once, with what it has done so far. A system call that may take more than a million instructions
 * calls this at least once in each million.
 */
#define task_give_way() task_give_way_at(IRQ_HERE)

__attribute__((always_inline)) static inline bool task_give_way_at(const char *place)
{
	stop_watch_step(place);
	if (kernel_lock_is_wanted())
		kernel_lock_lend();
	return task_return_wanted() && task_give_way_now();
}
