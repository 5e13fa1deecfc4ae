/*
 * The operations of fair_move.h that are too long for inline functions: the load of a queue, and what a member that
 * moves brings along.
 */
#include "kernel/task/fair_move.h"

uint64_t fair_load(const struct fair_queue *queue)
{
	uint64_t sum = 0;

	for (uint64_t levels = queue->waiting; levels; levels &= levels - 1) {
		const int level = __builtin_ctzll(levels);

		sum += (uint64_t)queue->levels[level].count * fair_weights[level];
	}
	return sum;
}

void fair_bring(struct fair_queue *to, const struct fair_queue *from, unsigned level)
{
	struct fair_level *l = &to->levels[level];
	const uint64_t time = from->levels[level].time;
	const uint64_t ahead = time > from->time ? time - from->time : 0;

	if (!l->list.first && l->time < to->time + ahead)
		l->time = to->time + ahead;
}
