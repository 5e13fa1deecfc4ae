/*
 * Chooses the task that runs next, and switches to it. A turn is a time slice: how long a task may run while others
 * wait.
 */
#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_state.h"
#include "kernel/arch/cpus.h"
#include "kernel/arch/features.h"
#include "kernel/arch/fpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/switch.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/sync/kernel_lock.h"
#include "kernel/task/balance.h"
#include "kernel/task/fair_interrupt.h"
#include "kernel/task/load_average.h"
#include "kernel/task/process.h"
#include "kernel/task/ptrace_debug.h"
#include "kernel/task/run_queues.h"
#include "kernel/task/usage.h"

void task_entered(void);
void task_entered_kernel(void);

/*
 * Return whether `task`, which has become ready, ends the turn of `current` at once; task->rank must be below
 * current->rank. A real-time task ends the turn, unless `current` is not real-time and real-time tasks have used up
 * their share. A task that is not real-time ends the turn if `current` is SCHED_IDLE, or if the tasks of its nice value
 * have had less than their share (fair_goes_first); a SCHED_BATCH task only if `current` is SCHED_IDLE.
 */
static bool goes_first(const struct cpu_queues *cpu, const struct task *task, const struct task *current)
{
	uint64_t now = clock_monotonic_ns();

	if (current->rank == RANK_IDLE)
		return true;
	if (is_rt(task))
		return is_rt(current) || rt_share_runs_out(cpu, current, now) > now;
	if (task->sched.policy == SCHED_BATCH || current->rank == FAIR_IDLE)
		return current->rank == FAIR_IDLE;
	return fair_goes_first(&cpu->ready, (unsigned)task->rank, (unsigned)current->rank, now - current->started_ns);
}

/*
 * Call after `task` was added to its queue. Makes the CPU switch at once if `task` goes before the current task;
 * otherwise starts the timer that ends the current task's turn, or interrupts it as soon as `task` goes first.
 */
static inline void make_room(struct cpu_queues *cpu, const struct task *task)
{
	const struct task *current = task->cpu->current;

	if (task->rank < current->rank && goes_first(cpu, task, current)) {
		want_switch(cpu);
		cpu->interrupted = current;
	} else if (unlikely(cpu->rt_tasks)) {
		rt_watch(cpu, current, clock_monotonic_ns());
	} else {
		start_slice(cpu, current->started_ns);
		if (task->rank < current->rank && current->rank < FAIR_IDLE && task->sched.policy != SCHED_BATCH)
			watch_less_nice(cpu, current);
	}
}

void run_queue_make_room(struct cpu_queues *cpu, const struct task *task)
{
	make_room(cpu, task);
}

void sched_ready(struct task *task)
{
	struct cpu_queues *cpu;

	lock_assert_held(&task_lock);
	if (unlikely(cpu_count > 1))
		task->cpu = balance_choose(task);
	cpu = queues_of(task->cpu);
	ASSERT(!task->queued && task->state == TASK_RUNNABLE);
	if (unlikely(is_rt(task)))
		rt_ready(cpu, task);
	else
		fair_add(&cpu->ready, &task->ready, (unsigned)task->rank);
	task->queued = true;
	sched_counts.ready++;
	make_room(cpu, task);
}

static struct task *task_of(struct run_node *node)
{
	return (struct task *)((char *)node - offsetof(struct task, ready));
}

/* Return the task of `node`, which has just been removed from a run queue; its `queued` becomes false. */
static struct task *taken(struct run_node *node)
{
	struct task *task = task_of(node);

	task->queued = false;
	sched_counts.ready--;
	return task;
}

/* Save the user registers that are not in the trap frame: the FPU's, and the bases of FS and GS. */
static void save_user_state(struct task *task, bool fsgsbase)
{
	fpu_save(task->fpu);
	/* Without FSGSBASE only system calls change the bases, and they also set the task's fields. */
	if (fsgsbase) {
		task->fs_base = cpu_rdfsbase();
		task->gs_base = cpu_read_msr(MSR_KERNEL_GS_BASE);
	}
}

static void load_user_state(struct task *task, bool fsgsbase)
{
	fpu_restore(task->fpu);
	if (fsgsbase)
		cpu_wrfsbase(task->fs_base);
	else
		cpu_write_msr(MSR_FS_BASE, task->fs_base);
	cpu_write_msr(MSR_KERNEL_GS_BASE, task->gs_base);
}

