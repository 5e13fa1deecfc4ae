/*
 * Who runs next: nice values are weights (fair_queue.h), and equals take turns. A turn ends by a timer that runs only
 * while somebody else is ready; with nobody ready the CPU sleeps until an interrupt.
 */
#pragma once

#include "kernel/sync/lock.h"
#include "kernel/task/task.h"

#define SCHED_SLICE_NS 10000000ULL

/* The states of all tasks, the run queues, and what becomes of a task: woken, queued. */
extern struct lock task_lock;

/*
 * Leave the current task for the next; returns when it is this one's turn again. task_lock, and no other lock, is held
 * before and after: the next task gets it. Its state says whether it stays ready. In the current task's own context.
 */
void sched_switch(void);

/* Since the start. Guard: task_lock. */
struct sched_counts {
	uint64_t switches; /* of the CPU from one task to another */
	uint64_t idle_ns;  /* with nobody ready */
	unsigned ready;    /* in the run queues now */
};

extern struct sched_counts sched_counts;

/* Put a runnable task that does not run into its queue. task_lock is held. */
void sched_ready(struct task *task);

/* Take a task out of the run queues, if it is there. task_lock is held. */
void sched_unready(struct task *task);

/* Give a task another priority; one that is ready moves to its new queue. */
void sched_set_priority(struct task *task, int priority);

/* The current task is about to be left for good: its memory goes when another runs. task_lock is held. */
void sched_bury(struct task *task);
