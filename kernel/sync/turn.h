/*
 * A turn: a fair mutex that a task keeps while other tasks run, so that it can change something in several steps. Tasks
 * that want the turn meanwhile wait in the order in which they came, and turn_end (kernel/task/turn.h) hands it to the
 * first of them: a task that takes the turn again and again does not keep the others out.
 *
 * Two rules keep tasks from waiting for each other for ever. A task that has a turn may sleep for nothing else, except
 * to take a second turn. And it gives the turn up before it returns to user mode, on every path: also if copying to or
 * from user memory failed for lack of memory, since the memory is then looked for on the way back to user mode.
 */
#pragma once

#include "paging/types.h"

struct turn_holder;

/* A turn; one that is free is all zeros. Guard: tasks only, which the kernel does not preempt. */
struct turn {
	struct turn_holder *holder; /* NULL: the turn is free */
};

static inline bool turn_is_free(const struct turn *turn)
{
	return !turn->holder;
}
