/*
 * The slow paths of the entry of system calls (kernel/sys/syscall_entry.S): calls whose ticks are counted or that
 * seccomp(2) has to permit, calls where there are several CPUs, and returns to user mode before which signals, other
 * tasks or a changed frame need handling.
 */
#include "kernel/arch/cpu.h"
#include "kernel/arch/cpus.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/trap.h"
#include "kernel/ipc/task_exit.h"
#include "kernel/mm/space/context.h"
#include "kernel/sync/kernel_lock.h"
#include "kernel/sys/aio.h"
#include "kernel/sys/futex.h"
#include "kernel/sys/key_access.h"
#include "kernel/sys/seccomp_check.h"
#include "kernel/sys/sys.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/process.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/sched.h"
#include "kernel/task/user_return.h"

/* Shared with syscall_entry.S. */
extern const char syscall_entry[];
int64_t syscall_run(struct trap_frame *frame);
extern void (*syscall_leave)(struct trap_frame *frame);

PER_CPU struct syscall_costs syscall_costs;
/* ticks are counted. Guard: tasks only, which the kernel does not preempt; open calls read it without the lock */
static bool clocked;

struct syscall_cost syscall_cost_of(unsigned number)
{
	struct syscall_cost sum = { 0 };

	CPUS_EACH(cpu) {
		const struct syscall_cost *cost = &per_cpu_of(cpu, syscall_costs)->of[number];

		sum.calls += cost->calls;
		sum.cr3_writes += cost->cr3_writes;
		sum.ticks += cost->ticks;
	}
	return sum;
}

uint64_t syscall_progress_of(const struct percpu *here)
{
	uint64_t sum = 0;

	CPUS_EACH(cpu) {
		const struct syscall_cost *of = per_cpu_of(cpu, syscall_costs)->of;

		for (unsigned number = 0; number <= SYSCALL_TABLE; number++)
			if (cpu->number == here->number || number == SYSCALL_TABLE || !syscall_open_functions[number])
				sum += of[number].calls;
	}
	return sum;
}

/*
 * Run the system call of `frame` without the kernel lock, and count it, if it is an open call whose ticks are not
 * counted and which no seccomp program and no tracer has to see. Returns its result; SYSCALL_NEEDS_LOCK: nothing was
 * done. Call with interrupts off, as they are afterwards.
 */
static int64_t run_open(const struct trap_frame *frame)
{
	syscall_fn *const open = frame->error < SYSCALL_TABLE ? syscall_open_functions[frame->error] : NULL;
	uint64_t writes;
	int64_t result;

	if (!open || !kernel_lock_used || __atomic_load_n(&clocked, __ATOMIC_RELAXED) ||
	    __atomic_load_n(&task_current()->rights.calls_by_c, __ATOMIC_RELAXED))
		return SYSCALL_NEEDS_LOCK;
	writes = context_cr3_writes();
	irq_open();
	result = open(frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9);
	irq_close();
	if (result != SYSCALL_NEEDS_LOCK) {
		struct syscall_cost *cost = &per_cpu_pointer(syscall_costs)->of[frame->error];

		cost->calls++;
		/* The task has stayed on its CPU, so that the counts can be compared. */
		cost->cr3_writes += context_cr3_writes() - writes;
	}
	return result;
}

/*
 * Run the system call of `frame`, with the kernel lock unless the call is an open one, if the tracer and seccomp(2)
 * permit it, and count the call, its CR3 writes and its ticks. Returns its result. Call with interrupts off, as they
 * are afterwards.
 */
