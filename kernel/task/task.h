/*
 * Tasks: threads of execution. A task of a process runs a program in the process's context (its page tables) and, in
 * system calls, the kernel; a kernel task runs kernel code only, in the kernel context.
 *
 * Each task has a kernel stack in the heap range with a guard page below. The kernel is not preemptible: the CPU goes
 * to another task where a task blocks or yields, and on the way back to user mode.
 */
#pragma once

#include "kernel/arch/percpu.h"
#include "kernel/arch/trap.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer_queue.h"
#include "kernel/lib/list.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/kernel_stack.h"
#include "kernel/sync/wait_queue.h"
#include "kernel/task/cpu_set.h"
#include "kernel/task/ptrace_state.h"
#include "kernel/task/rights_state.h"
#include "kernel/task/self_write_state.h"
#include "kernel/task/signal_state.h"
#include "kernel/task/task_futexes.h"
#include "kernel/task/task_keys.h"
#include "kernel/task/task_offsets.h"
#include "kernel/task/task_restart.h"
#include "kernel/task/task_sched.h"

#define TASK_SLACK_NS    50000 /* Linux's timer slack of the first task */
#define TASK_NAME        16    /* bytes of a name, with its NUL, as Linux's comm */
#define TASK_NO_DEADLINE TIME_NEVER
enum task_state {
	TASK_NEW,      /* not started yet: task_wake has no effect */
	TASK_RUNNABLE, /* running, or in a run queue */
	TASK_BLOCKED,  /* waits for task_wake, a signal, or its deadline */
	TASK_STOPPED,  /* stopped by a signal, until SIGCONT or SIGKILL, or by its tracer */
	TASK_DEAD,     /* never runs again; its memory is freed when another task has the CPU */
};

struct late_work;
struct process;

/* A task. Guard of fields that say nothing else: tasks only, which the kernel does not preempt. */
struct task {
	struct task_signals signals; /* must be the first member: assembly reads it at TASK_SIGNALS_WANTED */
	uint64_t sp;                 /* kernel stack pointer while the task does not run */
	vaddr_t stack;               /* lowest address of the kernel stack */
	void *fpu;                   /* the task's XSAVE area; NULL: a kernel task */
	uint64_t fs_base, gs_base;   /* user mode's FS and GS base; may be stale while the task runs */
	struct task_tracing tracing;
	bool end_wanted; /* the task is to end: another task of its process is in execve(2) */

	/* Guard of the next fields: task_lock, since interrupt handlers wake tasks and end their slices. */
	enum task_state state;
	struct task_sched sched;
	int rank;              /* sched_rank() of `sched` */
	bool queued;           /* the task is in a run queue */
	struct percpu *cpu;    /* the CPU that the task runs on, or waits for, or ran on last */
	struct cpu_set may;    /* the CPUs that the task may run on */
	bool woken;            /* by task_wake(), since task_block_prepare(), which clears this without the lock */
	bool timed_out;        /* the deadline of task_block has passed */
	struct run_node ready; /* the task's place in the run queue */
	uint64_t turn_left_ns; /* of a real-time task: the rest of its turn; 0: it goes behind those of its priority */
	uint64_t woken_run_ns; /* of a real-time task: its CPU time when it was last woken */
	struct timer alarm;    /* the deadline of task_block */

	int tid;                 /* no other task has this number */
	struct number *number;   /* the tid's entry in the table of numbers (number.h) */
	uint64_t refs;           /* references: one while the task lives, and those of task_get() */
	char name[TASK_NAME];    /* shown by ps: the program's name, or that of prctl(PR_SET_NAME) */
	struct process *process; /* a reference; NULL: a kernel task, or one that has ended */
	struct link in_process;  /* in the process's list of tasks */
	struct task_rights rights;

