/*
 * Decides who does late work: what is left to free when something large was dropped (kernel/sync/late_work.h). A
 * program's task does it on its way back to user mode, or at its end. A kernel task never returns to user mode, and
 * does the work at once.
 */
#include "kernel/task/late.h"

#include "kernel/sync/late_work.h"
#include "kernel/task/give_way.h"
#include "kernel/task/signal.h"

static void take(struct late_work *work)
{
	struct task *task = task_current();

	if (!task || !task->process) {
		late_work_finish(work);
		return;
	}
	work->next = task->late;
	task->late = work;
	/*
	 * `wanted` makes the task call late_do_all() on its way back to user mode; signal_recompute() leaves it true
	 * while there is late work.
	 */
	signal_want_return(task);
}

void late_init(void)
{
	late_work_set_taker(take);
}

void late_do_rest(void)
{
	struct task *task = task_current();

	while (task->late) {
		struct late_work *work = task->late;

		task->late = work->next;
		late_work_finish(work);
	}
}

/* Do a step of the current task's late work. Returns whether there was any. */
static bool do_step(void)
{
	struct task *task = task_current();
	struct late_work *work = task->late, *next;

	if (!work)
		return false;
	/*
	 * Take this work off the list during the step: the step may add more late work, at the front of the list.
	 */
	next = work->next;
	task->late = next;
	if (!work->step(work)) {
		work->next = task->late;
		task->late = work;
	}
	return true;
}

void late_do_all(void)
{
	while (do_step())
		(void)task_give_way();
}

void late_do_until_end(void)
{
	while (do_step() && !task_give_way())
		;
}
