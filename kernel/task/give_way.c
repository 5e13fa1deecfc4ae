/*
 * The rare part of task_give_way() (give_way.h): switches to another task if one is to run, and says whether the
 * current task must end.
 */
#include "kernel/task/give_way.h"

#include "kernel/task/process.h"

bool task_give_way_now(void)
{
	const struct task *task = task_current();

	if (this_cpu->switch_wanted)
		task_give_cpu();
	return task_must_end(task);
}