	uint64_t clear_child_tid;    /* user address: at the task's end set to 0 and woken as a futex; 0: none */
	uint64_t set_child_tid;      /* user address: gets the tid when the task starts; 0: none */
	struct task_restart restart; /* for restart_syscall(2) */
	struct task_futexes futexes;
	struct task_keys keys;
	uint64_t run_ns;     /* CPU time up to the last switch to another task */
	uint64_t started_ns; /* when the task last got the CPU */
	uint64_t start_ns;   /* when the task was made */
	uint64_t divided_ns; /* CPU time when it was last divided into user and system time; guard: task_lock */
	uint64_t system_ns;  /* the part of divided_ns that was spent in the kernel; guard: task_lock */
	uint64_t left[2];    /* how often the task left the CPU: [0] to wait, [1] runnable; guard: task_lock */
	uint64_t faults;     /* page faults served for the task */
	uint64_t slack_ns, slack_default_ns; /* PR_SET_TIMERSLACK: without effect, since timers are never late */
	uint32_t personality, io_priority, memory_policy; /* of personality(2), ioprio_set(2), set_mempolicy(2) */
	struct late_work *late;      /* list of the work to do before the task returns to user mode (late.h) */
	struct process *vfork_child; /* the child that the task's vfork(2) waits for; NULL: none */
	struct self_write self_write;
};

_Static_assert(offsetof(struct task, signals.wanted) == TASK_SIGNALS_WANTED, "the entry code");
_Static_assert(offsetof(struct task, signals.refused) == TASK_SIGNALS_WANTED + 1, "the entry code");

/* Return the task that runs on this CPU; NULL before task_init(). */
static inline struct task *task_current(void)
{
	return this_cpu->current;
}

/* Return the frame with user mode's registers while the task is in the kernel: it is at the top of the kernel stack. */
static inline struct trap_frame *task_frame(const struct task *task)
{
	return (struct trap_frame *)(task->stack + KERNEL_STACK_SIZE) - 1;
}

/*
 * Make the code that runs now the first task, a kernel task on the boot stack. Call when the heap, timers and the clock
 * work. Panics when there is no memory.
 */
void task_init(void);

/*
 * Create a task with a stack and a tid, with one reference, not started, without a process. `fpu`: whether it will run
 * a program. The caller sets the other fields and calls task_start_user() or task_start_kernel(), or task_destroy().
 * Returns 0, -ENOMEM, or -EAGAIN (no tid is free).
 */
int task_create(const char *name, bool fpu, struct task **ret);

/* Free the stack and the number of a task that has ended or never started, and drop its reference to itself. */
void task_destroy(struct task *task);

/* Set the code at which programs' tasks begin; it finishes the switch and returns to user mode. Call once, at boot. */
void task_set_user_entry(const char *entry);
/* Start the task in user mode, with the registers in task_frame(task), which the caller sets before. */
void task_start_user(struct task *task);
/* Start the task at `function(argument)`, in the kernel context; when that returns, the task ends. */
void task_start_kernel(struct task *task, void (*function)(void *argument), void *argument);

/* How many tasks there ever were, not counting the first. Guard: tasks only, which the kernel does not preempt. */
extern uint64_t task_count_made;

/*
 * Wake a task that is blocked. A task that is about to block (after task_block_prepare()) then does not block. Tasks in
 * other states go on as before. Interrupt handlers may call this.
 */
void task_wake(struct task *task);
/* Do task_wake(), where interrupts are off. */
void task_wake_off(struct task *task);

/*
 * Wake a task that is blocked or is stopped by a signal, so that it checks again whether it must wait. task_go_on()
 * wakes only a stopped task. Interrupt handlers may call these.
 */
void task_wake_stopped(struct task *task);
void task_go_on(struct task *task);

/* Give up the CPU and stay ready. Call with interrupts on, with the page tables of the task's process loaded. */
void task_yield(void);    /* a real-time task goes behind those of its priority */
void task_give_cpu(void); /* a real-time task stays before those of its priority */

/* End the current task; the next task frees its stack and number. task->process must be NULL. */
__attribute__((noreturn)) void task_exit(void);

/* Get or set the current task's FS or GS base in user mode: arch_prctl(2). */
uint64_t task_get_fs_base(void);
uint64_t task_get_gs_base(void);
void task_set_fs_base(uint64_t base);
void task_set_gs_base(uint64_t base);

/* Give `task` another tid, a number in use that no other task has: after execve(2) the only thread's tid is the pid. */
void task_set_tid(struct task *task, int tid);

/* Return the task's CPU time. */
static inline uint64_t task_run_ns(const struct task *task)
{
	return task->run_ns + (task->cpu->current == task ? clock_monotonic_ns() - task->started_ns : 0);
}
