/*
 * How a task is scheduled, as sched_setattr(2) sets it.
 */
#pragma once

#include <stdbool.h>

#include "kernel/task/fair_queue.h"

#define NICE_LEAST (-20)
#define NICE_MOST  19

/* The policies, with Linux's numbers. */
enum sched_policy {
	SCHED_OTHER,
	SCHED_FIFO,
	SCHED_RR,
	SCHED_BATCH,
	SCHED_IDLE = 5,
	SCHED_DEADLINE, /* of no task: refused */
};

/* The scheduling parameters of a task. Guard: task_lock. */
struct task_sched {
	enum sched_policy policy;
	int nice;           /* has an effect with SCHED_OTHER and SCHED_BATCH; is kept with other policies */
	int rt_priority;    /* 1 to 99 with SCHED_FIFO and SCHED_RR; 0 with other policies */
	int lent;           /* real-time priority of those who wait for its locks (futex(2)), if higher; 0: none */
	bool reset_on_fork; /* tasks that the task makes are not real-time, and have no negative nice value */
};

/*
 * Return a task's rank: for a real-time task its priority, or a higher one that it was lent, negated; for others their
 * level in the fair queue, from 0 on. A real-time task, whose rank is negative, goes before every task with a greater
 * rank.
 */
static inline int sched_rank(const struct task_sched *sched)
{
	const int priority = sched->lent > sched->rt_priority ? sched->lent : sched->rt_priority;

	if (priority)
		return -priority;
	return sched->policy == SCHED_IDLE ? FAIR_IDLE : sched->nice - NICE_LEAST;
}

/* Return the parameters of a new task whose maker has the parameters `maker` (sched(7), reset-on-fork flag). */
static inline struct task_sched sched_inherited(const struct task_sched *maker)
{
	struct task_sched sched = *maker;

	sched.lent = 0;
	if (!maker->reset_on_fork)
		return sched;
	sched.reset_on_fork = false;
	if (maker->rt_priority || maker->nice < 0)
		sched.nice = 0;
	if (maker->rt_priority)
		sched.policy = SCHED_OTHER;
	sched.rt_priority = 0;
	return sched;
}
