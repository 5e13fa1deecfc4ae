/*
 * Decides which members of a fair queue move to another one, where several queues are served at the same time (one by
 * each CPU), so that members of all queues get service in proportion to their weights. Where there is one member more
 * than places, whoever waits moves to another place at the end of most turns, and whoever had that place alone waits
 * next.
 */
#pragma once

#include "kernel/task/fair_queue.h"

/* A queue, together with the member that is being served, as one that members may move from or to. */
struct fair_place {
	uint64_t load;     /* the weight of all its members, with the one that is being served */
	uint64_t moved_ns; /* when a member last moved from this place or to it */
};

/* Return the weight of all members that wait. */
uint64_t fair_load(const struct fair_queue *queue);

/*
 * Return the slack of `level`: loads that differ by less count as equal when a member of the level may move. So other
 * members whose weights are tiny beside its own do not matter.
 */
static inline uint64_t fair_slack(unsigned level)
{
	return fair_weights[level] / 4;
}

/* Return whether a member of `level` that waits in `from` may move to `to`: `to` has no more to do than `from` then. */
static inline bool fair_may_move(struct fair_place from, struct fair_place to, unsigned level)
{
	return to.load < from.load && from.load - to.load >= fair_weights[level] - fair_slack(level);
}

/*
 * Return whether to leave out a move that fair_may_move() allows: that is done, by chance, with one of four moves that
 * merely exchange the loads of the two places. All turns have the same length, so without chance the same few
 * members would be those that wait at the end of every turn, and move. *seed: a number of the caller's, at first any.
 */
static inline bool fair_skips(struct fair_place from, struct fair_place to, unsigned level, uint32_t *seed)
{
	const bool is_exchange = from.load - to.load < fair_weights[level] + fair_weights[level] - fair_slack(level);

	*seed = *seed * 1103515245 + 12345;
	return is_exchange && *seed >> 30 == 0;
}

/* Return whether `a` is better for a member of `level` that moves than `b`. */
static inline bool fair_is_better(struct fair_place a, struct fair_place b, unsigned level)
{
	if (a.load + fair_slack(level) < b.load || b.load + fair_slack(level) < a.load)
		return a.load < b.load;
	return a.moved_ns < b.moved_ns;
}

/*
 * Before a member of `level` that waits in `from` moves to `to`: when nobody waits there in its level, let the level be
 * as far ahead of the queue's time as it is in `from`. A member that has had more than its share has no claim elsewhere
 * either. Do not call while a member of that level is being served in `to`.
 */
void fair_bring(struct fair_queue *to, const struct fair_queue *from, unsigned level);
