/*
 * Processes: an address space, open files, and the tasks that share them. Linux's thread groups.
 */
#pragma once

#include "kernel/fs/fd.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/task/task.h"
#include "kernel/task/usage.h"

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

/* One resource limit. Guard: tasks only, which the kernel does not preempt. */
struct process_rlimit {
	uint64_t soft, hard;
};

/* Where a process's paths start, and its umask. Guard: tasks only, which the kernel does not preempt. */
struct process_paths {
	struct place root; /* held, as `cwd` is; both without a node when the process has ended */
	struct place cwd;
	uint32_t umask; /* atomic: umask(2) takes no kernel lock */
};

/*
 * A process. Guard: tasks only, which the kernel does not preempt; fields that interrupt handlers read change by one
 * store.
 */
struct process {
	int pid;                /* the tid of its first task */
	int group, session;     /* pids of their leaders; 0: those in which init starts, as on Linux */
	int memory_adjust;      /* /proc/PID/oom_score_adj, -1000 to 1000; -1000: never killed for lack of memory */
	struct tty *tty;        /* the controlling terminal, or NULL */
	struct link tasks;      /* list of its tasks, the oldest first; empty: the process has ended */
	struct link *wake_next; /* of process_kill.c: the next in `tasks` to be woken; NULL: none. Guard: signal_lock */
	struct link waking;     /* in process_kill.c's list while `wake_next` is not NULL. Guard: signal_lock */
	unsigned task_count;    /* number of tasks. Atomic */
	unsigned ending;        /* number of those that have begun to end, and make no system call any more */
	struct user_space *space; /* a reference; NULL: the process has ended */
	struct fd_table *fds;     /* a reference; NULL: the process has ended */
	struct process_paths paths;
	uint64_t refs;          /* references: of the table, of each of its tasks, and those of process_get() */
	struct process *parent; /* NULL: this is the first process */
	struct link children;   /* list of its children, linked by `sibling`, the oldest first */
	struct link sibling;    /* in the parent's `children` */
	struct link news;       /* list of children for wait4(2) to report, linked by `in_news`, the earliest first */
	struct link in_news;    /* in the parent's `news`, or in no list */
	struct process_rights rights;
	struct link in_group;   /* in the list of its group's processes (number.h) */
	struct link in_session; /* in the list of its session's processes */
	uint64_t joined;        /* greater, the later the process joined its group: the group's list is sorted by it */
	struct link trace_news; /* list of tracees of its tasks (ptrace.h) for wait4(2) to report, the earliest first */
	unsigned trace_ended;   /* number of its tasks' tracees that have ended, and are among trace_news */
	int parent_tid;         /* the task that made the process; it may have ended */
	struct wait_queue waiters; /* tasks that wait for a child of this process */
	bool zombie;               /* has ended, and its parent has not waited for it yet */
	bool exiting;              /* all its tasks must end: exit_group(2), or a fatal signal */
	bool killed;               /* by SIGKILL, so that no stop for a tracer and no core file delays the end */
	bool stopped, continued;   /* is stopped by a signal; was continued, and wait4(2) has not told the parent */
	bool stop_told;            /* wait4(2) has told the parent of the stop */
	bool executed;             /* has called execve: its parent may not change its group any more (setpgid(2)) */
	int stop_status;           /* wait4(2)'s status while stopped: the signal << 8 | 0x7f */
	struct core *core;         /* the writing of its core file (core.h), for which its tasks wait; or NULL */
	struct task *exec_waiter;  /* the task in execve that waits for all others to end; or NULL */
	int status;                /* wait4(2)'s status at the end: the exit code << 8, or the fatal signal */
	int exit_signal;           /* sent to the parent at the end; usually SIGCHLD */
	struct process_signals signals;
	struct timer alarm;                  /* the timer of setitimer(ITIMER_REAL) and alarm(2) */
	struct timer cpu_watch;              /* fires when RLIMIT_CPU may have been reached */
	const struct process_rlimit *limits; /* PROCESS_LIMITS of them, perhaps shared with others: process_limits.c */
	struct user_limits user_limits;      /* the limits on memory among `limits`, in pages */
	uint64_t most_descriptors;           /* the soft RLIMIT_NOFILE. Atomic: open calls read it */
	uint64_t start_ns;                   /* when the process was made, by the monotonic clock */
	uint64_t rt_most_ns;                 /* RLIMIT_RTTIME, the lower one of soft and hard limit; TIME_NEVER: none */
	struct tree_node *aio;               /* tree of its contexts of io_setup(2) (kernel/sys/aio.h); NULL: none */
	struct key *keyring;        /* the keyring of the process (kernel/sys/key_access.h), a reference; or NULL */
	struct sem_undos *undos;    /* what its end does to semaphores (kernel/ipc/sem.h); NULL: nothing */
	struct usage ended;         /* used by its tasks that have ended */
	struct usage children_used; /* used by the children that it has waited for, and by the children of those */
	uint64_t most_pages, child_most_pages; /* most pages in memory at once: of this process; of a child */
	struct task *vfork_parent;             /* the task in vfork(2) that waits for this process; or NULL */
	struct node *program; /* the file that is executed; a reference of node_run(). NULL: the process has ended */
	struct mount *program_mount; /* the mount by which the program was found, a reference; or NULL */
	char name[TASK_NAME];        /* the name of the task that ended last */
	uint64_t args_start, args_end, env_start, env_end; /* user addresses, for /proc/PID/cmdline and environ */
	uint64_t aux_start, aux_end;                       /* user addresses of the auxiliary vector */
};

