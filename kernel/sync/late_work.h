/*
 * Late work: what is left to do when something large has ended, such as freeing the pages of a file or the names of a
 * file system. The code that drops the last reference may be in the middle of something else. So the same task does the
 * work later, on its way back to user mode, when it holds nothing any more: step by step, with other tasks in between
 * (kernel/task/late.h).
 */
#pragma once

#include "paging/types.h"

/* One piece of late work; a field of the object that it frees. Guard: tasks only, which the kernel does not preempt. */
struct late_work {
	/*
	 * Do a step of less than a third of a millisecond, since other tasks wait for the CPU meanwhile. Returns true
	 * when all is done; the object may be gone then.
	 */
	bool (*step)(struct late_work *work);
	struct late_work *next; /* the next work in the same task's list */
};

/* Do all of `work` at once. */
static inline void late_work_finish(struct late_work *work)
{
	while (!work->step(work))
		;
}

/* Have `take` get all late work from now on. Until then, and in host tests, late_work_add() does all of it at once. */
void late_work_set_taker(void (*take)(struct late_work *work));

/*
 * Have the current task do `work`, whose `step` is set, on its way back to user mode. `work` must stay valid until it
 * is done.
 */
void late_work_add(struct late_work *work);
