/*
 * What tasks have used: CPU time, apart for user mode and the kernel; page faults; how often they left the CPU.
 *
 * The whole of the CPU time is exact. Which part of it was the kernel's is found as by Linux's tick: while a task runs a timer
 * looks every USAGE_TICK_NS where the CPU is, and the time since it last looked counts as spent there. What runs between two
 * looks is divided as the task's time was before. So system calls take no time for this.
 */
#pragma once

#include "paging/types.h"

#define USAGE_TICK_NS 10000000ULL

struct task;
struct process;

struct usage {
	uint64_t user_ns, system_ns;     /* CPU time */
	uint64_t faults;                 /* page faults */
	uint64_t voluntary, involuntary; /* how often a task gave up the CPU, to wait; or had to, or yielded */
};

/* Add `more` to a sum. */
void usage_add(struct usage *sum, const struct usage *more);

/* Return what a task has used so far; or a process, with its tasks that have ended. Both take task_lock. */
struct usage task_usage(struct task *task);
struct usage process_usage(struct process *process);

/* Start this CPU's timer, unless it runs. It ends by itself when the CPU has nothing to do. The caller holds task_lock. */
void usage_tick_start(void);
