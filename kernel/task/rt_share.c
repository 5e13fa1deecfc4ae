/*
 * The share of the CPU time that real-time tasks may use; see rt_share.h. A period begins when the one before ends, or,
 * after a time without real-time tasks, when one becomes ready (rt_share_begin). No timer fires at the end of a period:
 * the functions here compute by a division which period a time is in.
 */
#include "kernel/task/rt_share.h"

/* Advance *share to the period that contains `now_ns`. In a new period nothing has been used yet. */
static void go_on(struct rt_share *share, const struct rt_allowance *allowance, uint64_t now_ns)
{
	uint64_t periods = (now_ns - share->start_ns) / allowance->period_ns;

	if (!periods)
		return;
	share->start_ns = time_add_times(share->start_ns, periods, allowance->period_ns);
	share->used_ns = 0;
}

void rt_share_begin(struct rt_share *share, const struct rt_allowance *allowance, uint64_t now_ns)
{
	if (now_ns - share->start_ns >= allowance->period_ns)
		*share = (struct rt_share){ .start_ns = now_ns };
}

void rt_share_charge(struct rt_share *share, const struct rt_allowance *allowance, uint64_t from_ns, uint64_t to_ns)
{
	go_on(share, allowance, to_ns);
	share->used_ns += to_ns - (from_ns > share->start_ns ? from_ns : share->start_ns);
}

uint64_t rt_share_renewal(const struct rt_share *share, const struct rt_allowance *allowance, uint64_t now_ns)
{
	struct rt_share now = *share;

	go_on(&now, allowance, now_ns);
	return time_add(now.start_ns, allowance->period_ns);
}

uint64_t rt_share_end(const struct rt_share *share, const struct rt_allowance *allowance, uint64_t from_ns,
		      uint64_t now_ns)
{
	struct rt_share now = *share;
	uint64_t end, renewal;

	if (allowance->runtime_ns >= allowance->period_ns)
		return TIME_NEVER;
	rt_share_charge(&now, allowance, from_ns, now_ns);
	if (now.used_ns >= allowance->runtime_ns)
		return now_ns;
	end = time_add(now_ns, allowance->runtime_ns - now.used_ns);
	renewal = time_add(now.start_ns, allowance->period_ns);
	return end < renewal ? end : time_add(renewal, allowance->runtime_ns);
}
