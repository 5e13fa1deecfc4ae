/*
 * Does what the end of a task means for System V's objects.
 */
#pragma once

struct task;

/*
 * Undo the operations on semaphores, and remove the shared memory, that end with the current task, `task`. Call while
 * it still has its process. May let other tasks run.
 */
void ipc_task_exit(struct task *task);
