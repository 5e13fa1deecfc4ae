/*
 * Visits the tasks of a process group; see find.h. The cost follows the size of the group, not the number of all tasks,
 * unless one of its processes has many.
 */
#include "kernel/task/find.h"
#include "kernel/task/give_way.h"

/* Most tasks of a process that are visited at once: a piece of process_visit_some() stays short. */
#define TASKS_AT_ONCE 8

struct group_walk {
	bool (*found)(void *ctx, struct task *task);
	void *ctx;
	int group;
	bool large; /* a process with more than TASKS_AT_ONCE tasks was left out */
};

static bool see_process(void *ctx, struct process *process)
{
	struct group_walk *walk = ctx;

	if (process->task_count > TASKS_AT_ONCE)
		walk->large = true;
	else
		PROCESS_EACH_TASK(process, task)
			(void)walk->found(walk->ctx, task);
	return true;
}

static bool see_member(void *ctx, struct task *task)
{
	const struct group_walk *walk = ctx;

	return !task->process || task->process->group != walk->group || walk->found(walk->ctx, task);
}

void task_visit_group(int group, bool (*see)(void *ctx, struct task *task), void *ctx)
{
	struct group_walk walk = { .found = see, .ctx = ctx, .group = group };
	struct process_visit visit = { 0 };
	bool ends = false;
	int next = 0;

	while (process_visit_some(group, &visit, see_process, &walk) && !ends)
		ends = task_give_way();
	process_visit_end(&visit);
	/* No list of a process's tasks can be left and taken up again: all numbers are looked at instead, in pieces. */
	while (walk.large && !ends && task_visit_some(&next, see_member, &walk))
		ends = task_give_way();
}
