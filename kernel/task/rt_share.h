/*
 * Limits the CPU time that real-time tasks take from other tasks: in each period they may run for a limited time, as
 * set by Linux's sched_rt_period_us and sched_rt_runtime_us. When they have used that, other tasks that wait run first
 * until the period ends; while none waits, real-time tasks go on running. No function here reads a clock: the caller
 * gives the time. Guard: chosen by the owner of the share; the scheduler's is task_lock.
 */
#pragma once

#include <stdbool.h>

#include "kernel/lib/time.h"
#include "paging/types.h"

#define RT_PERIOD_NS  1000000000ULL
#define RT_RUNTIME_NS 950000000ULL

/* How long real-time tasks may run in each period. A runtime_ns of period_ns or more means no limit. */
struct rt_allowance {
	uint64_t period_ns, runtime_ns;
};

/* How long real-time tasks have run in the current period. All zeros: no real-time task has ever run. */
struct rt_share {
	uint64_t start_ns; /* when the period began */
	uint64_t used_ns;  /* how long real-time tasks ran since then */
};

/* Begin a new period if the last one is over. Call when a real-time task becomes ready and no other one is. */
void rt_share_begin(struct rt_share *share, const struct rt_allowance *allowance, uint64_t now_ns);

/* Add a real-time task's run from `from_ns` to `to_ns` to the share; only its part in the current period counts. */
void rt_share_charge(struct rt_share *share, const struct rt_allowance *allowance, uint64_t from_ns, uint64_t to_ns);

/*
 * Return when the allowed time will be used up, if a real-time task that runs since `from_ns` (not charged yet) goes on
 * running. A result of `now_ns` or less: the time is used up. TIME_NEVER: there is no limit. If no real-time task runs,
 * pass `now_ns` as `from_ns`.
 */
uint64_t rt_share_end(const struct rt_share *share, const struct rt_allowance *allowance, uint64_t from_ns,
		      uint64_t now_ns);

/* Return when the period that contains `now_ns` ends. */
uint64_t rt_share_renewal(const struct rt_share *share, const struct rt_allowance *allowance, uint64_t now_ns);
