/*
 * The load averages of getloadavg(3): how many tasks were ready or running, over 1, 5 and 15 minutes. No timer runs for
 * them: between two moments at which the scheduler works the number does not change.
 */
#pragma once

#include "paging/types.h"

#define LOAD_SHIFT 24 /* bits of a load average behind the binary point; there may be 2^15 tasks */
#define LOAD_ONE   (1ULL << LOAD_SHIFT)

/* Move the averages on to `now_ns`: since the last call `active` tasks wanted the CPU. task_lock is held. */
void load_update(uint64_t now_ns, unsigned active);

extern uint64_t load_next_ns;
extern uint64_t load_averages[3];

static inline void load_sample(uint64_t now_ns, unsigned active)
{
	if (now_ns >= load_next_ns)
		load_update(now_ns, active);
}
