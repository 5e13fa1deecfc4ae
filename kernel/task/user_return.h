/*
 * The way back to user mode, and the handling of programs' exceptions.
 */
#pragma once

#include "kernel/task/give_way.h"

/*
 * Do what is due before the current task returns to user mode by `frame`: end the task if its process ends, deliver
 * signals, switch to other tasks. Call with interrupts off, as they are afterwards. `system_call`: `frame` is of a
 * system call. Does not return when the task ends.
 */
void task_return(struct trap_frame *frame, bool system_call);

/* Find memory after a system call returned -ERESTART_MEMORY, and set `frame` so that the program repeats the call. */
void task_begin_again(struct trap_frame *frame);

/* Install the handlers of user mode's exceptions. Call once, after task_init(). */
void user_traps_init(void);

/* Take the kernel lock on the way in from user mode from now on. Call before other CPUs start. */
void user_traps_use_lock(void);
