/*
 * How much of a CPU real-time tasks may take from others: so many nanoseconds of each period, as Linux's
 * sched_rt_runtime_us and sched_rt_period_us say. When they have had that, other tasks that wait go first until the period
 * ends; while none waits, real-time tasks go on. Data only, without a clock; whoever has a share guards it.
 */
#pragma once

#include <stdbool.h>

#include "kernel/lib/time.h"
#include "paging/types.h"

#define RT_PERIOD_NS  1000000000ULL
#define RT_RUNTIME_NS 950000000ULL

/* What is allowed. A runtime of the period or more is no limit. */
struct rt_allowance {
	uint64_t period_ns, runtime_ns;
};

/* What has been used of it. All zero: nothing, ever. */
struct rt_share {
	uint64_t start_ns; /* when the period began */
	uint64_t used_ns;  /* how long real-time tasks ran since then */
};

/* Note that a real-time task becomes ready while there is no other one: if the old period is over, one begins now. */
void rt_share_begin(struct rt_share *share, const struct rt_allowance *allowance, uint64_t now_ns);

/* Charge a real-time task's run from `from_ns` to `to_ns`. What it ran in periods that are over does not count. */
void rt_share_charge(struct rt_share *share, const struct rt_allowance *allowance, uint64_t from_ns, uint64_t to_ns);

/*
 * Return when a real-time task that has been running since `from_ns`, uncharged, will have used up what is allowed, if it
 * goes on; not after `now_ns`: it has. TIME_NEVER: there is no limit. Who does not run passes now_ns twice.
 */
uint64_t rt_share_end(const struct rt_share *share, const struct rt_allowance *allowance, uint64_t from_ns,
		      uint64_t now_ns);

/* Return when the period ends that `now_ns` is in, and another begins. */
uint64_t rt_share_renewal(const struct rt_share *share, const struct rt_allowance *allowance, uint64_t now_ns);
