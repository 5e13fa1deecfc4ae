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

/* Take over user mode's exceptions. Once; after task_init. */
void user_traps_init(void);
