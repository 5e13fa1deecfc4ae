/*
 * Computes the load averages: every five seconds each moves towards the number of active tasks by a fixed part of the
 * difference, as on Linux.
 */
#include "kernel/task/load_average.h"

#include "kernel/lib/time.h"

#define INTERVAL_NS   5000000000ULL
#define INTERVALS_MAX 4096 /* after more than five hours the old average has no weight */

/* Guard of load_next_ns and load_averages (over 1, 5, 15 minutes): task_lock, which sched_switch() holds. */
uint64_t load_next_ns = INTERVAL_NS;
uint64_t load_averages[3];

void load_update(uint64_t now_ns, unsigned active)
{
	/* The weight of the old average: e^(-5 s / 1, 5, 15 min), with LOAD_SHIFT bits behind the binary point. */
	static const uint64_t decay[3] = { 15435784, 16499913, 16684268 };
	uint64_t intervals = (now_ns - load_next_ns) / INTERVAL_NS + 1;

	load_next_ns = time_add_times(load_next_ns, intervals, INTERVAL_NS);
	if (intervals > INTERVALS_MAX)
		intervals = INTERVALS_MAX;
	for (int i = 0; i < 3; i++)
		for (uint64_t n = 0; n < intervals; n++) {
			const uint64_t goal = active * LOAD_ONE;
			/* For 2^16 tasks and more an average times its weight does not fit into 64 bits. */
			unsigned __int128 sum = (unsigned __int128)load_averages[i] * decay[i];

			sum += (unsigned __int128)goal * (LOAD_ONE - decay[i]);
			/* Round towards the goal: rounded down, an average would never rise all the way to it. */
			sum += goal >= load_averages[i] ? LOAD_ONE - 1 : 0;
			load_averages[i] = (uint64_t)(sum >> LOAD_SHIFT);
		}
}
