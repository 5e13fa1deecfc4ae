/*
 * Makes, starts, wakes and ends tasks; lets them wait; finds them by number. sched.c decides which task gets the CPU.
 */
#include "kernel/task/task.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_state.h"
#include "kernel/arch/features.h"
#include "kernel/arch/fpu.h"
#include "kernel/arch/switch.h"
#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sync/kernel_lock.h"
#include "kernel/task/balance.h"
#include "kernel/task/find.h"
#include "kernel/task/number.h"
#include "kernel/task/rights.h"
#include "kernel/task/sched.h"
#include "kernel/task/usage.h"
#include "kernel/task/wait_until.h"

#define VISITS 128 /* numbers that task_visit_some() looks at in one call */

extern const char task_enter_kernel[];

/* The address where a program's task begins its first run; user_traps_init() sets it. Fixed after boot. */
static const char *user_entry;

uint64_t task_count_made; /* guard: tasks only, which the kernel does not preempt */
bool task_calls_by_c;     /* guard: tasks only, which the kernel does not preempt */
static struct cache task_cache;

struct task *task_peek(int tid)
{
	const struct number *number = number_peek(tid);

	return number ? number->task : NULL;
}

struct task *task_find(int tid)
{
	struct task *task = task_peek(tid);

	return task ? task_get(task) : NULL;
}

void task_free(struct task *task)
{
	ASSERT(!task->refs);
	cache_free(&task_cache, task);
}

void task_visit(bool (*see)(void *ctx, struct task *task), void *ctx)
{
	int value;

	for (struct number *number = number_next(0); number; number = number_next(value + 1)) {
		value = number->value;
		if (number->task && !see(ctx, number->task))
			return;
	}
}

bool task_visit_some(int *next, bool (*see)(void *ctx, struct task *task), void *ctx)
{
	for (unsigned left = VISITS; left; left--) {
		struct number *number = number_next(*next);

		if (!number)
			return false;
		*next = number->value + 1;
		if (number->task)
			(void)see(ctx, number->task);
	}
	return true;
}

/* Make a task runnable and put it into the run queue. The caller holds task_lock. */
static void make_ready(struct task *task)
{
	task->state = TASK_RUNNABLE;
	sched_ready(task);
}

/* Wake a task whose deadline has passed: the `fire` of task->alarm. */
static void alarm_rings(struct timer *timer)
{
	struct task *task = (struct task *)((char *)timer - offsetof(struct task, alarm));

	lock_take_off(&task_lock);
	task->timed_out = true;
	if (task->state == TASK_BLOCKED)
		make_ready(task);
	lock_release_off(&task_lock);
}

static void list(struct task *task, struct number *number)
{
	task->tid = number->value;
	task->number = number;
	number->task = task;
}

static void enlist(struct task *task, const char *name, struct number *number)
{
	task->refs = 1;
	task->slack_ns = task->slack_default_ns = TASK_SLACK_NS;
	memcpy(task->name, name, strnlen(name, sizeof(task->name) - 1));
	task->start_ns = clock_monotonic_ns();
	task->rank = sched_rank(&task->sched);
	task->alarm.fire = alarm_rings;
	list_init(&task->tracing.tracees);
	task->cpu = per_cpu_pointer(percpu);
	task->may = shared_cpus;
	list(task, number);
}

int task_create(const char *name, bool fpu, struct task **ret)
{
	struct task *task = cache_alloc(&task_cache);
	struct number *number;
	int error = -ENOMEM;

	if (!task)
		return -ENOMEM;
	memset(task, 0, sizeof(*task));
	task->state = TASK_NEW;
	task->stack = kernel_stack_alloc();
	if (!task->stack)
		goto free_task;
	if (fpu) {
		task->fpu = kmalloc_aligned(fpu_size(), FPU_ALIGN);
		if (!task->fpu)
			goto free_stack;
		fpu_start(task->fpu);
	}
	error = number_new(&number);
	if (error)
		goto free_fpu;
	enlist(task, name, number);
	task_count_made++;
	*ret = task;
	return 0;

free_fpu:
	kfree(task->fpu);
free_stack:
	kernel_stack_free(task->stack);
free_task:
	cache_free(&task_cache, task);
	return error;
}

static void delist(struct task *task)
{
	task->number->task = NULL;
	number_settle(task->number);
	task->number = NULL;
}

