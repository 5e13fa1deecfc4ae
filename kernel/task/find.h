/*
 * Find tasks and processes by their numbers. Whoever finds one holds it until he puts it: meanwhile it may end, and its
 * number may come to mean another one, but the structure stays. What has ended is still held: such a task has no
 * process, and such a process is a zombie without tasks, memory and files, or is not even in the table any more.
 */
#pragma once

#include "kernel/task/process.h"

/* Return the task with that tid, held; NULL: there is none. */
struct task *task_find(int tid);

/*
 * Return the task, not held: good until another task runs. NULL: there is none. For reports, debuggers, and to ask
 * whether the number is used.
 */
struct task *task_peek(int tid);

/* Call `see` with each task until it returns false. */
void task_visit(bool (*see)(void *ctx, struct task *task), void *ctx);

static inline struct task *task_get(struct task *task)
{
	task->refs++;
	return task;
}

/* Free a task that nobody holds any more: task_put calls this. */
void task_free(struct task *task);

/* Put a task: it has one holder less, and the last one frees it. */
static inline void task_put(struct task *task)
{
	/* A put too many comes here as well: task_free asserts that no reference is left. */
	if (task->refs-- <= 1)
		task_free(task);
}

/* Return the process with that pid, held, be it a zombie; NULL: there is none. */
struct process *process_find(int pid);

/* Return the process, not held: good until another task runs. NULL: there is none. */
struct process *process_peek(int pid);

/* Return whether a process, a group or a session has that number. */
bool process_number_is_used(int number);

/* Call `see` with each process, zombies included, until it returns false. */
void process_visit(bool (*see)(void *ctx, struct process *process), void *ctx);

static inline struct process *process_get(struct process *process)
{
	process->refs++;
	return process;
}

void process_free(struct process *process); /* as task_free, for process_put */

static inline void process_put(struct process *process)
{
	if (process->refs-- <= 1)
		process_free(process);
}

/* Return the memory or the files of a process, held: user_space_put, fd_table_put. NULL: the process has ended. */
struct user_space *process_get_space(const struct process *process);
struct fd_table *process_get_fds(const struct process *process);

/* Mark a variable that holds a task, a process, … (or is NULL): what it holds is put when the variable's scope ends. */
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
