/*
 * The run queues as the files of the scheduler share them: sched.c, which chooses and switches; sched_rt.c, which watches over
 * real-time tasks; sched_set.c, which changes how a task is scheduled.
 */
#pragma once

#include "kernel/arch/percpu.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/likely.h"
#include "kernel/task/rt_queue.h"
#include "kernel/task/rt_share.h"
#include "kernel/task/sched.h"

/* What each CPU has: the tasks that are ready for it, and the turn that it has begun. Guard: task_lock. */
struct cpu_queues {
	struct fair_queue ready;
	struct timer slice;    /* ends the turn of a task of the fair queue, while another one waits there */
	bool slice_runs;       /* `slice` has been started and has not rung */
	unsigned rt_tasks;     /* real-time tasks that are ready or run here */
	struct rt_queue rt;    /* real-time tasks that are ready */
	struct rt_share share; /* how much of the time real-time tasks have had */
	struct timer rt_timer; /* rings when rt_watch() has something to look at */
	struct task *dead; /* a task that has been left for good and whose memory is still to be freed; NULL: none */
};

extern PER_CPU struct cpu_queues cpu_queues;

static inline bool is_rt(const struct task *task)
{
	return task->rank < 0;
}

/* End the turn, in time, of a task of the fair queue that has the CPU since `started_ns`. The caller holds task_lock. */
static inline void start_slice(struct cpu_queues *cpu, uint64_t started_ns)
{
	if (cpu->slice_runs)
		return;
	cpu->slice_runs = true;
	timer_start(&cpu->slice, time_add(started_ns, SCHED_SLICE_NS));
}

/* Put a task into its queue. The caller holds task_lock. */
static inline void run_queue_add(struct cpu_queues *cpu, struct task *task)
{
	if (unlikely(is_rt(task)))
		rt_queue_add_last(&cpu->rt, &task->ready, (unsigned)task->sched.rt_priority);
	else
		fair_add(&cpu->ready, &task->ready, (unsigned)task->rank);
	task->queued = true;
	sched_counts.ready++;
}

/* Take a task out of its queue. The caller holds task_lock. */
static inline void run_queue_remove(struct cpu_queues *cpu, struct task *task)
{
	if (is_rt(task))
		rt_queue_remove(&cpu->rt, &task->ready, (unsigned)task->sched.rt_priority);
	else
		fair_remove(&cpu->ready, &task->ready, (unsigned)task->rank);
	task->queued = false;
	sched_counts.ready--;
}

/* The caller of each function below holds task_lock, but of rt_rings(). */

/* Let a task that has come to its queue run at once, or see to it that its turn will come. */
void run_queue_make_room(struct cpu_queues *cpu, const struct task *task);

/*
 * Return when real-time tasks will have had their share, if `task`, which runs and is perhaps one of them, goes on. Not after
 * `now`: they have had it.
 */
uint64_t rt_share_runs_out(const struct cpu_queues *cpu, const struct task *task, uint64_t now);

/* Put a real-time task that has become ready behind its equals. */
void rt_ready(struct cpu_queues *cpu, struct task *task);

/*
 * Take leave of a real-time task that has run since started_ns, and is not in its queue. If it is runnable it goes there:
 * to where it was, or behind its equals when its turn is over.
 */
void rt_leave(struct cpu_queues *cpu, struct task *task, uint64_t now);

/* Note that there is one more real-time task that is ready or runs. */
void rt_begins(struct cpu_queues *cpu);

/* Let rt_timer ring when `task`, which runs or is about to, may have to leave the CPU on account of real-time tasks. */
void rt_watch(struct cpu_queues *cpu, const struct task *task, uint64_t now);

/* rt_timer's `fire`. */
void rt_rings(struct timer *timer);
