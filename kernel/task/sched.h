/*
 * Which task runs next: nice values are weights (fair_queue.h), and tasks of equal nice value take turns. A turn ends
 * by a timer that runs only while another task is ready; with no task ready the CPU sleeps until an interrupt.
 */
#pragma once

#include "kernel/sync/lock.h"
#include "kernel/task/task.h"

#define SCHED_SLICE_NS 10000000ULL

/* Guards the states of all tasks, the run queues, and the marks that a task is woken or queued. */
extern struct lock task_lock;

/*
 * Leave the current task for the next; returns when it is the current task's turn again. task_lock, and no other lock,
 * is held before and after: the next task takes it over. The current task's state says whether it stays ready. In the
 * current task's own context.
 */
void sched_switch(void);

/* What has happened since the start. Guard: task_lock. */
struct sched_counts {
	uint64_t switches; /* how often the CPU went from one task to another */
	uint64_t idle_ns;  /* how long no task was ready */
	unsigned ready;    /* how many tasks are in the run queues now */
};

extern struct sched_counts sched_counts;

/* Put a task that is runnable and does not run into its run queue. task_lock is held. */
void sched_ready(struct task *task);

/* Take a task out of the run queues, if it is in one. task_lock is held. */
void sched_unready(struct task *task);

/* Give a task another priority; one that is ready moves to that priority's queue. Takes task_lock. */
void sched_set_priority(struct task *task, int priority);

/*
 * Leave the current task for good at the next sched_switch(): its memory is freed once another task runs. task_lock is
 * held.
 */
void sched_bury(struct task *task);
