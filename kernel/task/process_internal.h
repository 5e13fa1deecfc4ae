/*
 * What the files about processes share among themselves.
 */
#pragma once

#include "kernel/task/find.h"
#include "kernel/task/signal.h"

#define PROCESS_MOST   16384 /* most processes at once: half of the numbers there are */
#define PROCESS_FEWEST 64
#define PROCESS_SHARE  (512UL << 10) /* bytes of RAM for each process that the first process's limit allows */

/* Copy a string into the heap: the caller frees it with kfree. NULL: no memory. */
char *copy_string(const char *text);

#define TASK_SHARE \
	(128UL << 10) /* bytes of RAM for each task of a program: more are refused, as Linux's threads-max does */
#define TASK_FEWEST 256

/* Where processes lie. Fixed after boot */
extern struct cache process_cache;

/* Return how many processes there are, zombies included. */
size_t process_living(void);

/* Return how many tasks of programs there are; a zombie counts as one. */
size_t process_tasks(void);

/*
 * Create a process without a task, memory or files, held by the table. It has that pid, is a child of `parent`, and
 * inherits paths, limits, group and handlers from `maker`, which is not `parent` only with CLONE_PARENT. Both NULL: the
 * first process. -ENOMEM; nothing is left then.
 */
int process_create(int pid, struct process *parent, const struct process *maker, struct process **ret);

/* Enter a new process into the table, and among the children of `parent` unless that is NULL. */
void process_enlist(struct process *process, struct process *parent);

/*
 * Remove a process that has ended, or never had a task, from the table and from its parent's children. The structure is
 * freed when the last that holds it puts it.
 */
void process_forget(struct process *process);

/* Put root, working directory, and the program's file; the process has none of them then. */
void process_put_paths(struct process *process);

void process_add_task(struct process *process, struct task *task);

/* Remove a task that ends, or that never started, from its process; the caller puts the process. */
void process_remove_task(struct task *task);

/* Send SIGALRM to the process whose `alarm` has rung: that timer's `fire`. In an interrupt. */
void process_alarm_rings(struct timer *timer);

/* Let the parent that waits in vfork(2) for `process` go on; no effect when none waits. */
void process_end_vfork(struct process *process);

/*
 * End all tasks of the current process but the current one; returns 0 when they have ended. -EINTR: the current task is
 * to end as well.
 */
int process_end_others(void);

/* Wake a task and send it to user mode as soon as it can go: its end is waiting on that way. */
void task_end_soon(struct task *task);

/* Kill all processes but the first, which has ended. */
void process_kill_all(void);

/* Make `process` the first process: the parent of each process that loses its own. */
void process_set_init(struct process *process);

/*
 * Send the parent of `process` SIGCHLD, or the signal that was chosen for its end, and wake who waits for children.
 * code: CLD_EXITED, CLD_STOPPED, CLD_CONTINUED. No effect without a parent. _held: signal_lock is held.
 */
void process_tell_parent(struct process *process, int code);
void process_tell_parent_held(struct process *process, int code);

/* End all tasks of a process as process_kill() does, with signal_lock held. */
void process_kill_held(struct process *process, int status);

/* What exec_load() makes, for a program to start with. */
struct exec_image {
	struct user_space *space;
	vaddr_t entry, stack;
	vaddr_t args_start, args_end, env_start, env_end;
	struct node *program; /* the file that is executed, behind all scripts; held by node_run */
};

/*
 * Make a space with the program at `path` and its stack. *ret_error says what is wrong with the file, if that is why it
 * failed, and is untouched otherwise. In any context. -errno as of execve(2); nothing is left then.
 */
struct path_base;
int exec_load(const struct path_base *base, const struct process_rlimit *limits, const char *path,
	      const char *const *argv, const char *const *envp, struct exec_image *ret, const char **ret_error);

/* Take from `task` what execve(2) lets go of: handlers, alternate stack, user addresses of futexes. */
void process_leave_program(struct task *task);
