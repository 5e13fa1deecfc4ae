/*
 * When a member of a fair queue that waits interrupts the one that is being served, because it is less nice and its
 * level has not had its share. Guard: as of the queue.
 */
#pragma once

#include "kernel/task/fair_queue.h"

/*
 * Return for how long a member of level `served` has to be served, since the last fair_charge() of its level, before
 * members of `level` go first, which must be a less nice one: until the virtual time of `level` is not above that of
 * `served` any more. 0: they go first at once; UINT64_MAX: that takes more than 500 years.
 */
uint64_t fair_first_after(const struct fair_queue *queue, unsigned level, unsigned served);

/*
 * Do the same for the waiting level that goes first soonest of those that are less nice than `served`; UINT64_MAX: no
 * node waits in any of them.
 */
uint64_t fair_soonest_first(const struct fair_queue *queue, unsigned served);

/*
 * Return whether a node that was just added to `level` is to be served at once, in place of a member of the level
 * `served` that has been served for `ns` so far: only if `level` is less nice than `served`, and its virtual time is
 * not above that of `served` with these `ns` added.
 */
static inline bool fair_goes_first(const struct fair_queue *queue, unsigned level, unsigned served, uint64_t ns)
{
	return level < served && fair_first_after(queue, level, served) <= ns;
}
