/*
 * Keeps each CPU's run queues: takes out the task that runs next, and ends the turns of tasks that are not real-time by
 * a timer. Which CPU's queue a task is added to is decided in balance.c.
 */
#include "kernel/task/run_queues.h"

#include "kernel/task/balance.h"
#include "kernel/task/fair_interrupt.h"

/*
 * For how long a task runs at the least before a less nice one interrupts it that has been ahead of its share: a task
 * that waits for that often would make the CPU switch at each few instructions otherwise.
 */
#define UNDISTURBED_NS 500000

struct sched_counts sched_counts;
struct lock task_lock = LOCK_INITIAL(LOCK_TASKS);

/* The run queues of each CPU. Guard: task_lock. */
PER_CPU struct cpu_queues cpu_queues;

static struct task *task_of(struct run_node *node)
{
	return (struct task *)((char *)node - offsetof(struct task, ready));
}

struct task *run_queue_take(struct cpu_queues *cpu, uint64_t now)
{
	struct run_node *node = NULL;
	struct task *task;

	if (cpu->rt.count &&
	    !(cpu->ready.waiting && rt_share_end(&cpu->share, &rt_settings.allowance, now, now) <= now))
		node = rt_queue_take(&cpu->rt);
	else
		node = fair_take(&cpu->ready);
	if (!node)
		return NULL;
	task = task_of(node);
	task->queued = false;
	sched_counts.ready--;
	return task;
}

/* Return for how long `task`, which is fair, may run before a less nice one that waits interrupts it. */
static uint64_t undisturbed_ns(const struct cpu_queues *cpu, const struct task *task)
{
	const uint64_t after = fair_soonest_first(&cpu->ready, (unsigned)task->rank);

	return after < UNDISTURBED_NS ? UNDISTURBED_NS : after;
}

void watch_less_nice(struct cpu_queues *cpu, const struct task *task)
{
	const uint64_t first_ns = time_add(task->started_ns, undisturbed_ns(cpu, task));

	/* An earlier deadline stays: look_at_turn() then calls this again. */
	if (first_ns < cpu->slice.deadline_ns)
		timer_start(&cpu->slice, first_ns);
}

/* Do what is due when `task`, which is fair and runs, has had the CPU for a while in which others waited. */
static void look_at_turn(struct cpu_queues *cpu, const struct task *task, uint64_t now)
{
	const uint64_t turn_ns = turn_length(cpu, task, now);

	if (undisturbed_ns(cpu, task) <= now - task->started_ns) {
		want_switch(cpu);
		cpu->interrupted = task;
	} else if (turn_ns < SCHED_SLICE_NS) {
		start_slice(cpu, now - turn_ns);
		watch_less_nice(cpu, task);
	} else if (cpu_count == 1 || !balance_turn_over(cpu, now) || cpu->ready.waiting) {
		want_switch(cpu);
	}
}

static void slice_over(struct timer *timer)
{
	struct cpu_queues *cpu = (struct cpu_queues *)((char *)timer - offsetof(struct cpu_queues, slice));
	const struct task *task = cpu->cpu->current;

	lock_take_off(&task_lock);
	cpu->slice_runs = false;
	if (cpu->ready.waiting && task != cpu->idle) {
		uint64_t now = clock_monotonic_ns();

		if (!is_rt(task)) {
			look_at_turn(cpu, task, now);
		} else if (cpu_count > 1) {
			(void)balance_turn_over(cpu, now);
			if (cpu->ready.waiting)
				start_slice(cpu, now);
		}
	}
	lock_release_off(&task_lock);
}

void run_queues_init(struct task *idle)
{
	struct cpu_queues *cpu = per_cpu_pointer(cpu_queues);

	cpu->cpu = per_cpu_pointer(percpu);
	cpu->idle = idle;
	cpu->slice.fire = slice_over;
	cpu->rt_timer.fire = rt_rings;
	idle->rank = RANK_IDLE;
	idle->cpu = cpu->cpu;
	idle->state = TASK_RUNNABLE;
}

bool sched_is_alone(void)
{
	const struct cpu_queues *cpu = per_cpu_pointer(cpu_queues);

	return !__atomic_load_n(&cpu->ready.waiting, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&cpu->rt_tasks, __ATOMIC_RELAXED);
}

uint64_t sched_idle_ns(const struct percpu *cpu)
{
	uint64_t sum = 0;

	CPUS_EACH(each)
		if (!cpu || cpu == each)
			sum += task_run_ns(queues_of(each)->idle);
	return sum;
}
