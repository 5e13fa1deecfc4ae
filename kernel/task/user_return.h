/*
 * The way back to user mode, and what programs' faults come to.
 */
#pragma once

#include "kernel/task/task.h"

/*
 * Before a return to user mode by `frame`, the current task's: end if the process ends, deliver signals, let
 * others run whose turn it is. Interrupts off before and after. `system_call`: the frame is SYSCALL's.
 */
void task_return(struct trap_frame *frame, bool system_call);

/* Whether task_return has something to do. */
static inline bool task_return_wanted(void)
{
	return this_cpu->switch_wanted || task_current()->signals.wanted;
}

/* The system call of `frame` has returned -ERESTART_MEMORY: find memory, then let the program make the call again. */
void task_begin_again(struct trap_frame *frame);

/* What task_give_way() does when there is something to do. */
bool task_give_way_now(void);

/*
 * Between two steps of a long call, where the caller holds no lock, waits in no queue, and leaves nothing half done: let
 * others run whose turn it is. Interrupts on; in the task's own context. Returns true when the task is to end: the call
 * returns at once then, with what it has done so far. Each call reaches one of these at least every million instructions.
 */
static inline bool task_give_way(void)
{
	return task_return_wanted() && task_give_way_now();
}

/* Take over user mode's exceptions. Once; after task_init. */
void user_traps_init(void);
