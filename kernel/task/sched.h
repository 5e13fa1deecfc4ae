/*
 * The scheduler: which task runs next. Real-time tasks (SCHED_FIFO, SCHED_RR) come before all others, the highest priority
 * first, but leave them a share of the time (rt_share.h). Among the others nice values are weights (fair_queue.h), and tasks
 * of equal nice value take turns. A turn is ended by a timer, which runs only while another task is ready; with no task
 * ready the CPU halts.
 */
#pragma once

#include "kernel/sync/lock.h"
#include "kernel/task/rt_share.h"
#include "kernel/task/task.h"

#define SCHED_SLICE_NS 10000000ULL  /* length of a turn */
#define RT_TURN_NS     100000000ULL /* length of a turn of SCHED_RR, unless it is set */

/* Guards task->state, priority, queued, woken, timed_out and ready of all tasks, and the run queues. */
extern struct lock task_lock;

/*
 * Switch to the next task; returns when it is the current task's turn again. The caller sets the current task's state
 * (TASK_RUNNABLE: it stays ready), and holds task_lock and no other lock; the task that is switched to takes task_lock
 * over. Call with the context of the current task's process loaded.
 */
void sched_switch(void);

/* Statistics since the boot. Guard: task_lock. */
struct sched_counts {
	uint64_t switches; /* how often the CPU went from one task to another */
	uint64_t idle_ns;  /* how long no task was ready */
	unsigned ready;    /* how many tasks are in the run queues now */
};

extern struct sched_counts sched_counts;

/* Put a task into the run queue; its state must be TASK_RUNNABLE. The caller holds task_lock. */
void sched_ready(struct task *task);

/*
 * Schedule a task otherwise from now on. A real-time task that is ready goes behind its new equals when it is raised, and
 * before them when it is lowered. Takes task_lock.
 */
void sched_set(struct task *task, const struct task_sched *sched);

/* What /proc/sys/kernel says of real-time tasks. Guard: task_lock. */
struct rt_settings {
	struct rt_allowance allowance;
	uint64_t turn_ns; /* how long a turn of SCHED_RR is that begins from now on */
};

extern struct rt_settings rt_settings;

/*
 * Say what is called now and then while a real-time task of a process runs that has RLIMIT_RTTIME: in the interrupt of a
 * timer, without locks, with how long the task has run since it last slept. Called once, before the first process.
 */
void sched_set_rt_ran(void (*ran)(struct process *process, uint64_t ns));

/* Heed at once what has changed of rt_settings, or of the current process's RLIMIT_RTTIME. Takes task_lock. */
void sched_look(void);

/*
 * Have the current task destroyed (task_destroy) by the task that the next sched_switch() switches to. The caller holds
 * task_lock, and does not run again.
 */
void sched_bury(struct task *task);
