/*
 * The run queues and the switch between tasks.
 */
#include "kernel/task/sched.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_state.h"
#include "kernel/arch/features.h"
#include "kernel/arch/fpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/switch.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/task/load_average.h"
#include "kernel/task/process.h"

void task_entered(void);

static void slice_over(struct timer *timer);

struct lock task_lock = LOCK_INITIAL(LOCK_TASKS);

/* The state of each CPU's scheduler: its ready tasks, and the timer of the current task's turn. Guard: task_lock. */
static PER_CPU struct cpu_queues {
	struct fair_queue ready;
	struct timer slice; /* ends the current task's turn, while another task waits */
	bool slice_runs;    /* `slice` has been started and has not fired */
	struct task *dead;  /* a task that has ended, and whose stack the next task must free; NULL: none */
} cpu_queues = { .slice = { .fire = slice_over } };

struct sched_counts sched_counts;

static void start_slice(struct cpu_queues *cpu)
{
	if (cpu->slice_runs)
		return;
	cpu->slice_runs = true;
	timer_start(&cpu->slice, time_add(task_current()->started_ns, SCHED_SLICE_NS));
}

static void slice_over(struct timer *timer)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);

	(void)timer;
	lock_take_off(&task_lock);
	cpu->slice_runs = false;
	if (cpu->ready.waiting && clock_monotonic_ns() - task_current()->started_ns >= SCHED_SLICE_NS)
		this_cpu->switch_wanted = true;
	else if (cpu->ready.waiting)
		start_slice(cpu);
	lock_release_off(&task_lock);
}

/*
 * Return whether `task`, which has become ready, ends the current task's turn at once: only if it is less nice and its
 * level has had less than its share (fair_goes_first). Tasks of equal nice value wait until the turn ends.
 */
static bool goes_first(const struct cpu_queues *cpu, const struct task *task)
{
	const struct task *current = task_current();

	return task->priority < current->priority &&
	       fair_goes_first(&cpu->ready, (unsigned)task->priority, (unsigned)current->priority,
			       clock_monotonic_ns() - current->started_ns);
}

void sched_ready(struct task *task)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);

	lock_assert_held(&task_lock);
	ASSERT(!task->queued && task->state == TASK_RUNNABLE);
	fair_add(&cpu->ready, &task->ready, (unsigned)task->priority);
	task->queued = true;
	sched_counts.ready++;
	if (goes_first(cpu, task))
		this_cpu->switch_wanted = true;
	else
		start_slice(cpu);
}

void sched_unready(struct task *task)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);

	if (!task->queued)
		return;
	fair_remove(&cpu->ready, &task->ready, (unsigned)task->priority);
	task->queued = false;
	sched_counts.ready--;
}

void sched_set_priority(struct task *task, int priority)
{
	uint64_t flags = lock_take(&task_lock);
	bool queued = task->queued;

	sched_unready(task);
	task->priority = priority;
	if (queued)
		sched_ready(task);
	lock_release(&task_lock, flags);
}

static struct task *task_of(struct fair_node *node)
{
	return (struct task *)((char *)node - offsetof(struct task, ready));
}

/* Return the task of `node`, which has been removed from the queue, and mark it so. */
static struct task *taken(struct fair_node *node)
{
	struct task *task = task_of(node);

	task->queued = false;
	sched_counts.ready--;
	return task;
}

static struct task *take_ready(struct cpu_queues *cpu)
{
	struct fair_node *node = fair_take(&cpu->ready);

	return node ? taken(node) : NULL;
}

/* Save the user registers that are not in the trap frame: the FPU's, and the bases of FS and GS. */
static void save_user_state(struct task *task)
{
	fpu_save(task->fpu);
	/* Without FSGSBASE only system calls change the bases, and they also set the task's fields. */
	if (cpu_features()->fsgsbase) {
		task->fs_base = cpu_rdfsbase();
		task->gs_base = cpu_read_msr(MSR_KERNEL_GS_BASE);
	}
}

