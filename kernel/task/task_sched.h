/*
 * How a task wants to be scheduled: what sched_setattr(2) sets. Data only.
 */
#pragma once

#include <stdbool.h>

#include "kernel/task/fair_queue.h"

#define NICE_LEAST (-20)
#define NICE_MOST  19

/* Linux's numbers. Its SCHED_DEADLINE, 6, does not exist here. */
enum sched_policy {
	SCHED_OTHER,
	SCHED_FIFO,
	SCHED_RR,
	SCHED_BATCH,
	SCHED_IDLE = 5,
};

/* Guard: task_lock. */
struct task_sched {
	enum sched_policy policy;
	int nice;           /* its share while the policy is SCHED_OTHER or SCHED_BATCH; kept with others */
	int rt_priority;    /* 1 to 99 with SCHED_FIFO and SCHED_RR; 0 with others */
	bool reset_on_fork; /* what the task makes starts with SCHED_OTHER and without a better nice value than 0 */
};

/*
 * Return a task's rank, the lower the more urgent. Below zero: the real-time priority, negated. Others have a level of the
 * fair queue, which is a share of the CPU and no rank among themselves, but real-time tasks go before them.
 */
static inline int sched_rank(const struct task_sched *sched)
{
	if (sched->rt_priority)
		return -sched->rt_priority;
	return sched->policy == SCHED_IDLE ? FAIR_IDLE : sched->nice - NICE_LEAST;
}

/* Return how a task is scheduled that one with `maker` makes (sched(7), "SCHED_RESET_ON_FORK"). */
static inline struct task_sched sched_inherited(const struct task_sched *maker)
{
	struct task_sched sched = *maker;

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
