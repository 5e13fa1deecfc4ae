/*
 * The slow half of task_give_way(), see give_way.h.
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
