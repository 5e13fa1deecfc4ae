/*
 * A turn: the right to change something in several steps, between which other tasks run. One task has it; those who
 * want it meanwhile wait in the order in which they came (kernel/task/turn.h), and who lets go hands it to the first of
 * them, so that nobody who takes it again and again keeps the others out. Unlike a lock, a turn is kept while tasks are
 * switched. A task that has one waits for nothing but the CPU, and lets go before it returns to user mode, also when a
 * copy lacked memory.
 */
#pragma once

#include "paging/types.h"

struct turn_holder;

/* All zeros: nobody has it. Guard: the kernel, one CPU, not preempted. */
struct turn {
	struct turn_holder *holder; /* NULL: nobody has it */
};

static inline bool turn_is_free(const struct turn *turn)
{
	return !turn->holder;
}
