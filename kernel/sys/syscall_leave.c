/*
 * The slow paths of the entry of system calls (kernel/sys/syscall_entry.S): calls whose ticks are counted, and returns
 * to user mode before which signals, other tasks or a changed frame need handling.
 */
#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/trap.h"
#include "kernel/mm/space/tlb.h"
#include "kernel/sys/futex.h"
#include "kernel/sys/sys.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/process.h"
#include "kernel/task/user_return.h"

/* Shared with syscall_entry.S. */
extern const char syscall_entry[];
extern bool syscall_clock;
int64_t syscall_run_clocked(const struct trap_frame *frame);
void syscall_leave(struct trap_frame *frame);

struct syscall_cost syscall_costs[SYSCALL_TABLE + 1];
/* whether ticks are counted; guard: tasks only, which the kernel does not preempt; the entry code reads it */
bool syscall_clock;

/*
 * Run the system call of `frame`, and count the call, its CR3 writes and its ticks. Returns its result. Call with
 * interrupts off, as they are afterwards.
 */
int64_t syscall_run_clocked(const struct trap_frame *frame)
{
	uint64_t number = frame->error < SYSCALL_TABLE ? frame->error : SYSCALL_TABLE, start = cpu_rdtsc();
	struct syscall_cost *cost = &syscall_costs[number];
	uint64_t writes = context_cr3_writes();
	int64_t result = -ENOSYS;

	cost->calls++;
	if (number < SYSCALL_TABLE) {
		irq_open();
		result =
			syscall_functions[number](frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9);
		irq_close();
	}
	cost->cr3_writes += context_cr3_writes() - writes;
	cost->ticks += cpu_rdtsc() - start;
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
void syscall_leave(struct trap_frame *frame)
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

void syscall_clock_start(void)
{
	syscall_clock = true;
}

void syscall_clock_stop(void)
{
	syscall_clock = false;
}

void syscall_init(void)
{
	process_set_exit_hook(futex_task_exit);
	trap_allow_syscalls(syscall_entry);
}
