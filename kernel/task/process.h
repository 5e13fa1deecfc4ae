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

#define LIMIT_NONE (~0ULL) /* no limit: RLIM_INFINITY */

/* Guard: the kernel, one CPU, not preempted. */
struct process_rlimit {
	uint64_t soft, hard;
};

/* Where paths start: nodes, held until the process ends. Guard: the kernel, one CPU, not preempted. */
struct process_paths {
	struct node *root;
	struct node *cwd;
	uint32_t umask;
};

/* Guard: the kernel, one CPU, not preempted; what a handler reads when it sends a signal changes by one store. */
struct process {
	int pid;                  /* the tid of its first task */
	int group, session;       /* pids of their leaders; 0: those of Linux's first process */
	int memory_adjust;        /* /proc/PID/oom_score_adj: -1000, never ended for its memory, to 1000 */
	struct tty *tty;          /* the controlling terminal, or NULL */
	struct task *tasks;       /* its tasks, by next_task; NULL: it has ended */
	unsigned task_count;      /* how many tasks it has */
	struct user_space *space; /* held; NULL: it has ended */
	struct fd_table *fds;     /* held; NULL: it has ended */
	struct process_paths paths;
	struct process *next_pid;     /* the next one in the same list of the table of pids */
	uint64_t refs;                /* the table, each of its tasks, and each who has found it (find.h) */
	struct process *parent;       /* NULL: the first process */
	struct process *children;     /* its children, by next_sibling */
	struct process *next_sibling; /* the next one in the parent's list */
	struct wait_queue waiters;    /* tasks that wait for a child of this process */
	bool zombie;                  /* ended, and its parent has not asked how */
	bool exiting;                 /* all its tasks are to end: exit_group(2), or a fatal signal */
	bool stopped, continued;      /* what wait4(2) tells the parent next; stop_told: it has told of the stop */
	bool stop_told;
	bool executed;            /* has called execve: its parent may not change its group any more (setpgid(2)) */
	int stop_status;          /* wait4's, while it is stopped: the signal << 8 | 0x7f */
	struct task *exec_waiter; /* the task in execve that waits for all others to end; or NULL */
	int status;               /* wait4's at the end: the exit code << 8, or the signal that ended it */
	int exit_signal;          /* sent to the parent at the end: SIGCHLD as a rule */
	struct process_signals signals;
	struct timer alarm;     /* the timer of setitimer(ITIMER_REAL) and alarm(2) */
	struct timer cpu_watch; /* rings when the limit RLIMIT_CPU may have been reached */
	struct process_rlimit limits[PROCESS_LIMITS];
	struct user_limits user_limits;        /* those of `limits` that memory heeds, in pages */
	uint64_t start_ns;                     /* when it was made, by the monotonic clock */
	uint64_t dead_run_ns;                  /* CPU time of its tasks that have ended */
	uint64_t child_run_ns;                 /* CPU time of children that it waited for, with their children's */
	uint64_t faults, child_faults;         /* page faults, counted as dead_run_ns and child_run_ns are */
	uint64_t most_pages, child_most_pages; /* resident at once: in spaces that it left; in a child */
	struct task *vfork_parent;             /* the task that waits until this process execs or ends; or NULL */
	struct node *program;                  /* the file that is executed; held by node_run; NULL: it has ended */
	char name[TASK_NAME];                  /* the name of its last task, once that has ended */
	uint64_t args_start, args_end, env_start, env_end; /* user addresses, for /proc/PID/cmdline and environ */
};

/* Return the process of the task that runs. Only in system calls, and in what a program's traps call. */
static inline struct process *process_current(void)
{
	return task_current()->process;
}

/* Return the CPU time of all tasks of the process, those that have ended included. */
static inline uint64_t process_run_ns(const struct process *process)
{
	uint64_t ns = process->dead_run_ns;

	for (const struct task *task = process->tasks; task; task = task->next_task)
		ns += task_run_ns(task);
	return ns;
}

/*
 * Start the first process from the program at `path` below `root`; descriptors 0, 1 and 2 are `console`. argv and envp
 * end with NULL. It runs when the caller blocks. *ret_error: what is wrong with the file. -errno; nothing is left then.
 */
int process_start_init(struct node *root, struct file *console, const char *path, const char *const *argv,
		       const char *const *envp, const char **ret_error);

/* Wait, as a kernel task, until no process is left: the first one's end kills all. Returns its wait4 status. */
int process_wait_init(void);

/* clone(2)'s arguments. */
struct clone_arguments {
	uint64_t flags;                 /* CLONE_…, the exit signal in the low byte */
	uint64_t stack;                 /* the child's stack pointer; 0: the parent's */
	uint64_t parent_tid, child_tid; /* user addresses */
	uint64_t tls;
};

/*
 * Make a task or a process: clone(2), fork(2), vfork(2). Returns the child's tid to the parent; or -EINVAL, -EPERM
 * (tls), -ENOMEM, -EAGAIN (LIMIT_NPROC, no tid), -ERESTART_MEMORY, and nothing has changed.
 */
int64_t process_clone(const struct clone_arguments *arguments);

/* End the current task: exit(2). With its last task the process ends with that exit code. */
__attribute__((noreturn)) void process_exit_task(int code);

/* End all tasks of the current process: exit_group(2). status: as wait4 will tell it. */
__attribute__((noreturn)) void process_exit(int status);

/* Options of wait4(2) and waitid(2). */
enum wait_options {
	WAIT_NO_HANG = 1,
	WAIT_UNTRACED = 2, /* WSTOPPED */
	WAIT_EXITED = 4,   /* of waitid; wait4 always means it */
	WAIT_CONTINUED = 8,
	WAIT_NOWAIT = 0x1000000,
	WAIT_THREADS = 0x20000000, /* __WNOTHREAD */
	WAIT_ALL = 0x40000000,
	WAIT_CLONE = 0x80000000,
};

/* What wait4(2) and waitid(2) tell of a child. */
struct wait_result {
	int pid;
	int status;                  /* the status that wait4(2) tells */
	uint64_t run_ns;             /* CPU time, with its children's */
	uint64_t faults, most_pages; /* page faults, likewise; pages resident at once in it or a child */
};

/*
 * Wait for a child of the current process. who: > 0 a pid, -1 any, 0 those of its own group, < -1 those of group -who.
 * options: enum wait_options. Returns the pid; 0 (WAIT_NO_HANG: none yet), -ECHILD, -EINTR.
 */
int process_wait(int who, unsigned options, struct wait_result *ret);

/* Set what is called when a program's task ends: in the task's own context, before anything of the task is gone. */
void process_set_exit_hook(void (*hook)(struct task *task));

/* End all tasks of the process as soon as they can. status: wait4's, unless the process is ending already. */
void process_kill(struct process *process, int status);

/*
 * Execute another program in the current process: execve(2), with strings in the kernel's memory. Returns 0 with
 * task_frame set to start the program, and all other tasks have ended; or -ENOEXEC, -EACCES, -E2BIG, -ENOMEM, -ELOOP,
 * path_lookup's, and all is as before; or -EINTR: the task is to end.
 */
int process_exec(const char *path, const char *const *argv, const char *const *envp);
