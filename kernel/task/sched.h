/*
 * The scheduler: which task runs next. Real-time tasks (SCHED_FIFO, SCHED_RR) run before all others, the highest
 * priority first, but leave others a share of the time (rt_share.h). For other tasks nice values are weights
 * (fair_queue.h), and tasks of equal nice value take turns. A turn is ended by a timer, which runs only while another
 * task is ready; with no task ready the CPU halts.
 */
#pragma once

#include "kernel/sync/lock.h"
#include "kernel/task/rt_share.h"
#include "kernel/task/task.h"

#define SCHED_SLICE_NS 10000000ULL  /* length of a turn */
#define RT_TURN_NS     100000000ULL /* rt_settings.turn_ns at first */

/* Guards the run queues, and the fields of struct task that say so: state, sched, queued, … */
extern struct lock task_lock;

/*
 * Switch to the next task; returns when it is the current task's turn again. The caller sets the current task's state
 * (TASK_RUNNABLE: it stays ready), and holds task_lock and no other lock; the task that is switched to takes task_lock
 * over. Call with the page tables of the current task's process loaded.
 */
void sched_switch(void);

/*
 * Idle: what a CPU's idle task does for ever. The CPU halts, without the kernel lock, until another task is to run.
 * Call without the kernel lock, with interrupts on or off.
 */
__attribute__((noreturn)) void sched_idle(void);

/* Statistics since the boot. Guard: task_lock. */
struct sched_counts {
	uint64_t switches; /* how often the CPU went from one task to another */
	unsigned ready;    /* how many tasks are in the run queues now */
};

extern struct sched_counts sched_counts;

/*
 * Return whether no other task waits for this CPU. Needs no lock: another CPU may give it a task at any moment, and
 * then also sets its switch_wanted.
 */
bool sched_is_alone(void);

/* Return for how long a CPU has been idle; for NULL: all CPUs together. */
uint64_t sched_idle_ns(const struct percpu *cpu);

/* Put a task into the run queue; its state must be TASK_RUNNABLE. The caller holds task_lock. */
void sched_ready(struct task *task);

/*
 * Set a task's scheduling parameters. A real-time task that waits for the CPU goes before those of its new priority if
 * that is lower than the old one, and otherwise behind them. Takes task_lock.
 */
void sched_set(struct task *task, const struct task_sched *sched);

/*
 * Schedule a task by at least this real-time priority, whatever its own parameters are, until the next call; 0: by its
 * own. What the task was lent is not inherited by those that it makes. Takes task_lock.
 */
void sched_lend(struct task *task, int priority);

/*
 * Let a task run only on the CPUs of the set, at least one of which must have been started. A task that is on another
 * CPU leaves that CPU before its next instruction in user mode. Takes task_lock.
 */
void sched_set_cpus(struct task *task, const struct cpu_set *cpus);

/* Have a task that runs in user mode on another CPU come into the kernel, to see what is wanted of it. */
void task_kick(const struct task *task);

/* The settings for real-time tasks in /proc/sys/kernel (sched_rt_period_us and the like). Guard: task_lock. */
struct rt_settings {
	struct rt_allowance allowance;
	uint64_t turn_ns; /* length of SCHED_RR's turns that begin from now on */
};

extern struct rt_settings rt_settings;

/*
 * Set the function that checks RLIMIT_RTTIME. While a real-time task runs whose process has that limit, the scheduler
 * calls `ran` from time to time, in a timer's interrupt, without a lock; ns: how long the task has run since it was
 * last woken. Call once, before the first process.
 */
void sched_set_rt_ran(void (*ran)(struct process *process, uint64_t ns));

/* Make a change of rt_settings, or of the current process's RLIMIT_RTTIME, take effect at once. Takes task_lock. */
void sched_look(void);

/*
 * Have the current task destroyed (task_destroy) by the task that the next sched_switch() switches to. The caller holds
 * task_lock, and does not run again.
 */
void sched_bury(struct task *task);

/*
 * Whether the system calls of all tasks go through syscall_run(), which measures their time. Guard: tasks only, which
 * the kernel does not preempt.
 */
extern bool task_calls_by_c;
void task_set_calls_by_c(bool by_c);
