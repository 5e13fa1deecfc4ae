/*
 * The way back to user mode, and what becomes of programs' faults.
 */
#pragma once

#include "kernel/task/task.h"

/*
 * Do what is left to do before the current task returns to user mode by `frame`: end if its process ends, deliver
 * signals, let other tasks run whose turn it is. Interrupts are off before and after. `system_call`: the frame is
 * SYSCALL's. Does not return when the task ends.
 */
void task_return(struct trap_frame *frame, bool system_call);

/* Return whether task_return has something to do. Interrupts off, or the answer may be old. */
static inline bool task_return_wanted(void)
{
	return this_cpu->switch_wanted || task_current()->signals.wanted;
}

/* Find memory after the system call of `frame` returned -ERESTART_MEMORY, then let the program make the call again. */
void task_begin_again(struct trap_frame *frame);

/* Give way as task_give_way() does, which calls this only when there is something to do. */
bool task_give_way_now(void);

/*
 * Let other tasks run whose turn it is, between two steps of a long call. The caller holds no lock, waits in no queue,
 * and leaves nothing half done. Interrupts on; in the task's own context. Returns true when the task is to end: then
 * the call returns at once, with what it has done so far. Each call reaches a task_give_way() at least every million
 * instructions.
 */
#define task_give_way() task_give_way_at(IRQ_HERE)

__attribute__((always_inline)) static inline bool task_give_way_at(const char *place)
{
	stop_watch_step(place);
	return task_return_wanted() && task_give_way_now();
}

/* Take over user mode's exceptions. Called once, after task_init. */
void user_traps_init(void);
