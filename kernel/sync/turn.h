/*
 * A turn: a fair mutex that a task keeps while other tasks run, so that it can change something in several steps. Tasks
 * that want the turn meanwhile wait in the order in which they came, and turn_end (kernel/task/turn.h) hands it to the
 * first of them: a task that takes the turn again and again does not keep the others out. A task that has a turn waits
 * for nothing but the CPU and a second turn, and gives the turn up before it returns to user mode, even if copying to
 * or from user memory failed for lack of memory.
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
