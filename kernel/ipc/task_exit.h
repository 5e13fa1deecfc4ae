/*
 * What the end of a task does to System V's objects.
 */
#pragma once

struct task;

/*
 * Do what the end of the current task, `task`, does to System V's objects. Call while it still has its process. May let
 * other tasks run.
 */
void ipc_task_exit(struct task *task);
