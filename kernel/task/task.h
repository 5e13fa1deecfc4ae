/*
 * Tasks: what the CPU can be given to. A task of a process runs a program in the process's context and, in system
 * calls, the kernel; a kernel task runs the kernel only, in the kernel context.
 *
 * Each task has a kernel stack in the heap range with a guard page below. The kernel is not preemptible: a task is left
 * where it blocks, and on the way back to user mode.
 */
#pragma once

#include "kernel/arch/percpu.h"
#include "kernel/arch/trap.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer_queue.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/kernel_stack.h"
#include "kernel/sync/wait_queue.h"
#include "kernel/task/fair_queue.h"
#include "kernel/task/signal_state.h"
#include "kernel/task/task_offsets.h"

#define TASK_NAME 16 /* bytes of a name, with its NUL, as Linux's comm */

#define TASK_PRIORITIES  FAIR_LEVELS /* nice n is 20 + n: a share of the CPU, not a rank */
#define TASK_PRIORITY    20
#define TASK_NO_DEADLINE TIME_NEVER

enum task_state {
	TASK_NEW,      /* not started yet: nothing wakes it */
	TASK_RUNNABLE, /* running, or in a run queue */
	TASK_BLOCKED,  /* waits for task_wake, a signal, or its deadline */
	TASK_STOPPED,  /* stopped by a signal, until SIGCONT or SIGKILL */
	TASK_DEAD,     /* never runs again; its memory is freed when another task has the CPU */
};

struct process;

/* Guard: the kernel, one CPU, not preempted, where a field says nothing else. */
struct task {
	struct task_signals signals; /* first: the way out of system calls reads it */
	uint64_t sp;                 /* kernel stack pointer while the task does not run */
	vaddr_t stack;               /* lowest address of the kernel stack */
	void *fpu;                   /* the task's XSAVE area; NULL: a kernel task */
	uint64_t fs_base;            /* user mode's FS and GS base; current here while the task does not run */
	uint64_t gs_base;
	bool end_wanted; /* the task is to end: another task of its process is in execve(2) */

	/* Guard of the next fields: task_lock, since interrupt handlers wake tasks and end their slices. */
	enum task_state state; /* what the task does, and what ends that */
	int priority;          /* nice value + 20; the lower the more of the CPU */
	bool queued;           /* the task is in a run queue */
	/* woken since task_block_prepare, by which the task itself clears this without the lock */
	bool woken;
	bool timed_out;         /* the deadline of task_block has passed */
	struct fair_node ready; /* its place in the run queue */
	struct timer alarm;     /* the deadline of task_block */

	int tid;                 /* no other task has this number */
	struct task *next_tid;   /* the next one in the same list of the table of tids */
	uint64_t refs;           /* one while the task lives, and one for each who has found it (find.h) */
	char name[TASK_NAME];    /* for people: the program's, or what prctl(PR_SET_NAME) set */
	struct process *process; /* held; NULL: a kernel task, or one that has ended */
	struct task *next_task;  /* the next one in the process's list */

	uint64_t clear_child_tid;    /* user address: at the task's end set to 0 and woken as a futex; 0: none */
	uint64_t set_child_tid;      /* user address: gets the tid when the task starts; 0: none */
	uint64_t sleep_deadline_ns;  /* the deadline of a sleep that a stop has interrupted; 0: none */
	uint64_t sleep_rest;         /* user address where nanosleep(2) says how much was left; 0: nowhere */
	uint64_t robust_list;        /* user address: set_robust_list(2)'s head */
	uint64_t run_ns;             /* CPU time until the task was last left */
	uint64_t started_ns;         /* when the task last got the CPU */
	uint64_t start_ns;           /* when the task was made */
	uint64_t switches;           /* how often the task got the CPU */
	uint64_t faults;             /* page faults served for the task */
	struct process *vfork_child; /* the child that the task's vfork(2) waits for; NULL: none */
};

_Static_assert(offsetof(struct task, signals.wanted) == TASK_SIGNALS_WANTED, "the entry code");

/* Return the task that the CPU is in; NULL before task_init. */
static inline struct task *task_current(void)
{
	return this_cpu->current;
}

/* Return where user mode's registers are while the task is in the kernel: at the top of its stack. */
static inline struct trap_frame *task_frame(const struct task *task)
{
	return (struct trap_frame *)(task->stack + KERNEL_STACK_SIZE) - 1;
}

/*
 * Make what runs now the first task, a kernel task on the boot stack, and let tasks be switched. The heap, the timer
 * and the clock work. Panics when there is no memory.
 */
void task_init(void);

/*
 * Create a task with a stack and a tid, held once, not started, of no process; `fpu`: whether it will run a program.
 * The caller fills the rest and starts it with task_start_user or task_start_kernel, or destroys it. -ENOMEM, -EAGAIN
 * (no tid); nothing is left then.
 */
int task_create(const char *name, bool fpu, struct task **ret);

/*
 * End a task that has been left for good, or never started. Whoever has found it keeps the structure until he puts it.
 */
void task_destroy(struct task *task);

/* Say where programs' tasks begin: code that finishes the switch and returns to user mode. Once, before the first. */
void task_set_user_entry(const char *entry);

/* Let the task run, from user mode's registers in task_frame(task), which the caller has filled. */
void task_start_user(struct task *task);

/* Let the task run `function(argument)` in the kernel context; when that returns, the task ends. */
void task_start_kernel(struct task *task, void (*function)(void *argument), void *argument);

/* How many tasks there ever were, not counting the first. Guard: the kernel, one CPU, not preempted. */
extern uint64_t task_count_made;

/* Let a blocked task run; no effect on a task that is not blocked. Any context, interrupts on or off. */
void task_wake(struct task *task);

/* Let a blocked task run as task_wake() does, where interrupts are off. */
void task_wake_off(struct task *task);

/*
 * Let a task that is blocked or stopped by a signal run, to look whether it is still to be so; task_go_on: only one
 * that is stopped. Any context, interrupts on or off.
 */
void task_wake_stopped(struct task *task);
void task_go_on(struct task *task);

/* Let other tasks run first whose turn it is. Interrupts on; in the task's own context. */
void task_yield(void);

/* End the current task and free its stack and number. Its process, if it had one, must have let go of it before. */
__attribute__((noreturn)) void task_exit(void);

/* Return or set the base of FS or GS that the current task has in user mode: arch_prctl(2). */
uint64_t task_get_fs_base(void);
uint64_t task_get_gs_base(void);
void task_set_fs_base(uint64_t base);
void task_set_gs_base(uint64_t base);

/* Give `task` a number that no task has: execve(2) of a thread gives that thread the number of its process. */
void task_set_tid(struct task *task, int tid);

/* Return the CPU time of the task, in user mode and the kernel together. */
static inline uint64_t task_run_ns(const struct task *task)
{
	return task->run_ns + (task == task_current() ? clock_monotonic_ns() - task->started_ns : 0);
}
