/*
 * The run queues and the switch. Knows no process but for the context that its tasks run in.
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

struct run_queue {
	struct task *first, **end;
};

static void slice_over(struct timer *timer);

struct lock task_lock = LOCK_INITIAL(LOCK_TASKS);

/* Who waits for a CPU, and what it has begun. task_lock. */
static PER_CPU struct cpu_queues {
	struct run_queue queues[TASK_PRIORITIES];
	uint64_t ready_mask; /* of priorities with somebody in their queue */
	struct timer slice;  /* ends the current task's turn, when another waits */
	bool slice_runs;     /* `slice` is started */
	struct task *dead;   /* left for good, still to be given back */
} cpu_queues = { .slice = { .fire = slice_over } };

struct sched_counts sched_counts;

_Static_assert(TASK_PRIORITIES <= 64, "a bit for each");

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
	if (cpu->ready_mask && clock_monotonic_ns() - task_current()->started_ns >= SCHED_SLICE_NS)
		this_cpu->switch_wanted = true;
	else if (cpu->ready_mask)
		start_slice(cpu);
	lock_release_off(&task_lock);
}

void sched_ready(struct task *task)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);
	struct run_queue *queue = &cpu->queues[task->priority];

	lock_assert_held(&task_lock);
	ASSERT(!task->queued && task->state == TASK_RUNNABLE);
	if (!queue->first)
		queue->end = &queue->first;
	task->next_ready = NULL;
	*queue->end = task;
	queue->end = &task->next_ready;
	task->queued = true;
	sched_counts.ready++;
	cpu->ready_mask |= 1ULL << task->priority;
	if (task->priority < task_current()->priority)
		this_cpu->switch_wanted = true;
	else
		start_slice(cpu);
}

/* `link` points at the task in its queue. */
static void unlink_ready(struct cpu_queues *cpu, struct run_queue *queue, struct task **link)
{
	struct task *task = *link;

	*link = task->next_ready;
	if (!task->next_ready)
		queue->end = link;
	if (!queue->first)
		cpu->ready_mask &= ~(1ULL << task->priority);
	task->queued = false;
	sched_counts.ready--;
}

void sched_unready(struct task *task)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);
	struct run_queue *queue = &cpu->queues[task->priority];
	struct task **link = &queue->first;

	if (!task->queued)
		return;
	while (*link != task)
		link = &(*link)->next_ready;
	unlink_ready(cpu, queue, link);
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

static struct task *take_ready(void)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);
	struct run_queue *queue;
	struct task *task;

	if (!cpu->ready_mask)
		return NULL;
	queue = &cpu->queues[__builtin_ctzll(cpu->ready_mask)];
	task = queue->first;
	unlink_ready(cpu, queue, &queue->first);
	return task;
}

/* User mode's registers that the frame does not hold. */
static void save_user_state(struct task *task)
{
	fpu_save(task->fpu);
	/* Without FSGSBASE only system calls set them, and those write both places. */
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

/* On the new task's stack, with task_lock held, which the task that was left has taken. */
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

/* Where a task's first run begins. */
void task_entered(void)
{
	task_arrives();
	lock_release_off(&task_lock);
}

void sched_bury(struct task *task)
{
	struct cpu_queues *cpu = &per_cpu(cpu_queues);

	ASSERT(!cpu->dead);
	cpu->dead = task;
}

void sched_switch(void)
{
	struct task *from = task_current(), *to;
	uint64_t now = clock_monotonic_ns();

	lock_check_only(&task_lock, "a task is left");
#if DEBUG
	ASSERT(!this_cpu->copying);
#endif
	this_cpu->switch_wanted = false;
	from->run_ns += now - from->started_ns;
	if (from->state == TASK_RUNNABLE)
		sched_ready(from);
	load_sample(now, sched_counts.ready);
	to = take_ready();
	while (!to) {
		uint64_t asleep = now;

		/* Asleep on the stack of the task that has nothing to do: its own wake-up ends this too. */
		lock_release_off(&task_lock);
		cpu_interrupts_on_and_halt();
		irq_close();
		lock_take_off(&task_lock);
		to = take_ready();
		now = clock_monotonic_ns();
		sched_counts.idle_ns += now - asleep;
		load_sample(now, 0);
	}
	to->started_ns = now;
	this_cpu->switch_wanted = false;
	if (to == from)
		return;
	to->switches++;
	sched_counts.switches++;
	switch_to(from, to);
}
