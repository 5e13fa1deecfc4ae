/*
 * Who does late work: a program's task, on its way back to user mode or at its end. A kernel task has no such way, and
 * does the work at once.
 */
#include "kernel/task/late.h"

#include "kernel/sync/late_work.h"
#include "kernel/task/give_way.h"

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
	 * Make the way back to user mode call late_do_all(); signal_recompute() leaves this true while there is late
	 * work.
	 */
	task->signals.wanted = true;
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

void late_do_all(void)
{
	struct task *task = task_current();

	while (task->late) {
		struct late_work *work = task->late, *next = work->next;

		/*
		 * A step may add more late work, at the front of the list: so this work leaves the list for the time of
		 * the step.
		 */
		task->late = next;
		if (!work->step(work)) {
			work->next = task->late;
			task->late = work;
		}
		(void)task_give_way();
	}
}
