/*
 * When a waiting member of a fair queue interrupts the one that is being served; see fair_interrupt.h.
 */
#include "kernel/task/fair_interrupt.h"

uint64_t fair_first_after(const struct fair_queue *queue, unsigned level, unsigned served)
{
	const struct fair_level *l = &queue->levels[served];
	const uint64_t ahead = queue->levels[level].time - l->time;
	uint64_t service;

	if (queue->levels[level].time <= l->time)
		return 0;
	if (__builtin_mul_overflow(ahead, (uint64_t)fair_weights[served] * (l->count + 1), &service))
		return UINT64_MAX;
	/* The virtual time of so many ns of service, which fair_charge() rounds down, is `ahead`. */
	return service / FAIR_UNIT + (service % FAIR_UNIT != 0);
}

uint64_t fair_soonest_first(const struct fair_queue *queue, unsigned served)
{
	const uint64_t less_nice = queue->waiting & ((1ULL << served) - 1);
	uint64_t soonest = UINT64_MAX;

	for (uint64_t left = less_nice; left; left &= left - 1) {
		const uint64_t after = fair_first_after(queue, (unsigned)__builtin_ctzll(left), served);

		if (after < soonest)
			soonest = after;
	}
	return soonest;
}