void task_set_tid(struct task *task, int tid)
{
	delist(task);
	list(task, number_peek(tid));
}

void task_destroy(struct task *task)
{
	delist(task);
	if (task->rights.who)
		rights_undo(task);
	kfree(task->fpu);
	kernel_stack_free(task->stack);
	task->fpu = NULL;
	task->stack = task->sp = 0;
	task_put(task);
}

static void start(struct task *task, bool user)
{
	lock_take_on(&task_lock);
	make_ready(task);
	if (user)
		usage_tick_start();
	lock_release_on(&task_lock);
}

void task_set_user_entry(const char *entry)
{
	user_entry = entry;
}

void task_start_user(struct task *task)
{
	struct switch_frame *first = (struct switch_frame *)task_frame(task) - 1;

	*first = (struct switch_frame){ .rip = (uintptr_t)user_entry };
	task->sp = (uintptr_t)first;
	start(task, true);
}

/* Give a task that has not run a stack from which it begins with function(argument). */
static void prepare_kernel(struct task *task, vaddr_t stack, void (*function)(void *argument), void *argument)
{
	/*
	 * Leave 16 bytes above the frame: when stack_switch() has popped it, RSP is a multiple of 16, as before a
	 * call.
	 */
	struct switch_frame *first =
		(struct switch_frame *)((uintptr_t)(stack + KERNEL_STACK_SIZE) - sizeof(*first) - 16);

	task->stack = stack;
	*first = (struct switch_frame){ .rip = (uintptr_t)task_enter_kernel,
					.rbx = (uintptr_t)function,
					.r12 = (uintptr_t)argument };
	task->sp = (uintptr_t)first;
}

void task_start_kernel(struct task *task, void (*function)(void *argument), void *argument)
{
	prepare_kernel(task, task->stack, function, argument);
	start(task, false);
}

static void idle_function(void *argument)
{
	(void)argument;
	kernel_leave();
	sched_idle();
}

/*
 * The hook of percpu_note_refusal(): note in the current task that memory was refused to it. Each task has a note of
 * its own, since other tasks may run before its system call ends.
 */
static void note_refusal(void)
{
	task_current()->signals.refused = true;
}

void task_init(void)
{
	static struct task first; /* guard: as of all tasks, tasks only, which the kernel does not preempt */
	static struct task idle = { .name = "idle/0" }; /* guard: as of `first` */
	vaddr_t debug_stack, idle_stack;

	fpu_init();
	debug_stack = kernel_stack_alloc();
	idle_stack = kernel_stack_alloc();
	if (!debug_stack || !idle_stack || cache_init(&task_cache, "task", sizeof(struct task), 64) != OK)
		panic("no memory for tasks");
	percpu_set_debug_stack(debug_stack + KERNEL_STACK_SIZE);
	first.state = TASK_RUNNABLE;
	first.started_ns = clock_monotonic_ns();
	/* The kernel's own task has the number 0, so that the first program is task 1, as on any Unix. */
	number_init();
	enlist(&first, "kernel", number_zero());
	this_cpu->current = &first;
	run_queues_init(&idle);
	prepare_kernel(&idle, idle_stack, idle_function, NULL);
	percpu_set_refusal_hook(note_refusal);
}

/* Set task->woken, and make the task ready if it is blocked. The caller holds task_lock. */
static void wake(struct task *task)
{
	task->woken = true;
	if (task->state == TASK_BLOCKED)
		make_ready(task);
	else if (unlikely(cpu_count > 1))
		task_kick(task);
}

void task_kick(const struct task *task)
{
	if (task->cpu->current == task && task->cpu->number != this_cpu->number)
		cpu_call_reschedule(task->cpu);
}

/* Wake the task of a waiter; called as waiter->wake. The caller holds the queue's lock, so interrupts are off. */
static void wake_waiter(struct waiter *waiter)
{
	lock_take_off(&task_lock);
	wake(((struct task_waiter *)waiter)->task);
	lock_release_off(&task_lock);
}

_Static_assert(offsetof(struct task_waiter, waiter) == 0, "wake_waiter");

void task_waiter_init(struct task_waiter *waiter)
{
	*waiter = (struct task_waiter){ .waiter = { .wake = wake_waiter }, .task = task_current() };
}

