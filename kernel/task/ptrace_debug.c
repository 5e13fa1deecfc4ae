/*
 * Keeps the debug registers of tracees, loads them into the CPU, and handles the traps that they cause (Intel SDM
 * vol. 3B, "Debug Registers").
 */
#include "kernel/task/ptrace_debug.h"

#include "kernel/arch/cpu_debug.h"
#include "kernel/arch/registers.h"
#include "kernel/fs/errno.h"
#include "kernel/lib/likely.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/tracee.h"

#define STATUS_REGISTER  6
#define CONTROL_REGISTER 7
#define ENABLE_ALL       0xffULL /* DR7: two bits for each of the four registers */
#define CONDITIONS       0xffff0000ULL
#define CONDITION_PORT   2

/* Whether the CPU's DR7 has a register enabled for a tracee. Guard: own CPU, interrupts off. */
static PER_CPU bool armed;

uint64_t ptrace_get_debug(const struct task *task, unsigned index)
{
	const struct ptrace_debug *debug = &task->tracing.tracee->debug;

	if (index < DEBUG_REGISTERS)
		return debug->address[index];
	if (index == STATUS_REGISTER)
		return debug->status;
	return index == CONTROL_REGISTER ? debug->control : 0;
}

/* Return whether an enabled register may have this address and these four bits of DR7, the R/W and LEN fields. */
static bool is_allowed(vaddr_t address, unsigned condition)
{
	const uint64_t length = (condition >> 2) == 2 ? 8 : (condition >> 2) + 1;

	if ((condition & 3) == CONDITION_PORT || (!(condition & 3) && length != 1))
		return false;
	return !(address & (length - 1)) && address <= USER_END - length;
}

/* Return whether the registers that `control` enables may be used with the addresses in `debug`. */
static bool are_allowed(const struct ptrace_debug *debug, uint64_t control)
{
	for (unsigned i = 0; i < DEBUG_REGISTERS; i++)
		if (control >> 2 * i & 3 && !is_allowed(debug->address[i], control >> (16 + 4 * i) & 15))
			return false;
	return true;
}

int ptrace_set_debug(struct task *task, unsigned index, uint64_t value)
{
	struct ptrace_debug *debug = &task->tracing.tracee->debug, changed = *debug;

	if (index < DEBUG_REGISTERS)
		changed.address[index] = value;
	else if (index == STATUS_REGISTER)
		changed.status = value;
	else if (index == CONTROL_REGISTER)
		changed.control = value & (ENABLE_ALL | CONDITIONS);
	else
		return -EIO;
	if (index < DEBUG_REGISTERS && value >= USER_END)
		return -EINVAL;
	if (!are_allowed(&changed, changed.control))
		return -EINVAL;
	*debug = changed;
	return 0;
}

void ptrace_load_debug(const struct task *task)
{
	const struct tracee *tracee = task->tracing.tracee;

	if (likely(!tracee || !(tracee->debug.control & ENABLE_ALL))) {
		if (unlikely(per_cpu(armed)))
			cpu_write_dr7(DR7_CLEAR);
		per_cpu(armed) = false;
		return;
	}
	cpu_write_dr0(tracee->debug.address[0]);
	cpu_write_dr1(tracee->debug.address[1]);
	cpu_write_dr2(tracee->debug.address[2]);
	cpu_write_dr3(tracee->debug.address[3]);
	cpu_write_dr7(DR7_CLEAR | DR7_GE | tracee->debug.control);
	per_cpu(armed) = true;
}

/* Turn the CPU's debug registers off, if they are another task's. Returns whether they are `task`'s. */
static bool keep_own(const struct task *task)
{
	const struct tracee *tracee = task->tracing.tracee;

	if (tracee && tracee->debug.control & ENABLE_ALL)
		return true;
	if (per_cpu(armed))
		cpu_write_dr7(DR7_CLEAR);
	per_cpu(armed) = false;
	return false;
}

/* Return whether one of the registers that have matched is a breakpoint on execution, not a watchpoint on an access. */
static bool is_breakpoint(uint64_t status)
{
	const uint64_t control = cpu_read_dr7();

	for (unsigned i = 0; i < DEBUG_REGISTERS; i++)
		if (status >> i & 1 && !(control >> (16 + 4 * i) & 3))
			return true;
	return false;
}

int ptrace_debug_trap(struct trap_frame *frame)
{
	const struct task *task = task_current();
	struct tracee *tracee = task->tracing.tracee;
	const uint64_t status = cpu_read_dr6();

	cpu_write_dr6(DR6_CLEAR);
	if (tracee)
		tracee->debug.status = status & (DR6_HITS | DR6_BS);
	if (status & DR6_BS)
		return TRAP_TRACE;
	if (!(status & DR6_HITS))
		return TRAP_BRKPT;
	/* A breakpoint would hit again before its instruction has run: the resume flag prevents that. */
	if (is_breakpoint(status))
		frame->rflags |= RFLAGS_RF;
	return keep_own(task) ? TRAP_HWBKPT : 0;
}

static bool kernel_trap(struct trap_frame *frame)
{
	(void)frame;
	if (!(cpu_read_dr6() & DR6_HITS) || !per_cpu(armed))
		return false;
	cpu_write_dr6(DR6_CLEAR);
	return true;
}

void ptrace_debug_init(void)
{
	trap_set_handler(TRAP_DB, kernel_trap);
}
