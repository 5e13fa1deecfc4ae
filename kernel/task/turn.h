/*
 * Waiting for a turn (kernel/sync/turn.h).
 */
#pragma once

#include "kernel/sync/turn.h"
#include "kernel/task/task.h"

/*
 * Who has a turn, or waits for it; on the task's stack. Guard: the kernel, one CPU, not preempted.
 */
struct turn_holder {
	struct task *task;
	struct turn_holder *next;         /* of one that waits: the one behind it */
	struct turn_holder *first, *last; /* of the one that has the turn: who waits */
};

/*
 * Take the turn; wait while somebody else has it, deaf to all signals but the end. Returns 0, or -EINTR: the task is to
 * end, and does not have the turn. The caller has none of the same object, and keeps `me` until turn_end. A task that
 * takes two takes a file's before its node's.
 */
MUST_CHECK int turn_take(struct turn *turn, struct turn_holder *me);

/* Let go of the turn; the one that has waited longest has it now. */
void turn_end(struct turn *turn, struct turn_holder *me);
