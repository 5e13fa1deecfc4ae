/*
 * Tasks: what the CPU can be given to. A task of a process runs a program in the process's context and, in system
 * calls, the kernel; a kernel task runs the kernel only, in the kernel context.
 *
 * Each has a kernel stack in the heap range with a guard page below. The kernel is not preemptible: a task is left
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

#define TASK_NAME 16 /* with its NUL, as Linux's comm */

#define TASK_PRIORITIES  FAIR_LEVELS /* nice n is 20 + n: a share of the CPU, not a rank */
#define TASK_PRIORITY    20
#define TASK_NO_DEADLINE TIME_NEVER

enum task_state {
	TASK_NEW,      /* not started: nothing wakes it */
	TASK_RUNNABLE, /* running, or in a run queue */
	TASK_BLOCKED,  /* until task_wake, a signal, or its deadline */
	TASK_STOPPED,  /* by a signal, until SIGCONT or SIGKILL */
	TASK_DEAD,     /* never runs again; its memory goes when another task has the CPU */
};

struct process;

/* Guard: the kernel, one CPU, not preempted, where a field says nothing else. */
struct task {
	struct task_signals signals; /* first: the way out of system calls looks into it */
	uint64_t sp;                 /* kernel stack pointer while it does not run */
	vaddr_t stack;               /* lowest address of the kernel stack */
	void *fpu;                   /* its XSAVE area; NULL: a kernel task */
	uint64_t fs_base;            /* of user mode; kept here while the task does not run */
	uint64_t gs_base;
	bool end_wanted; /* another task of its process is in execve(2): this one ends */

	/* Guard: task_lock, since handlers wake tasks and end their slices. */
	enum task_state state;
	int priority;
	bool queued;            /* in a run queue */
	bool woken;             /* since task_block_prepare, by which the task itself clears it without the lock */
	bool timed_out;         /* the deadline of task_block has passed */
	struct fair_node ready; /* in its run queue */
	struct timer alarm;     /* task_block's deadline */

	int tid;
	struct task *next_tid; /* in the table of tids */
	uint64_t refs;         /* one while it lives, and who has found it (find.h) */
	char name[TASK_NAME];
	struct process *process; /* held; NULL: a kernel task, or one that has ended */
	struct task *next_task;  /* in the process's list */

	uint64_t clear_child_tid;    /* user address: zeroed and woken as a futex at the end; 0: none */
	uint64_t set_child_tid;      /* user address: gets the tid when it starts; 0: none */
	uint64_t sleep_deadline_ns;  /* of a sleep that a stop has interrupted; 0: none */
	uint64_t sleep_rest;         /* user address: where nanosleep(2) says what was left; 0: nowhere */
	uint64_t robust_list;        /* set_robust_list(2)'s head; a user address */
	uint64_t run_ns;             /* CPU time until it was last left */
	uint64_t started_ns;         /* when it got the CPU */
	uint64_t start_ns;           /* when it was made */
	uint64_t switches;           /* times that it got the CPU */
	uint64_t faults;             /* page faults served for it */
	struct process *vfork_child; /* what its vfork waits for; NULL: nothing */
};

_Static_assert(offsetof(struct task, signals.wanted) == TASK_SIGNALS_WANTED, "the entry code");

/* The task that the CPU is in; NULL before task_init. */
static inline struct task *task_current(void)
{
	return this_cpu->current;
}

/* Where user mode's registers are while the task is in the kernel: at the top of its stack. */
static inline struct trap_frame *task_frame(const struct task *task)
{
	return (struct trap_frame *)(task->stack + KERNEL_STACK_SIZE) - 1;
}

/*
 * Make what runs now the first task, a kernel task on the boot stack, and let tasks be switched. The heap, the timer and
 * the clock work. Panics when there is no memory.
 */
void task_init(void);

/*
 * A task with stack and tid, not started, of no process; `fpu`: whether it will run a program. The caller fills the rest and
 * starts it with task_start_user or task_start_kernel. Returns -ENOMEM, -EAGAIN (no tid).
 */
int task_create(const char *name, bool fpu, struct task **ret);

/* The end of one that has been left for good, or never started. Whoever has found it keeps the structure. */
void task_destroy(struct task *task);

/* Where tasks of programs begin, code that finishes the switch and returns to user mode. Once, before the first. */
void task_set_user_entry(const char *entry);

/* Run it from user mode's registers in task_frame(task), which the caller has filled. */
void task_start_user(struct task *task);

/* Run `function(argument)` in the kernel context; its return is the task's end. */
void task_start_kernel(struct task *task, void (*function)(void *argument), void *argument);

/* How many there ever were, but for the first. */
extern uint64_t task_count_made;

/* Let a blocked task run; no effect on another. Any context, interrupts on or off. */
void task_wake(struct task *task);

/* Do the same where interrupts are off. */
void task_wake_off(struct task *task);

/* Let a blocked task run, or one that a signal has stopped, to look anew whether it is to stay so; task_go_on: only such a one. */
void task_wake_stopped(struct task *task);
void task_go_on(struct task *task);

/* Let others run first whose turn it is. */
void task_yield(void);

/* The current task's end: it never returns. What belongs to the task alone is given back. */
__attribute__((noreturn)) void task_exit(void);

/* The live bases of the current task's FS and GS in user mode: arch_prctl(2). */
uint64_t task_get_fs_base(void);
uint64_t task_get_gs_base(void);
void task_set_fs_base(uint64_t base);
void task_set_gs_base(uint64_t base);

/* `task` takes over a number that no task has: execve(2) of a thread makes it the process's first. */
void task_set_tid(struct task *task, int tid);

/* CPU time in user mode and the kernel together. */
static inline uint64_t task_run_ns(const struct task *task)
{
	return task->run_ns + (task == task_current() ? clock_monotonic_ns() - task->started_ns : 0);
}