/* The head of a loop over the tasks of a process; `each` is the loop's variable. */
#define PROCESS_EACH_TASK(process, each) LIST_EACH(&(process)->tasks, struct task, in_process, each)

/* Return the oldest task of the process; NULL: it has ended. */
static inline struct task *process_any_task(const struct process *process)
{
	return list_is_empty(&process->tasks) ? NULL : list_item(process->tasks.next, struct task, in_process);
}

/* Return the process of the current task. Call in system calls and traps of programs only. */
static inline struct process *process_current(void)
{
	return task_current()->process;
}

/* Return whether a task of a program must end before it returns to user mode: with its process, or alone. */
static inline bool task_must_end(const struct task *task)
{
	return task->process->exiting || task->end_wanted;
}

/* Return the CPU time of all tasks of the process, those that have ended included. */
static inline uint64_t process_run_ns(const struct process *process)
{
	uint64_t ns = process->ended.user_ns + process->ended.system_ns;

	PROCESS_EACH_TASK(process, task)
		ns += task_run_ns(task);
	return ns;
}

/* Put the process into another group and session, whose numbers must exist (kernel/task/number.h). */
void process_set_group(struct process *process, int group, int session);

/*
 * Wait until all processes have ended: the end of the first process kills the others. Call in a kernel task. Each time
 * the task is woken meanwhile it calls `wanted`, and, if that returns true, `work`; at the end it calls `work` once
 * more. Returns the first process's wait status.
 */
int process_wait_init(bool (*wanted)(void), void (*work)(void));

/* End the current task: exit(2). If it is the process's last task, the process ends with the exit code `code`. */
__attribute__((noreturn)) void process_exit_task(int code);

/* End all tasks of the current process: exit_group(2). status: as wait4(2) returns it. */
__attribute__((noreturn)) void process_exit(int status);

/* Set a function that is called with a new task, and the one that made it, before the new one starts. */
void process_set_begin_hook(void (*hook)(struct task *task, const struct task *from));

/* Set a function that a task calls, while it still has its program's memory, when it ends or calls execve(2). */
void process_set_exit_hook(void (*hook)(struct task *task));

/* Set a function that a task calls when it ends, after the exit hook; it may let other tasks run. */
void process_set_end_hook(void (*hook)(struct task *task));

/* Make all tasks of the process end on their way to user mode. `status`, wait4(2)'s, counts only for the first call. */
void process_kill(struct process *process, int status);
