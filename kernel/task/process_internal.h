/*
 * What the files about processes share among themselves.
 */
#pragma once

#include "kernel/task/find.h"
#include "kernel/task/signal.h"

#define PROCESS_MOST   16384 /* processes at once: half of the numbers there are */
#define PROCESS_FEWEST 64
#define PROCESS_SHARE  (512UL << 10) /* bytes of RAM for each process that the first limits allow */

/* In the heap; NULL: no memory. */
char *copy_string(const char *text);

/* Processes, zombies included. */
size_t process_living(void);

/*
 * A process with that pid and no task, in the table and among the children of `parent`, with paths, limits, group and handlers of
 * `maker`: another one only with CLONE_PARENT. Both NULL: the first process. No memory and no files yet. -ENOMEM.
 */
int process_create(int pid, struct process *parent, const struct process *maker, struct process **ret);

/* Enter a new process into the table, and among the children of `parent` unless that is NULL. */
void process_enlist(struct process *process, struct process *parent);

/* A process that has ended, or never had a task, leaves the table; it goes with whoever holds it last. */
void process_forget(struct process *process);

/* Root, working directory, and the program's file. */
void process_put_paths(struct process *process);

void process_add_task(struct process *process, struct task *task);

/* Remove a task that ends, or that never started. */
void process_remove_task(struct task *task);

/* SIGALRM: process->alarm's fire. */
void process_alarm_rings(struct timer *timer);

/* The vfork parent of `process`, if one waits, need wait no longer. */
void process_end_vfork(struct process *process);

/*
 * All tasks of the current process but this one end; returns when they have. -EINTR: this one is to end as well.
 */
int process_end_others(void);

/* The task goes the way to user mode as soon as it can, where its end is waiting. */
void task_end_soon(struct task *task);

/* All but the first process: it has ended. */
void process_kill_all(void);

/* The first process, for whoever loses its parent. */
void process_set_init(struct process *process);

/* SIGCHLD, or what it wanted instead, and a wake-up for who waits. code: CLD_EXITED, CLD_STOPPED, CLD_CONTINUED. _held: signal_lock is held. */
void process_tell_parent(struct process *process, int code);
void process_tell_parent_held(struct process *process, int code);

/* process_kill with signal_lock held. */
void process_kill_held(struct process *process, int status);

/* What a program is started with: exec_load's. */
struct exec_image {
	struct user_space *space;
	vaddr_t entry, stack;
	vaddr_t args_start, args_end, env_start, env_end;
	struct node *program; /* the file, behind all scripts; held */
};

/*
 * A new space with the program at `path` in it, and its stack. *ret_error: what is wrong with the file, when something is; else
 * untouched. -errno; nothing is left then. In any context.
 */
struct path_base;
int exec_load(const struct path_base *base, const struct process_rlimit *limits, const char *path,
	      const char *const *argv, const char *const *envp, struct exec_image *ret, const char **ret_error);

/* What execve(2) takes from a task of the old program: handlers, alternate stack, addresses of futexes. */
void process_leave_program(struct task *task);
