/*
 * Who does late work: a program's task on its way back to user mode, or at its end. A task of the kernel's own does it at
 * once, since there is no program that it would keep waiting for itself alone.
 */
#include "kernel/task/late.h"

#include "kernel/sync/late_work.h"
#include "kernel/task/give_way.h"

static void take(struct late_work *work)
{
	struct task *task = task_current();

	if (!task || !task->process) {
		while (!work->step(work))
			;
		return;
	}
	work->next = task->late;
	task->late = work;
	/* Have the way back to user mode look; signal_recompute() keeps this while there is late work. */
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
		while (!work->step(work))
			;
	}
}

void late_do_all(void)
{
	struct task *task = task_current();

	while (task->late) {
		struct late_work *work = task->late, *next = work->next;

		/* A step may add work of its own, at the front. */
		task->late = next;
		if (!work->step(work)) {
			work->next = task->late;
			task->late = work;
		}
		(void)task_give_way();
	}
}