int64_t syscall_run(struct trap_frame *frame)
{
	struct task *task = task_current();
	int64_t result = run_open(frame);
	uint64_t number, start = 0, writes;
	struct syscall_cost *cost;
	const struct percpu *cpu;
	bool traced, permitted;

	if (result != SYSCALL_NEEDS_LOCK)
		return result;
	result = -ENOSYS;
	irq_open();
	kernel_enter();
	traced = ptrace_is_traced(task);
	permitted = !traced || ptrace_call_begins(frame);
	if (!permitted)
		result = (int64_t)frame->rax;
	permitted = permitted && seccomp_permits(frame, &result);
	number = frame->error < SYSCALL_TABLE ? frame->error : SYSCALL_TABLE;
	cpu = per_cpu_pointer(percpu);
	writes = context_cr3_writes();
	if (clocked)
		start = cpu_rdtsc();
	per_cpu_pointer(syscall_costs)->of[number].calls++;
	if (permitted && number < SYSCALL_TABLE)
		result =
			syscall_functions[number](frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9);
	irq_close();
	cost = &per_cpu_pointer(syscall_costs)->of[number];
	/* The counts of two CPUs cannot be compared: skip a call during which the task has moved to another CPU. */
	if (cpu == per_cpu_pointer(percpu))
		cost->cr3_writes += context_cr3_writes() - writes;
	if (start)
		cost->ticks += cpu_rdtsc() - start;
	/*
	 * The tracer may have changed any register, and must be told of the call's end: have the call return by the
	 * slow path.
	 */
	if (unlikely(traced || ptrace_is_traced(task))) {
		this_cpu->frame_changed = true;
		task->signals.wanted |= ptrace_is_traced(task);
	}
	kernel_leave();
	return result;
}

/*
 * Make the system call of `frame` again while it returns -ENOMEM because the frame allocator or the heap refused memory
 * to the task (signals.refused), and memory_for_call() finds memory. A call that returns -ENOMEM has undone all it did.
 * Call with interrupts off, as they are afterwards.
 */
static __attribute__((noinline)) void try_again(struct trap_frame *frame)
{
	bool *refused = &task_current()->signals.refused;
	uint64_t number = frame->error;
	unsigned attempt = 0;

	/* After rt_sigreturn the frame no longer has the call's number, so the call cannot be made again. */
	while ((int64_t)frame->rax == -ENOMEM && *refused && number < SYSCALL_TABLE) {
		irq_open();
		if (memory_for_call(attempt++)) {
			*refused = false;
			frame->rax = (uint64_t)syscall_functions[number](frame->rdi, frame->rsi, frame->rdx, frame->r10,
									 frame->r8, frame->r9);
		} else {
			number = SYSCALL_TABLE;
		}
		irq_close();
	}
	*refused = false;
}

/* Do what is due before a return to user mode by IRET. `frame` has the call's result in RAX. */
static void leave(struct trap_frame *frame)
{
	stop_watch_off("the return of a system call");
	if (unlikely(task_current()->signals.refused))
		try_again(frame);
	this_cpu->frame_changed = false;
	if ((int64_t)frame->rax == -ERESTART_MEMORY)
		task_begin_again(frame);
	if (task_return_wanted())
		task_return(frame, true);
	stop_watch_call_ends();
	stop_watch_on();
}

/* Do leave() where there are several CPUs: the call has let go of the kernel lock, which is taken for what is left. */
static void leave_with_lock(struct trap_frame *frame)
{
	irq_open();
	kernel_lock_take();
	irq_close();
	leave(frame);
	kernel_lock_release();
}

void syscall_clock_start(void)
{
	clocked = true;
	task_set_calls_by_c(true);
}

void syscall_clock_stop(void)
{
	clocked = false;
	task_set_calls_by_c(kernel_lock_used);
}

void (*syscall_leave)(struct trap_frame *frame) = leave; /* called by the entry code. Fixed after boot */

void syscall_cpus_started(void)
{
	if (!kernel_lock_used)
		return;
	task_set_calls_by_c(true);
	syscall_leave = leave_with_lock;
}

/* Do what is due when a task ends, or when the only task of its process executes another program. */
static void task_leaves_program(struct task *task)
{
	futex_task_exit(task);
	key_task_leave(task);
	if (task->process->task_count == 1)
		aio_process_end(task->process);
}

static void task_ends(struct task *task)
{
	aio_task_exit(task);
	key_task_end(task);
	futex_task_end(task);
	ipc_task_exit(task);
}

void syscall_init(void)
{
	process_set_begin_hook(key_task_begin);
	process_set_exit_hook(task_leaves_program);
	process_set_end_hook(task_ends);
	trap_allow_syscalls(syscall_entry);
}
