/*
 * Late work (kernel/sync/late_work.h) of tasks.
 */
#pragma once

#include "kernel/task/task.h"

/* Take all late work from now on. Called once. */
void late_init(void);

/*
 * Do all late work of the current task, with other tasks in between. Call where task_give_way() may be called. Goes on to
 * the end, also when the task is to end: nobody else does the work.
 */
void late_do_all(void);

/* Do at once what late work is left. For a task that cannot be left any more: what is long has been done before. */
void late_do_rest(void);
