/*
 * Finds tasks and processes by their numbers, and counts references to them. A reference keeps the structure from being
 * freed, but not the task or process from ending: `process` of a task that has ended is NULL; a process that has ended
 * has no tasks, memory and files, is a zombie or not in the table any more, and its number may be used again.
 */
#pragma once

#include "kernel/task/process.h"

/* Return a reference to the task with that tid; NULL when there is none. */
struct task *task_find(int tid);

/*
 * Return the task with that tid without a reference: the pointer is valid until another task runs. NULL when there is
 * none. For reports, debuggers, and to ask whether the number is used.
 */
struct task *task_peek(int tid);

/* Call `see` with each task until it returns false. */
void task_visit(bool (*see)(void *ctx, struct task *task), void *ctx);

/*
 * Visit some of the tasks: call `see` with tasks in the order of their tids, from *next on (0 at first), until it
 * returns false or enough were visited. *next becomes where the next call goes on; the caller may let other tasks run
 * before that. Returns whether there may be more.
 */
bool task_visit_some(int *next, bool (*see)(void *ctx, struct task *task), void *ctx);

/*
 * Call `see`, whose result is ignored, with each task of the processes of a group, with some perhaps twice. Lets other
 * tasks run in between; ends early when the current task must end.
 */
void task_visit_group(int group, bool (*see)(void *ctx, struct task *task), void *ctx);

/* Take a reference to a task. */
static inline struct task *task_get(struct task *task)
{
	task->refs++;
	return task;
}

/* Free a task whose last reference is gone; for task_put only. */
void task_free(struct task *task);

/* Drop a reference to a task; the last one frees the structure. */
static inline void task_put(struct task *task)
{
	/* One call too many makes `refs` wrap: then task_free is called as well, and its ASSERT fails. */
	if (task->refs-- <= 1)
		task_free(task);
}

/* Return a reference to the process with that pid, which may be a zombie; NULL when there is none. */
struct process *process_find(int pid);

/* Return the process without a reference: the pointer is valid until another task runs. NULL when there is none. */
struct process *process_peek(int pid);

/* Return whether the process group exists in the session, or, if `session` is -1, in any session. */
bool process_group_exists(int group, int session);

/* Call `see` with each process, zombies included, until it returns false. */
void process_visit(bool (*see)(void *ctx, struct process *process), void *ctx);

/*
 * Call `see` with each process of a group, or of a session, until it returns false; `see` must not remove a process
 * from that group or session. Interrupt handlers may call this.
 */
void process_visit_group(int group, bool (*see)(void *ctx, struct process *process), void *ctx);
/* How far a visit of a group has come; all zeros at first. Guard: only the visiting task uses it. */
struct process_visit {
	uint64_t seen;      /* `joined` of the process that was visited last, or 0 */
	struct process *at; /* the process that was visited last, with a reference; or NULL */
};

/*
 * Visit a large group in pieces, with other tasks in between: call `see` with up to 128 processes of the group that it
 * was not called with yet, and return whether there are more. A process that joins the group meanwhile is seen, too.
 * The caller calls process_visit_end() after the last piece.
 */
bool process_visit_some(int group, struct process_visit *visit, bool (*see)(void *ctx, struct process *process),
			void *ctx);
void process_visit_end(struct process_visit *visit);
/*
 * Visit all processes in pieces: call `see` with some of those from the number *next on that have joined a group since
 * process_joins() returned `since`. Returns whether there may be more, from *next on.
 */
bool process_visit_numbers(int *next, uint64_t since, bool (*see)(void *ctx, struct process *process), void *ctx);

/* Return how often a process has joined a group, as each does when it is made. */
uint64_t process_joins(void);

void process_visit_session(int session, bool (*see)(void *ctx, struct process *process), void *ctx);

/* Take a reference to a process. */
static inline struct process *process_get(struct process *process)
{
	process->refs++;
	return process;
}

/* Free a process whose last reference is gone; for process_put only. */
void process_free(struct process *process);

/* Drop a reference to a process; the last one frees the structure. */
static inline void process_put(struct process *process)
{
	if (process->refs-- <= 1)
		process_free(process);
}

/*
 * Return a reference to the memory, or to the descriptor table, of a process, which the caller drops by
 * user_space_put() or fd_table_put(). NULL when the process has ended.
 */
struct user_space *process_get_space(const struct process *process);
struct fd_table *process_get_fds(const struct process *process);

/* Mark a local variable that is a reference to a task, a process, …, or NULL: it is dropped when the scope ends. */
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
