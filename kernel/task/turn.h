/*
 * Taking a turn, which is a fair mutex, and giving it up (kernel/sync/turn.h).
 */
#pragma once

#include "kernel/lib/list.h"
#include "kernel/sync/turn.h"
#include "kernel/task/task.h"

/*
 * A task that has a turn or waits for it; lies on the task's stack. Guard: tasks only, which the kernel does not
 * preempt.
 */
struct turn_holder {
	struct task *task;
	struct link link; /* if the task has the turn: the list of those that wait; otherwise its place in that list */
};

/*
 * Take the turn; wait while another task has it. Only what ends the task ends the wait early: a fatal signal, or an
 * execve(2) of another task of its process. Returns 0, or -EINTR: the task must end, and does not have the turn. The
 * caller must not have this turn already; `me` must stay valid until turn_end. A task that takes two turns takes the
 * file's (file->position) before the node's (node->writing).
 */
MUST_CHECK int turn_take(struct turn *turn, struct turn_holder *me);

/* Give the turn to the task that has waited longest, if any waits. */
void turn_end(struct turn *turn, struct turn_holder *me);

/* Let `to`, which is the same task's, take the place of `from`, which holds the turn and is not needed any more. */
void turn_hand_on(struct turn *turn, struct turn_holder *from, struct turn_holder *to);
