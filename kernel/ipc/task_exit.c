/*
 * Does what the end of a task means for System V's objects: undoes operations on semaphores, removes shared memory.
 */
#include "kernel/ipc/task_exit.h"

#include "kernel/ipc/sem.h"
#include "kernel/ipc/shm.h"

void ipc_task_exit(struct task *task)
{
	sem_task_exit(task);
	shm_task_exit(task);
}