/*
 * Finish a switch, on the new task's stack: free the previous task, if it has ended. task_lock is held: the previous
 * task took it.
 */
static void task_arrives(void)
{
	struct task *task = per_cpu(cpu_queues).dead;

	if (likely(!task))
		return;
	per_cpu(cpu_queues).dead = NULL;
	lock_release_off(&task_lock);
	task_destroy(task);
	lock_take_off(&task_lock);
}

static void switch_to(struct task *from, struct task *to)
{
	/*
	 * Read the field directly: cpu_features() would test at each switch whether the CPU was asked, as it was long
	 * ago.
	 */
	const bool fsgsbase = cpu_features_found.fsgsbase;

	ASSERT(!from->process || from->state == TASK_DEAD || context_is_loaded(&from->process->space->context));
	if (!from->fpu) {
		if (to->fpu)
			usage_tick_start();
	} else if (from->state != TASK_DEAD) {
		save_user_state(from, fsgsbase);
	}
	this_cpu->current = to;
	this_cpu->calls_by_c = to->rights.calls_by_c | task_calls_by_c;
	if (unlikely(this_cpu->calls_by_c))
		ptrace_load_debug(to);
	if (to->fpu) {
		percpu_set_kernel_stack(to->stack + KERNEL_STACK_SIZE);
		context_load(&to->process->space->context);
		load_user_state(to, fsgsbase);
	} else {
		context_load(&kernel_context);
	}
	stack_switch(&from->sp, to->sp);
	task_arrives();
}

/* Tell the debug build's check for tasks that keep the CPU too long (stop_watch.h) that `task` has the CPU again. */
static void begin_turn(const struct task *task)
{
	stop_watch_turn(task->process ? task_frame(task) : NULL);
}

/* Finish the switch to a task that runs for the first time, and so does not return into sched_switch(). */
void task_entered(void)
{
	task_arrives();
	begin_turn(task_current());
	lock_release_off(&task_lock);
}

/* Do task_entered() for a kernel task, and turn interrupts on. */
void task_entered_kernel(void)
{
	task_entered();
	irq_open();
}

void sched_bury(struct task *task)
{
	struct cpu_queues *cpu = per_cpu_pointer(cpu_queues);

	ASSERT(!cpu->dead);
	cpu->dead = task;
}

/* Start the timers that end the turn of `to`, which runs next. */
static void watch_turn(struct cpu_queues *cpu, const struct task *to, uint64_t now)
{
	if (cpu->ready.waiting && !is_rt(to)) {
		start_slice(cpu, now);
		if (cpu->ready.waiting & ((1ULL << to->rank) - 1))
			watch_less_nice(cpu, to);
	}
	if (cpu->rt_tasks)
		rt_watch(cpu, to, now);
}

/* Let the turn of `to`, which is fair and was interrupted, go on at `now`: only the rest of it is left. */
static void resume_turn(struct cpu_queues *cpu, const struct task *to, uint64_t now)
{
	cpu->resumed.task = to;
	cpu->resumed.since_ns = now;
	cpu->resumed.turn_ns = cpu->ready.turn_ns;
	/* Start the timer anew: it may be running for another task's turn, which would end later. */
	timer_cancel(&cpu->slice);
	cpu->slice_runs = false;
	start_slice(cpu, now - cpu->ready.turn_ns);
}

/* Put `from`, the current task, which is fair and still runnable, into the queue. */
static void put_back(struct cpu_queues *cpu, struct task *from, uint64_t now)
{
	const uint64_t turn_ns = turn_length(cpu, from, now);

	if (cpu->interrupted == from && turn_ns < SCHED_SLICE_NS)
		fair_add_interrupted(&cpu->ready, &from->ready, (unsigned)from->rank, turn_ns);
	else
		fair_add(&cpu->ready, &from->ready, (unsigned)from->rank);
}

/* Remove and return the task to run next, and begin its turn at `now`. NULL: no task is ready. */
static struct task *take_turn(struct cpu_queues *cpu, uint64_t now)
{
	struct task *to = run_queue_take(cpu, now);

