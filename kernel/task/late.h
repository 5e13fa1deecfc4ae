/*
 * The late work of tasks: what is left to do when something large was freed (kernel/sync/late_work.h).
 */
#pragma once

#include "kernel/task/task.h"

/*
 * Have late_work_add() leave late work to the task that adds it, which does it on its way back to user mode. Before
 * this call late_work_add() does all of it at once. Call once.
 */
void late_init(void);

/*
 * Do all late work of the current task, with other tasks in between. Call where task_give_way() may be called. Goes on
 * to the end even if the task must end: nobody else does the work.
 */
void late_do_all(void);

/* Do what late_do_all() does, but return early when the task must end: the end of the task then does the rest. */
void late_do_until_end(void);

/*
 * Do all late work of the current task without running other tasks: for the end of a task, after which it cannot get
 * the CPU again. Long work must have been done before, by late_do_all().
 */
void late_do_rest(void);
