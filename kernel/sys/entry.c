/*
 * From SYSCALL to the function and back. The null call is counted in instructions (docs/design.md), so the dispatcher
 * does what every call needs and nothing else; clocking calls is another dispatcher's job, exchanged for this one.
 */
#include "kernel/arch/cpu.h"
#include "kernel/lib/log.h"
#include "kernel/mm/tlb.h"
#include "kernel/mm/user_space.h"
#include "kernel/sys/futex.h"
#include "kernel/sys/sys.h"
#include "kernel/task/process.h"
#include "kernel/task/user_return.h"

struct syscall_cost syscall_costs[SYSCALLS + 1];

/* The context's counter, so that the dispatcher need not call for it. */
static const uint64_t *cr3_writes;

/* Numbers that somebody has called and nobody serves: told of once. */
static uint64_t missing_told[SYSCALLS / 64 + 1];

static __attribute__((noinline)) void tell_missing(uint64_t number)
{
	missing_told[number / 64] |= 1ULL << number % 64;
	log_info("%s[%d]: system call %llu is not there\n", task_current()->name, task_current()->tid,
		 (unsigned long long)number);
}

/* Interrupts off before and after. */
static inline int64_t call(const struct trap_frame *frame, syscall_fn *function)
{
	int64_t result;

	cpu_interrupts_on();
	result = function(frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9);
	cpu_interrupts_off();
	return result;
}

/*
 * SYSRET takes RIP from RCX and RFLAGS from R11, and its RIP must be a user's: exec and sigreturn leave a frame
 * of which that is not true.
 */
static inline bool needs_iret(const struct trap_frame *frame)
{
	return ((frame->rcx ^ frame->rip) | (frame->r11 ^ frame->rflags) | frame->rip >> 47) != 0;
}

static __attribute__((noinline)) bool leave_slowly(struct trap_frame *frame)
{
	task_return(frame, true);
	return true;
}

static inline bool leave(struct trap_frame *frame)
{
	if (__builtin_expect(task_return_wanted() || needs_iret(frame), 0))
		return leave_slowly(frame);
	return false;
}

/* Interrupts stay off: this is the shortest call there is. Numbers beyond the table go untold. */
static inline bool leave_missing(struct trap_frame *frame, uint64_t number)
{
	if (number < SYSCALLS && !(missing_told[number / 64] >> number % 64 & 1))
		tell_missing(number);
	syscall_costs[SYSCALLS].calls++;
	frame->rax = (uint64_t)-ENOSYS;
	return leave(frame);
}

static bool dispatch(struct trap_frame *frame)
{
	uint64_t number = frame->error, writes = *cr3_writes;
	syscall_fn *function;

	if (number >= SYSCALLS)
		return leave_missing(frame, number);
	function = syscalls[number].call;
	if (!function)
		return leave_missing(frame, number);
	frame->rax = (uint64_t)call(frame, function);
	syscall_costs[number].calls++;
	syscall_costs[number].cr3_writes += *cr3_writes - writes;
	return leave(frame);
}

static bool dispatch_clocked(struct trap_frame *frame)
{
	uint64_t number = frame->error, start = cpu_rdtsc();
	bool by_iret = dispatch(frame);

	if (number > SYSCALLS)
		number = SYSCALLS;
	syscall_costs[number].ticks += cpu_rdtsc() - start;
	return by_iret;
}

void syscall_clock_start(void)
{
	trap_set_syscall_handler(dispatch_clocked);
}

void syscall_clock_stop(void)
{
	trap_set_syscall_handler(dispatch);
}

void syscall_init(void)
{
	cr3_writes = &context_tlb_stats()->cr3_writes;
	process_set_exit_hook(futex_task_exit);
	trap_set_syscall_handler(dispatch);
}
