/*
 * Tasks and processes by their numbers. Who finds one holds it until he puts it: its number may lead to another one by
 * then, and it may have ended, but it is there. Ended: a task has no process, a process is a zombie without tasks,
 * memory and files, or is not even in the table any more.
 */
#pragma once

#include "kernel/task/process.h"

/* The task with that tid, held; NULL: none. */
struct task *task_find(int tid);

/* Return the task, not held: good until another task runs. For reports, debuggers, and to ask whether there is one. */
struct task *task_peek(int tid);

/* Call `see` with each task until it returns false. */
void task_visit(bool (*see)(void *ctx, struct task *task), void *ctx);

static inline struct task *task_get(struct task *task)
{
	task->refs++;
	return task;
}

/* For task_put: nobody holds it any more. */
void task_free(struct task *task);

/* One holder less; the last one frees it. */
static inline void task_put(struct task *task)
{
	/* One put too many ends there, too, where it is noticed. */
	if (task->refs-- <= 1)
		task_free(task);
}

/* The process with that pid, a zombie too, held; NULL: none. */
struct process *process_find(int pid);

/* Return the process, not held: good until another task runs. NULL: none. */
struct process *process_peek(int pid);

/* Whether a process, a group or a session goes by that number. */
bool process_number_is_used(int number);

/* Call `see` with each process, zombies included, until it returns false. */
void process_visit(bool (*see)(void *ctx, struct process *process), void *ctx);

static inline struct process *process_get(struct process *process)
{
	process->refs++;
	return process;
}

void process_free(struct process *process); /* as task_free */

static inline void process_put(struct process *process)
{
	if (process->refs-- <= 1)
		process_free(process);
}

/* Its memory and its files, held: user_space_put, fd_table_put. NULL: it has ended. */
struct user_space *process_get_space(const struct process *process);
struct fd_table *process_get_fds(const struct process *process);

/* For variables that hold one, or NULL, until their scope ends. */
#define HELD_TASK    __attribute__((cleanup(task_leave_scope)))
#define HELD_PROCESS __attribute__((cleanup(process_leave_scope)))
#define HELD_SPACE   __attribute__((cleanup(user_space_leave_scope)))
#define HELD_FDS     __attribute__((cleanup(fd_table_leave_scope)))

static inline void task_leave_scope(struct task **task)
{
	if (*task)
		task_put(*task);
}

static inline void process_leave_scope(struct process **process)
{
	if (*process)
		process_put(*process);
}

static inline void user_space_leave_scope(struct user_space **space)
{
	if (*space)
		user_space_put(*space);
}

static inline void fd_table_leave_scope(struct fd_table **fds)
{
	if (*fds)
		fd_table_put(*fds);
}
