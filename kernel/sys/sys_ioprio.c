/*
 * ioprio_get(2) and ioprio_set(2): a priority for input and output, which each task keeps and its children begin with.
 * There is no device whose requests could be ordered by it.
 */
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/sched.h"

enum io_class {
	IO_CLASS_NONE,
	IO_CLASS_REAL_TIME,
	IO_CLASS_BEST_EFFORT,
	IO_CLASS_IDLE,
};

#define IO_CLASS_SHIFT 13 /* a priority is a class and, below it, a level and bits of hints */
#define IO_LEVEL_MASK  7U

enum ioprio_who {
	IOPRIO_WHO_PROCESS = 1,
	IOPRIO_WHO_PGRP = 2,
	IOPRIO_WHO_USER = 3,
};

/* The state of a walk over the tasks that a call is about. */
struct io_search {
	int which, who; /* which tasks count: enum ioprio_who, and the number of a task or group, or a real user ID */
	bool sets;      /* the tasks get `value` */
	uint32_t value; /* the priority to set */
	uint32_t best;  /* the highest priority, which is the least number, of the tasks that were seen */
	uint32_t own;   /* the priority that was set for the task that the walk has seen last */
	bool found;     /* the walk has seen a task that counts */
	int error;      /* -EPERM: a priority could not be set; 0: all were */
};

/*
 * Return a task's effective priority. If the task has none of its own, it follows from the policy and the nice value
 * (ioprio_set(2), "I/O scheduling classes").
 */
static uint32_t effective(const struct task *task)
{
	const struct task_sched *sched = &task->sched;
	enum io_class class = IO_CLASS_BEST_EFFORT;

	if (task->io_priority >> IO_CLASS_SHIFT != IO_CLASS_NONE)
		return task->io_priority;
	if (sched->rt_priority)
		class = IO_CLASS_REAL_TIME;
	else if (sched->policy == SCHED_IDLE)
		class = IO_CLASS_IDLE;
	return class << IO_CLASS_SHIFT | (uint32_t)(sched->nice - NICE_LEAST) / 5;
}

static bool see_task(void *ctx, struct task *task)
{
	struct io_search *search = ctx;

	if (!task->process || (search->which == IOPRIO_WHO_USER && !rights_is_of_user(task, (uint32_t)search->who)))
		return true;
	if (search->sets && !rights_own_task(task) && !rights_can(CAP_SYS_NICE))
		search->error = -EPERM;
	else if (search->sets)
		task->io_priority = search->value;
	if (!search->found || effective(task) < search->best)
		search->best = effective(task);
	search->own = task->io_priority;
	search->found = true;
	return true;
}

/*
 * Visit the tasks that the call is about. The tasks of a user are sought among all tasks; other tasks may run in
 * between. Returns 0, -EINVAL, -ESRCH or -EPERM.
 */
static int search_tasks(struct io_search *search)
{
	int next = 0;

	if (search->which < IOPRIO_WHO_PROCESS || search->which > IOPRIO_WHO_USER)
		return -EINVAL;
	if (!search->who)
		search->who = search->which == IOPRIO_WHO_PROCESS ? task_current()->tid
			      : search->which == IOPRIO_WHO_PGRP  ? process_current()->group
								  : (int)rights_current()->uid.real;
	if (search->which == IOPRIO_WHO_USER)
		while (task_visit_some(&next, see_task, search) && !task_give_way())
			;
	else if (search->which == IOPRIO_WHO_PGRP)
		task_visit_group(search->who, see_task, search);
	else if (task_peek(search->who))
		(void)see_task(search, task_peek(search->who));
	return search->found ? search->error : -ESRCH;
}

/*
 * Get a priority. As on Linux the result for one task is the value that was set, and for a group or a user the highest
 * effective priority.
 */
SYSCALL_2(ioprio_get, which, who)
{
	struct io_search search = { .which = (int)which, .who = (int)who };
	int error = search_tasks(&search);

	if (error)
		return error;
	return (int)which == IOPRIO_WHO_PROCESS ? search.own : search.best;
}

SYSCALL_3(ioprio_set, which, who, priority)
{
	struct io_search search = {
		.which = (int)which, .who = (int)who, .sets = true, .value = (uint32_t)priority & UINT16_MAX
	};

	switch (search.value >> IO_CLASS_SHIFT) {
	case IO_CLASS_REAL_TIME:
		if (!rights_can(CAP_SYS_ADMIN) && !rights_can(CAP_SYS_NICE))
			return -EPERM;
		break;
	case IO_CLASS_BEST_EFFORT:
	case IO_CLASS_IDLE:
		break;
	case IO_CLASS_NONE:
		if (search.value & IO_LEVEL_MASK)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	return search_tasks(&search);
}