static bool is_own(const struct waiter *waiter)
{
	return waiter && waiter->wake == wake_waiter && ((const struct task_waiter *)waiter)->task == task_current();
}

bool task_is_at_end(struct wait_queue *queue)
{
	uint64_t flags = lock_take(&queue->lock);
	bool is = is_own(queue->last) || is_own(queue->first);

	lock_release(&queue->lock, flags);
	return is;
}

void task_wake(struct task *task)
{
	uint64_t flags = lock_take(&task_lock);

	wake(task);
	lock_release(&task_lock, flags);
}

void task_wake_off(struct task *task)
{
	lock_take_off(&task_lock);
	wake(task);
	lock_release_off(&task_lock);
}

void task_go_on(struct task *task)
{
	uint64_t flags = lock_take(&task_lock);

	if (task->state == TASK_STOPPED) {
		task->state = TASK_BLOCKED;
		wake(task);
	}
	lock_release(&task_lock, flags);
}

void task_wake_stopped(struct task *task)
{
	uint64_t flags = lock_take(&task_lock);

	if (task->state == TASK_STOPPED)
		task->state = TASK_BLOCKED;
	wake(task);
	lock_release(&task_lock, flags);
}

/* Block the current task until it is woken or the deadline passes. The caller holds task_lock. */
static void block(struct task *task, enum timer_clock clock, uint64_t deadline_ns)
{
	if (deadline_ns != TASK_NO_DEADLINE && clock == TIMER_WALL)
		timer_start_wall(&task->alarm, deadline_ns);
	else if (deadline_ns != TASK_NO_DEADLINE)
		timer_start(&task->alarm, deadline_ns);
	task->state = TASK_BLOCKED;
	sched_switch();
	if (deadline_ns != TASK_NO_DEADLINE)
		timer_cancel(&task->alarm);
}

int task_block(uint64_t deadline_ns)
{
	return task_block_by(TIMER_MONOTONIC, deadline_ns);
}

int task_block_by(enum timer_clock clock, uint64_t deadline_ns)
{
	struct task *task = task_current();

	lock_take_on(&task_lock);
	task->timed_out = false;
	if (!task->woken && !task->signals.wanted)
		block(task, clock, deadline_ns);
	lock_release_on(&task_lock);
	if (task->signals.wanted)
		return -EINTR;
	return task->timed_out && !task->woken ? -ETIMEDOUT : 0;
}

int task_block_killable(void)
{
	struct task *task = task_current();

	lock_take_on(&task_lock);
	if (!task->woken && !task_must_end(task))
		block(task, TIMER_MONOTONIC, TASK_NO_DEADLINE);
	lock_release_on(&task_lock);
	return task_must_end(task) ? -EINTR : 0;
}

void task_give_cpu(void)
{
	lock_take_on(&task_lock);
	sched_switch();
	lock_release_on(&task_lock);
}

void task_yield(void)
{
	lock_take_on(&task_lock);
	task_current()->turn_left_ns = 0;
	/*
	 * Give up the rest of a turn that another task has interrupted: the other tasks of this nice value come first.
	 */
	per_cpu(cpu_queues).interrupted = NULL;
	sched_switch();
	lock_release_on(&task_lock);
}

void task_exit(void)
{
	struct task *task = task_current();

	lock_take_on(&task_lock);
	task->state = TASK_DEAD;
	sched_bury(task);
	sched_switch();
	panic("task %d runs after its end", task->tid);
}

void task_set_calls_by_c(bool by_c)
{
	task_calls_by_c = by_c;
	this_cpu->calls_by_c = by_c | task_current()->rights.calls_by_c;
}

uint64_t task_get_fs_base(void)
{
	return cpu_features()->fsgsbase ? cpu_rdfsbase() : task_current()->fs_base;
}

uint64_t task_get_gs_base(void)
{
	return cpu_features()->fsgsbase ? cpu_read_msr(MSR_KERNEL_GS_BASE) : task_current()->gs_base;
}

void task_set_fs_base(uint64_t base)
{
	task_current()->fs_base = base;
	cpu_write_msr(MSR_FS_BASE, base);
}

void task_set_gs_base(uint64_t base)
{
	task_current()->gs_base = base;
	cpu_write_msr(MSR_KERNEL_GS_BASE, base);
}
