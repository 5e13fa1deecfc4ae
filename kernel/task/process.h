/*
 * Processes: an address space, open files, and the tasks that share them. Linux's thread groups.
 */
#pragma once

#include "kernel/fs/fd.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/task/task.h"

/* Linux's resource limits (getrlimit(2)). */
enum process_limit {
	LIMIT_CPU,
	LIMIT_FSIZE,
	LIMIT_DATA,
	LIMIT_STACK,
	LIMIT_CORE,
	LIMIT_RSS,
	LIMIT_NPROC,
	LIMIT_NOFILE,
	LIMIT_MEMLOCK,
	LIMIT_AS,
	LIMIT_LOCKS,
	LIMIT_SIGPENDING,
	LIMIT_MSGQUEUE,
	LIMIT_NICE,
	LIMIT_RTPRIO,
	LIMIT_RTTIME,
	PROCESS_LIMITS,
};

#define LIMIT_NONE (~0ULL) /* RLIM_INFINITY */

/* Guard: the kernel, one CPU, not preempted. */
struct process_rlimit {
	uint64_t soft, hard;
};

/* Where paths start. Guard: the kernel, one CPU, not preempted. */
struct process_paths {
	struct node *root;
	struct node *cwd;
	uint32_t umask;
};

/* Guard: the kernel, one CPU, not preempted; what a handler reads when it sends a signal changes by one store. */
struct process {
	int pid;             /* the tid of its first task */
	int group, session;  /* pids of their leaders; 0: the first process's */
	struct tty *tty;     /* the controlling terminal, or NULL */
	struct task *tasks;  /* by next_task */
	unsigned task_count; /* living ones */
	struct user_space *space;
	struct fd_table *fds;
	struct process_paths paths;
	struct process *next_pid; /* in the table of pids */
	uint64_t refs;            /* the table's, its tasks', and who has found it (find.h) */
	struct process *parent;
	struct process *children;     /* by next_sibling */
	struct process *next_sibling; /* in the parent's list */
	struct wait_queue waiters;    /* who waits for a child of this one */
	bool zombie;                  /* ended, and nobody has asked how */
	bool exiting;                 /* exit_group, or a fatal signal: all its tasks are to end */
	bool stopped, continued;      /* to be told by wait4 */
	bool stop_told;
	bool executed;            /* has called execve: its parent may not move it to another group (setpgid(2)) */
	int stop_status;          /* wait4's for a stopped one: the signal << 8 | 0x7f */
	struct task *exec_waiter; /* the task in execve that waits for all others to end; or NULL */
	int status;               /* wait4's: the exit code << 8, or the signal that ended it */
	int exit_signal;          /* sent to the parent at the end; SIGCHLD as a rule */
	struct process_signals signals;
	struct timer alarm;     /* setitimer(ITIMER_REAL), alarm(2) */
	struct timer cpu_watch; /* RLIMIT_CPU's */
	struct process_rlimit limits[PROCESS_LIMITS];
	uint64_t start_ns;
	uint64_t dead_run_ns;  /* CPU time of its tasks that have ended */
	uint64_t child_run_ns; /* of children that were waited for, and theirs */
	uint64_t faults, child_faults;
	struct task *vfork_parent; /* the task that waits until this process execs or ends; or NULL */
	struct node *program;      /* the file that was executed; held; NULL: ended */
	char name[TASK_NAME];      /* of its last task, once that has ended */
	uint64_t args_start, args_end, env_start, env_end; /* user addresses: /proc/PID/cmdline */
};

/* The process of the task that runs; only in system calls and what a program's traps call. */
static inline struct process *process_current(void)
{
	return task_current()->process;
}

/* CPU time of all its tasks, those that have ended included. */
static inline uint64_t process_run_ns(const struct process *process)
{
	uint64_t ns = process->dead_run_ns;

	for (const struct task *task = process->tasks; task; task = task->next_task)
		ns += task_run_ns(task);
	return ns;
}

/*
 * Start the first process from the program at `path` of the tree below `root`; 0, 1 and 2 are `console`. argv and envp end
 * with NULL. It runs when the caller blocks. *ret_error says what is wrong with the file. -errno; nothing is left then.
 */
int process_start_init(struct node *root, struct file *console, const char *path, const char *const *argv,
		       const char *const *envp, const char **ret_error);

/*
 * Wait, as a kernel task, until the first process has ended and all others with it, which are killed then. Its wait4
 * status; nothing is left of any of them.
 */
int process_wait_init(void);

/* clone(2)'s arguments. */
struct clone_arguments {
	uint64_t flags;                 /* CLONE_…, the exit signal in the low byte */
	uint64_t stack;                 /* 0: the parent's value */
	uint64_t parent_tid, child_tid; /* user addresses */
	uint64_t tls;
};

/* clone(2), fork(2), vfork(2): the child's tid in the parent. -EINVAL, -ENOMEM, -EAGAIN (LIMIT_NPROC, no pid). */
int64_t process_clone(const struct clone_arguments *arguments);

/* exit(2) of the current task; with its last task the process ends with that exit code. */
__attribute__((noreturn)) void process_exit_task(int code);

/* exit_group(2): end all tasks of the current process. status as wait4 will tell it. */
__attribute__((noreturn)) void process_exit(int status);

/* wait4(2)'s and waitid(2)'s options. */
enum wait_options {
	WAIT_NO_HANG = 1,
	WAIT_UNTRACED = 2, /* WSTOPPED */
	WAIT_EXITED = 4,   /* wait4 always means it */
	WAIT_CONTINUED = 8,
	WAIT_NOWAIT = 0x1000000,
	WAIT_THREADS = 0x20000000, /* __WNOTHREAD */
	WAIT_ALL = 0x40000000,
	WAIT_CLONE = 0x80000000,
};

/* What is told of a child. */
struct wait_result {
	int pid;
	int status; /* wait4's */
	uint64_t run_ns;
	uint64_t faults;
};

/*
 * Wait for a child of the current process. who: > 0 a pid, -1 any, 0 those of its own group, < -1 those of that group.
 * options: enum wait_options. The pid; 0 (WAIT_NO_HANG: none yet), -ECHILD, -EINTR.
 */
int process_wait(int who, unsigned options, struct wait_result *ret);

/* Called in the task's own context when a task of a program ends, before anything of it is gone. */
void process_set_exit_hook(void (*hook)(struct task *task));

/* All tasks of the process end as soon as they can; status as wait4 will tell it, unless it is ending already. */
void process_kill(struct process *process, int status);

/*
 * execve(2) of the current process: on success it returns 0 with task_frame set to start the new program, and all other tasks are gone.
 * Strings are the kernel's. -ENOEXEC, -EACCES, -E2BIG, -ENOMEM, and path_lookup's; the process is then as before.
 */
int process_exec(const char *path, const char *const *argv, const char *const *envp);
