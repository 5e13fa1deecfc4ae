/*
 * The scheduler: which task runs next. Nice values are weights (fair_queue.h), and tasks of equal nice value take
 * turns. A turn is ended by a timer, which runs only while another task is ready; with no task ready the CPU halts.
 */
#pragma once

#include "kernel/sync/lock.h"
#include "kernel/task/task.h"

#define SCHED_SLICE_NS 10000000ULL /* length of a turn */

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

/* Take a task out of the run queue, if it is in it. The caller holds task_lock. */
void sched_unready(struct task *task);

/* Set a task's priority; if it is in the run queue it moves to the level of that priority. Takes task_lock. */
void sched_set_priority(struct task *task, int priority);

/*
 * Have the current task destroyed (task_destroy) by the task that the next sched_switch() switches to. The caller holds
 * task_lock, and does not run again.
 */
void sched_bury(struct task *task);