	if (unlikely(cpu_count > 1))
		to = balance_take(cpu, to);
	cpu->interrupted = NULL;
	/* watch_turn() reads started_ns, so set it before: sched_switch() does so only later. */
	if (to) {
		to->started_ns = now;
		if (!is_rt(to) && cpu->ready.turn_ns && cpu->ready.waiting)
			resume_turn(cpu, to, now);
		watch_turn(cpu, to, now);
	}
	return to;
}

/* Choose the task to run next after the idle task: NULL when none is ready. */
static struct task *next_after_idle(struct cpu_queues *cpu, uint64_t now)
{
	struct task *to = take_turn(cpu, now);

	load_sample(now, 0);
	return to ? to : cpu->idle;
}

/* Return whether `from`, the current task, may no longer run on this CPU. On the only CPU every task may run. */
static inline bool must_move(const struct cpu_queues *cpu, const struct task *from)
{
	return unlikely(cpu_count > 1) && !may_run_on(from, cpu->cpu);
}

/*
 * Put `from`, the current task, which may no longer run on this CPU, into the queue of another one. That CPU cannot run
 * it before this one has left it, since this one holds the kernel lock.
 */
static struct task *move_away(struct cpu_queues *cpu, struct task *from, uint64_t now)
{
	struct task *to;

	if (is_rt(from))
		cpu->rt_tasks--;
	sched_ready(from);
	to = take_turn(cpu, now);
	return to ? to : cpu->idle;
}

/*
 * Choose the task to run next, and remove it from the queue; `from`, the current task, is added to the queue if it is
 * still runnable. Returns the idle task when no task is ready.
 */
static struct task *next_task(struct cpu_queues *cpu, struct task *from, uint64_t now)
{
	unsigned level = (unsigned)from->rank;
	struct task *to;

	/*
	 * The most common case, made as cheap as possible: there are no real-time tasks, and only tasks with from's
	 * nice value wait, which take turns.
	 */
	if (likely(!cpu->rt_tasks) && fair_only_waits(&cpu->ready, level)) {
		if (from->state != TASK_RUNNABLE) {
			load_sample(now, sched_counts.ready);
			to = taken(fair_take_from(&cpu->ready, level));
			if (cpu->ready.waiting)
				start_slice(cpu, now);
			return to;
		}
		if (must_move(cpu, from))
			return move_away(cpu, from, now);
		to = task_of(fair_rotate(&cpu->ready, &from->ready, level));
		from->queued = true;
		to->queued = false;
		start_slice(cpu, now);
		load_sample(now, sched_counts.ready + 1);
		return to;
	}
	if (from == cpu->idle)
		return next_after_idle(cpu, now);
	if (from->state == TASK_RUNNABLE && must_move(cpu, from))
		return move_away(cpu, from, now);
	if (unlikely(is_rt(from))) {
		rt_leave(cpu, from, now);
	} else {
		fair_charge(&cpu->ready, level, now - from->started_ns);
		if (from->state == TASK_RUNNABLE)
			put_back(cpu, from, now);
	}
	if (from->state == TASK_RUNNABLE) {
		from->queued = true;
		sched_counts.ready++;
	}
	load_sample(now, sched_counts.ready);
	to = take_turn(cpu, now);
	return to ? to : cpu->idle;
}

void sched_switch(void)
{
	struct cpu_queues *cpu = per_cpu_pointer(cpu_queues);
	struct task *from = task_current(), *to;
	uint64_t now = clock_monotonic_ns();

	lock_check_only(&task_lock, "a task is left");
#if DEBUG
	ASSERT(!this_cpu->copying);
#endif
	stop_watch_turn_ends(IRQ_HERE);
	from->run_ns += now - from->started_ns;
	to = next_task(cpu, from, now);
	to->started_ns = now;
	this_cpu->switch_wanted = false;
	if (to != from) {
		from->left[from->state == TASK_RUNNABLE]++;
		sched_counts.switches++;
		switch_to(from, to);
	}
	begin_turn(from);
}

void sched_idle(void)
{
	for (;;) {
		irq_close();
		while (!this_cpu->switch_wanted) {
			stop_watch_on();
			cpu_interrupts_on_and_halt();
			irq_close();
		}
		irq_open();
		kernel_enter();
		lock_take_on(&task_lock);
		sched_switch();
		lock_release_on(&task_lock);
		kernel_leave();
	}
}
