/*
 * The way back to user mode, and the handling of programs' exceptions.
 */
#pragma once

#include "kernel/task/task.h"

/*
 * Do what is due before the current task returns to user mode by `frame`: end the task if its process ends, deliver
 * signals, switch to other tasks. Call with interrupts off, as they are afterwards. `system_call`: `frame` is of a
 * system call. Does not return when the task ends.
 */
void task_return(struct trap_frame *frame, bool system_call);

/* Return whether task_return() has something to do. With interrupts on the answer may change at any time. */
static inline bool task_return_wanted(void)
{
	return this_cpu->switch_wanted || task_current()->signals.wanted;
}

/* Find memory after a system call returned -ERESTART_MEMORY, and set `frame` so that the program repeats the call. */
void task_begin_again(struct trap_frame *frame);

/* Do task_give_way() when task_return_wanted(). */
bool task_give_way_now(void);

/*
 * Let other tasks run if it is their turn, between two steps of a long system call. Call with interrupts on, without a
 * lock, in no wait queue, with the process's context loaded, and with all data structures consistent. Returns true when
 * the task must end: then the system call must return at once, with what it has done so far. A system call that may
 * take more than a million instructions calls this at least as often.
 */
#define task_give_way() task_give_way_at(IRQ_HERE)

__attribute__((always_inline)) static inline bool task_give_way_at(const char *place)
{
	stop_watch_step(place);
	return task_return_wanted() && task_give_way_now();
}

/* Install the handlers of user mode's exceptions. Call once, after task_init(). */
void user_traps_init(void);