static void load_user_state(struct task *task)
{
	fpu_restore(task->fpu);
	if (cpu_features()->fsgsbase)
		cpu_wrfsbase(task->fs_base);
	else
		cpu_write_msr(MSR_FS_BASE, task->fs_base);
	cpu_write_msr(MSR_KERNEL_GS_BASE, task->gs_base);
}

/*
 * Finish a switch, on the new task's stack: free the task before, if it has ended. The caller holds task_lock, which
 * the task before took.
 */
static void task_arrives(void)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);
	struct task *task = cpu->dead;

	cpu->dead = NULL;
	if (!task)
		return;
	lock_release_off(&task_lock);
	task_destroy(task);
	lock_take_off(&task_lock);
}

static void switch_to(struct task *from, struct task *to)
{
	ASSERT(!from->process || from->state == TASK_DEAD || context_is_loaded(&from->process->space->context));
	if (from->fpu && from->state != TASK_DEAD)
		save_user_state(from);
	this_cpu->current = to;
	if (to->fpu) {
		percpu_set_kernel_stack(to->stack + KERNEL_STACK_SIZE);
		context_load(&to->process->space->context);
		load_user_state(to);
	} else {
		context_load(&kernel_context);
	}
	stack_switch(&from->sp, to->sp);
	task_arrives();
}

/* Tell the debug build's watch over long stops that the current task has the CPU again. */
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

void sched_bury(struct task *task)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);

	ASSERT(!cpu->dead);
	cpu->dead = task;
}

/*
 * Choose the task to run next, and remove it from the queue; `from`, the current task, is added to the queue if it is
 * still runnable. Returns NULL when no task is ready.
 */
static struct task *next_task(struct cpu_queues *cpu, struct task *from, uint64_t now)
{
	unsigned level = (unsigned)from->priority;
	struct task *to;

	/*
	 * The most common case, made as cheap as possible: only tasks with from's nice value wait, and they take turns.
	 */
	if (fair_only_waits(&cpu->ready, level)) {
		if (from->state != TASK_RUNNABLE) {
			load_sample(now, sched_counts.ready);
			return taken(fair_take_from(&cpu->ready, level));
		}
		to = task_of(fair_rotate(&cpu->ready, &from->ready, level));
		from->queued = true;
		to->queued = false;
		start_slice(cpu);
		load_sample(now, sched_counts.ready + 1);
		return to;
	}
	fair_charge(&cpu->ready, level, now - from->started_ns);
	if (from->state == TASK_RUNNABLE)
		sched_ready(from);
	load_sample(now, sched_counts.ready);
	return take_ready(cpu);
}

void sched_switch(void)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);
	struct task *from = task_current(), *to;
	uint64_t now = clock_monotonic_ns();

	lock_check_only(&task_lock, "a task is left");
#if DEBUG
	ASSERT(!this_cpu->copying);
#endif
	stop_watch_turn_ends(IRQ_HERE);
	this_cpu->switch_wanted = false;
	from->run_ns += now - from->started_ns;
	to = next_task(cpu, from, now);
	while (!to) {
		uint64_t asleep = now;

		/*
		 * There is no idle task: the CPU halts on the stack of `from`, until an interrupt makes a task ready,
		 * which may be `from` itself.
		 */
		lock_release_off(&task_lock);
		stop_watch_on();
		cpu_interrupts_on_and_halt();
		irq_close();
		lock_take_off(&task_lock);
		to = take_ready(cpu);
		now = clock_monotonic_ns();
		sched_counts.idle_ns += now - asleep;
		load_sample(now, 0);
	}
	to->started_ns = now;
	this_cpu->switch_wanted = false;
	if (to != from) {
		to->switches++;
		sched_counts.switches++;
		switch_to(from, to);
	}
	begin_turn(from);
}
