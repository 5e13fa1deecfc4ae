/*
 * Functions that the files about processes share: clone.c, exec.c, exit.c, process*.c, signal*.c, wait.c.
 */
#pragma once

#include "kernel/task/find.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal.h"

#define PROCESS_FEWEST 64            /* lowest RLIMIT_NPROC of the first process */
#define PROCESS_SHARE  (512UL << 10) /* bytes of RAM for each process that RLIMIT_NPROC allows */

/* Copy a string into the heap: the caller frees it with kfree. NULL: no memory. */
char *copy_string(const char *text);

/* Most tasks of programs, as Linux's threads-max: one for each TASK_SHARE bytes of RAM, but at least TASK_FEWEST. */
#define TASK_SHARE  (128UL << 10)
#define TASK_FEWEST 256

/* The allocator of struct process. Fixed after boot. */
extern struct cache process_cache;

/*
 * Return whether the current task may make another task, a thread or the first task of a process, within RLIMIT_NPROC
 * of its user and the limits of all users together.
 */
bool process_may_clone(bool thread);

/* Return how many processes there are, zombies included. */
size_t process_living(void);

/*
 * Create a process without tasks, memory and files, and enter it in the table, which gets the reference. It is a child
 * of `parent`, and inherits paths, limits, group and handlers from `maker`; the two differ only for CLONE_PARENT. Both
 * are NULL for the first process. Returns 0 or -ENOMEM.
 */
int process_create(int pid, struct process *parent, const struct process *maker, struct process **ret);

/*
 * Enter a new process, whose pid must be a task's number, into the table, among the children of `parent` unless that is
 * NULL, and into its group and session.
 */
void process_enlist(struct process *process, struct process *parent);

/* Add the process to parent->news: wait4(2) of the parent may report its end, a stop, or that it continues. */
void process_has_news(struct process *process);

/* Give the process another parent, to which wait4(2) reports what it has not reported yet. */
void process_change_parent(struct process *process, struct process *parent);

/*
 * Remove a process that has ended, or never had a task, from the table and from its parent's children, and drop the
 * table's reference.
 */
void process_forget(struct process *process);

/* Drop the references to root, working directory and program, and set them to NULL. */
void process_put_paths(struct process *process);

/* Add a task to a process; the task gets a reference to it. */
void process_add_task(struct process *process, struct task *task);

/* Remove a task that ends, or never started, from its process; the caller drops the task's reference to the process. */
void process_remove_task(struct task *task);

/* Called in an interrupt when the timer process->alarm ends: send that process SIGALRM. */
void process_alarm_rings(struct timer *timer);

/* Wake the task that waits in vfork(2) for `process`, if there is one. */
void process_end_vfork(struct process *process);

/*
 * End all tasks of the current process but the current one, and wait for that. Returns 0, or -EINTR when the current
 * task must end as well.
 */
int process_end_others(void);

/*
 * Let a task know that it must end; call process_wake_tasks() afterwards. The task does not block any more, and ends in
 * task_return(), on its way to user mode. The caller holds signal_lock.
 */
void task_end_soon(struct task *task);

/*
 * Wake all tasks of a process that are stopped, and those that must end also if they are blocked: some now, the others
 * soon, by a timer. A task that ends meanwhile leaves the process by process_leave_tasks(). The caller holds
 * signal_lock.
 */
void process_wake_tasks(struct process *process);

/* Remove a task from the list of its process's tasks. */
void process_leave_tasks(struct task *task);

/* Kill all processes but the first. */
void process_kill_all(void);

/* Make `process` the first process, init, which becomes the parent of processes whose parent ends. */
void process_set_init(struct process *process);

/*
 * Send the parent of `process` SIGCHLD, or for CLD_EXITED process->exit_signal, and wake tasks that wait for children.
 * code: CLD_EXITED, CLD_STOPPED, CLD_CONTINUED. No effect without a parent. Call process_tell_parent_held with
 * signal_lock held.
 */
void process_tell_parent(struct process *process, int code);
void process_tell_parent_held(struct process *process, int code);

/* Do process_kill(); the caller holds signal_lock. */
void process_kill_held(struct process *process, int status);

/* A loaded program, which exec_load() makes. */
struct exec_image {
	struct user_space *space;
	vaddr_t entry, stack;
	vaddr_t args_start, args_end, env_start, env_end, aux_start, aux_end;
	struct node *program;          /* the ELF file, after all scripts' interpreters; a reference by node_run() */
	struct mount *program_mount;   /* the mount by which `program` was found, a reference; or NULL */
	const struct credentials *who; /* the credentials with which the program runs; a reference */
	bool secure;                   /* whoever started the program must not choose its libraries: AT_SECURE */
	bool readable;                 /* whoever started the program may read its file, and so its memory */
};

/*
 * Make a user space with the program that is requested, and its stack. Returns 0, or an error of execve(2) with
 * everything undone; *refusal then says what is wrong with the file, if that is the reason, and is untouched otherwise.
 */
struct path_base;
struct exec_request;
struct exec_refusal;
int exec_load(const struct path_base *base, uint64_t stack_limit, const struct exec_request *request,
	      struct exec_image *ret, struct exec_refusal *refusal);

/* Reset what execve(2) resets: handlers, alternate stack, user addresses of futexes. `task`: the current task. */
void process_leave_program(struct task *task);
