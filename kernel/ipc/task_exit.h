/*
 * What the end of a task does to System V's objects.
 */
#pragma once

struct task;

/* Called by the current task when it ends, while it still has its process. May let other tasks run. */
void ipc_task_exit(struct task *task);
