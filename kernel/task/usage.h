/*
 * What tasks have used: CPU time, in user mode and in the kernel; page faults; how often they left the CPU.
 *
 * The sum of a task's CPU time is exact. How much of it was spent in the kernel is estimated as by Linux's tick: while
 * a task runs, a timer looks every USAGE_TICK_NS whether the CPU is in the kernel or in the program, and all of the
 * task's time since the last look counts as spent there. The time after the last look is divided in the same proportion
 * as all time before it. So system calls need not read the clock.
 */
#pragma once

#include "paging/types.h"

#define USAGE_TICK_NS 10000000ULL

struct task;
struct process;

struct usage {
	uint64_t user_ns, system_ns;     /* CPU time */
	uint64_t faults;                 /* page faults */
	uint64_t voluntary, involuntary; /* how often a task left the CPU: to wait; or still ready to run */
};

/* Add `more` to a sum. */
void usage_add(struct usage *sum, const struct usage *more);

/*
 * task_usage: return what a task has used so far. process_usage: return what all tasks of a process have used, those
 * that have ended included. Both functions take task_lock.
 */
struct usage task_usage(struct task *task);
struct usage process_usage(struct process *process);

/*
 * Start this CPU's timer, unless it runs. The timer stops by itself when the CPU runs no task of a process. The caller
 * holds task_lock.
 */
void usage_tick_start(void);
