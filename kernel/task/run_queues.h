/*
 * The run queues, shared by the scheduler's files: sched.c chooses the next task and switches to it, balance.c chooses
 * the CPU, sched_rt.c limits real-time tasks, sched_set.c changes how a task is scheduled. A fair task is one that is
 * not real-time.
 */
#pragma once

#include "kernel/arch/percpu.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/cpu_calls.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/likely.h"
#include "kernel/task/rt_queue.h"
#include "kernel/task/rt_share.h"
#include "kernel/task/sched.h"

/* One CPU's ready tasks, and the timers of the current task's turn. Guard: task_lock. */
struct cpu_queues {
	struct percpu *cpu;      /* the CPU. Fixed when it starts */
	struct task *idle;       /* what it runs when it has nothing else to do. Fixed when it starts */
	struct fair_queue ready; /* fair tasks that are ready */
	struct timer slice;      /* ends the turn of a fair task, while another one waits */
	bool slice_runs;         /* `slice` has been started and has not fired */
	unsigned rt_tasks;       /* number of real-time tasks that are ready or run */
	struct rt_queue rt;      /* real-time tasks that are ready */
	struct rt_share share;   /* how long real-time tasks have run in this period */
	struct timer rt_timer;   /* fires when rt_rings() must check the current task; rt_watch() starts it */
	struct task *dead;       /* a task that has ended, and whose stack the next task must free; NULL: none */
	/*
	 * the fair task that runs, if one that goes first is ready: the rest of its turn follows. Never dereferenced
	 */
	const struct task *interrupted;
	struct {
		const struct task *task; /* never dereferenced */
		uint64_t since_ns;       /* the task's started_ns when its turn went on */
		uint64_t turn_ns;        /* how long the task's turn had lasted by then */
	} resumed;                       /* the fair task whose turn last went on after an interruption */
	unsigned look_at;                /* number of the CPU that balance.c looks at next for this one */
	uint32_t seed;                   /* balance.c's, for fair_skips() */
	uint64_t balanced_ns; /* when a waiting task was last moved from this CPU or to it, to share CPUs fairly */
};

extern PER_CPU struct cpu_queues cpu_queues;

/* All CPUs with tasks that wait for them, and some that have none any more. Guard: task_lock. */
extern struct cpu_set crowded_cpus;

/*
 * Make the run queues of this CPU ready for use, and let `idle` be its idle task, of which nobody else knows. Call once
 * on each CPU.
 */
void run_queues_init(struct task *idle);

/* The rank of idle tasks: every other task goes first. */
#define RANK_IDLE FAIR_LEVELS

static inline struct cpu_queues *queues_of(const struct percpu *cpu)
{
	return per_cpu_of(cpu, cpu_queues);
}

static inline bool may_run_on(const struct task *task, const struct percpu *cpu)
{
	return cpu_set_has(&task->may, cpu->number);
}

/* Make a CPU choose its task anew as soon as it can. The caller holds task_lock. */
static inline void want_switch(const struct cpu_queues *cpu)
{
	cpu->cpu->switch_wanted = true;
	if (unlikely(cpu->cpu->number != this_cpu->number))
		cpu_call_reschedule(cpu->cpu);
}

/* Remove and return the task of a CPU's queues that is to run next; NULL: none is ready. The caller holds task_lock. */
struct task *run_queue_take(struct cpu_queues *cpu, uint64_t now);

/*
 * Note that a task waits for a CPU while another one runs, so that other CPUs find it. The caller holds task_lock.
 */
static inline void balance_note_waiting(const struct cpu_queues *cpu)
{
	cpu_set_add(&crowded_cpus, cpu->cpu->number);
}

static inline bool is_rt(const struct task *task)
{
	return task->rank < 0;
}

/* Start the timer that ends the turn of a fair task, which runs since `started_ns`. The caller holds task_lock. */
static inline void start_slice(struct cpu_queues *cpu, uint64_t started_ns)
{
	if (cpu->slice_runs)
		return;
	cpu->slice_runs = true;
	balance_note_waiting(cpu);
	timer_start(&cpu->slice, time_add(started_ns, SCHED_SLICE_NS));
}

/*
 * Call after start_slice(), for a fair task that has the CPU since task->started_ns. Lets the timer fire earlier if a
 * less nice task that waits interrupts `task` before the end of the turn (fair_interrupt.h). task_lock is held.
 */
void watch_less_nice(struct cpu_queues *cpu, const struct task *task);

/*
 * Return how long the turn of the current task, `task`, has lasted, with its part before an interruption. The task must
 * be fair.
 */
static inline uint64_t turn_length(const struct cpu_queues *cpu, const struct task *task, uint64_t now)
{
	const bool resumed = cpu->resumed.task == task && cpu->resumed.since_ns == task->started_ns;
	const uint64_t ran_ns = now - task->started_ns;

	return resumed ? cpu->resumed.turn_ns + ran_ns : ran_ns;
}

/* Add a task to the run queue of its kind. The caller holds task_lock. */
static inline void run_queue_add(struct cpu_queues *cpu, struct task *task)
{
	if (unlikely(is_rt(task))) {
		rt_queue_add_last(&cpu->rt, &task->ready, (unsigned)-task->rank);
		balance_note_waiting(cpu);
	} else {
		fair_add(&cpu->ready, &task->ready, (unsigned)task->rank);
	}
	task->queued = true;
	sched_counts.ready++;
}

/* Remove a task from its run queue. The caller holds task_lock. */
static inline void run_queue_remove(struct cpu_queues *cpu, struct task *task)
{
	if (is_rt(task))
		rt_queue_remove(&cpu->rt, &task->ready, (unsigned)-task->rank);
	else
		fair_remove(&cpu->ready, &task->ready, (unsigned)task->rank);
	task->queued = false;
	sched_counts.ready--;
}

/* Call each function below with task_lock held, except rt_rings(). */

/* Call after `task` was added to its queue: switches if it goes first, otherwise starts the turn's timer. */
void run_queue_make_room(struct cpu_queues *cpu, const struct task *task);

/*
 * Return when real-time tasks will have used up their share, if the current task, `task`, goes on running. A result of
 * `now` or less: they have used it up.
 */
uint64_t rt_share_runs_out(const struct cpu_queues *cpu, const struct task *task, uint64_t now);

/* Add a real-time task that has become ready to the queue, behind those of its priority. */
void rt_ready(struct cpu_queues *cpu, struct task *task);

/*
 * Call when the CPU switches away from the current task, `task`, which is real-time. Adds its run to cpu->share; if the
 * task is runnable, adds it to the queue: before the others of its priority, or behind them if its turn is over.
 */
void rt_leave(struct cpu_queues *cpu, struct task *task, uint64_t now);

/* Count one more real-time task that is ready or runs. */
void rt_begins(struct cpu_queues *cpu);

/* Start rt_timer for the moment when rt_rings() must check whether `task`, which runs or will run next, may go on. */
void rt_watch(struct cpu_queues *cpu, const struct task *task, uint64_t now);

/* Called when rt_timer fires: check whether the current task may go on, and RLIMIT_RTTIME. Takes task_lock. */
void rt_rings(struct timer *timer);
