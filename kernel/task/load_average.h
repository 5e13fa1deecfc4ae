/*
 * The load averages of getloadavg(3): how many tasks were ready or running, over 1, 5 and 15 minutes. They need no
 * timer: the number of such tasks changes only when the scheduler runs, and the scheduler calls load_sample().
 */
#pragma once

#include "paging/types.h"

#define LOAD_SHIFT 24 /* bits of a load average behind the binary point */
#define LOAD_ONE   (1ULL << LOAD_SHIFT)

/*
 * Update the averages for each interval that has ended by `now_ns`. For load_sample() only, which checks that at least
 * one has ended. The caller holds task_lock.
 */
void load_update(uint64_t now_ns, unsigned active);

extern uint64_t load_next_ns;     /* when the current interval of five seconds ends */
extern uint64_t load_averages[3]; /* in units of 1 / LOAD_ONE */

/*
 * If an interval has ended by `now_ns`, update the averages. active: how many tasks are ready or running. The caller
 * holds task_lock.
 */
static inline void load_sample(uint64_t now_ns, unsigned active)
{
	if (now_ns >= load_next_ns)
		load_update(now_ns, active);
}
