/*
 * What the end of a task does to System V's objects: it undoes operations on semaphores, and removes shared memory.
 */
#include "kernel/ipc/task_exit.h"

#include "kernel/ipc/sem.h"
#include "kernel/ipc/shm.h"

void ipc_task_exit(struct task *task)
{
	sem_task_exit(task);
	shm_task_exit(task);
}
