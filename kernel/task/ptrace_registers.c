/*
 * Reads and writes the registers of a stopped tracee: general ones in its trap frame, the others in its save areas.
 */
#include "kernel/task/ptrace_registers.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/fpu.h"
#include "kernel/arch/registers.h"
#include "kernel/fs/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/task/signal.h"
#include "kernel/task/tracee.h"

/* The flags that a tracer may set: those that POPF changes in user mode (Linux's FLAG_MASK). */
#define RFLAGS_TRACER 0x54dd5ULL

static bool is_call(const struct trap_frame *frame)
{
	return frame->vector == TRAP_SYSCALL;
}

void ptrace_get_registers(const struct task *task, struct ptrace_registers *ret)
{
	const struct trap_frame *frame = task_frame(task);
	const bool steps = task->tracing.tracee && task->tracing.tracee->steps;

	*ret = (struct ptrace_registers){
		.r15 = frame->r15,
		.r14 = frame->r14,
		.r13 = frame->r13,
		.r12 = frame->r12,
		.rbp = frame->rbp,
		.rbx = frame->rbx,
		.r11 = frame->r11,
		.r10 = frame->r10,
		.r9 = frame->r9,
		.r8 = frame->r8,
		.rax = frame->rax,
		.rcx = frame->rcx,
		.rdx = frame->rdx,
		.rsi = frame->rsi,
		.rdi = frame->rdi,
		.call = is_call(frame) ? frame->error : ~0ULL,
		.rip = frame->rip,
		.cs = frame->cs,
		.rflags = steps ? frame->rflags & ~RFLAGS_TF : frame->rflags,
		.rsp = frame->rsp,
		.ss = frame->ss,
		.fs_base = task->fs_base,
		.gs_base = task->gs_base,
	};
	/* Linux shows this error number for a call that restart_syscall(2) goes on with. */
	if (is_call(frame) && (int64_t)frame->rax == -ERESTART_GO_ON)
		ret->rax = (uint64_t)-ERESTART_RESTARTBLOCK;
}

/* Return RFLAGS with those of `wanted` that a tracer may set. A trap flag that the tracer's stepping has set stays. */
static uint64_t flags_of(const struct task *task, uint64_t wanted)
{
	struct tracee *tracee = task->tracing.tracee;
	const struct trap_frame *frame = task_frame(task);

	if (tracee && wanted & RFLAGS_TF)
		tracee->steps = false;
	else if (tracee && tracee->steps)
		wanted |= RFLAGS_TF;
	return (frame->rflags & ~RFLAGS_TRACER) | (wanted & RFLAGS_TRACER);
}

int ptrace_set_registers(struct task *task, const struct ptrace_registers *from)
{
	struct trap_frame *frame = task_frame(task);

	if (from->rip >= USER_END || from->fs_base >= USER_END || from->gs_base >= USER_END)
		return -EIO;
	frame->r15 = from->r15;
	frame->r14 = from->r14;
	frame->r13 = from->r13;
	frame->r12 = from->r12;
	frame->rbp = from->rbp;
	frame->rbx = from->rbx;
	frame->r11 = from->r11;
	frame->r10 = from->r10;
	frame->r9 = from->r9;
	frame->r8 = from->r8;
	frame->rcx = from->rcx;
	frame->rdx = from->rdx;
	frame->rsi = from->rsi;
	frame->rdi = from->rdi;
	/* A tracer that writes back what it has read must not change how the call is made again. */
	if (!is_call(frame) || (int64_t)frame->rax != -ERESTART_GO_ON || (int64_t)from->rax != -ERESTART_RESTARTBLOCK)
		frame->rax = from->rax;
	/*
	 * A debugger may restore the registers that a task had in a system call: the frame is then that of a call
	 * again, so that the call can be restarted.
	 */
	if (!is_call(frame) && (int32_t)from->call >= 0)
		frame->vector = TRAP_SYSCALL;
	if (is_call(frame))
		frame->error = (uint64_t)(int64_t)(int32_t)from->call;
	frame->rip = from->rip;
	frame->rflags = flags_of(task, from->rflags);
	frame->rsp = from->rsp;
	task->fs_base = from->fs_base;
	task->gs_base = from->gs_base;
	return 0;
}

/* ---- FPU ---- */

#define X87_CONTROL          0x37f /* the initial control word */
#define X87_REGISTERS        32    /* offset of ST0 to ST7, behind MXCSR and its mask */
#define XMM_REGISTERS        160
#define LEGACY_REGISTERS_END 416
#define SOFTWARE_BYTES       464 /* the bytes that Linux fills: the first word is XCR0 */
#define COMPONENT_FIRST      2   /* the first component that has a place of its own */
#define COMPONENT_LAST       7
#define XSAVE_LEAF           0xd

size_t ptrace_fpu_size(void)
{
	return fpu_size();
}

/* Return the components of which the save area has values; all others have their initial value. */
static uint64_t present(const uint8_t *area)
{
	uint64_t bits = FPU_LEGACY_COMPONENTS;

	if (fpu_has_header())
		memcpy(&bits, area + FPU_XSTATE_BV, sizeof(bits));
	return bits;
}

void ptrace_get_fpu(const struct task *task, uint8_t *ret)
{
	const uint8_t *area = task->fpu;
	const uint64_t bits = present(area), components = fpu_components();
	const uint16_t control = X87_CONTROL;

	memset(ret, 0, fpu_size());
	if (bits & 1) {
		memcpy(ret, area, FPU_MXCSR);
		memcpy(ret + X87_REGISTERS, area + X87_REGISTERS, XMM_REGISTERS - X87_REGISTERS);
	} else {
		memcpy(ret, &control, sizeof(control));
	}
	memcpy(ret + FPU_MXCSR, area + FPU_MXCSR, sizeof(uint32_t));
	memcpy(ret + FPU_MXCSR_MASK, &fpu_facts.mxcsr_mask, sizeof(uint32_t));
	if (bits & 2)
		memcpy(ret + XMM_REGISTERS, area + XMM_REGISTERS, LEGACY_REGISTERS_END - XMM_REGISTERS);
	if (!fpu_has_header())
		return;
	memcpy(ret + SOFTWARE_BYTES, &components, sizeof(components));
	memcpy(ret + FPU_XSTATE_BV, &bits, sizeof(bits));
	for (unsigned i = COMPONENT_FIRST; i <= COMPONENT_LAST; i++) {
		struct cpuid place;

		if (!(bits & components & 1ULL << i))
			continue;
		place = cpu_cpuid(XSAVE_LEAF, i);
		memcpy(ret + place.ebx, area + place.ebx, place.eax);
	}
}

int ptrace_set_fpu(struct task *task, const uint8_t *from, size_t size)
{
	uint8_t *area = task->fpu;
	uint64_t header[(FPU_HEADER_END - FPU_XSTATE_BV) / sizeof(uint64_t)];
	uint64_t bits = present(area) | FPU_LEGACY_COMPONENTS;
	uint32_t mxcsr;

	memcpy(&mxcsr, from + FPU_MXCSR, sizeof(mxcsr));
	if (mxcsr & ~fpu_mxcsr_mask())
		return -EINVAL;
	if (size > FPU_LEGACY_SIZE) {
		memcpy(header, from + FPU_XSTATE_BV, sizeof(header));
		if (header[0] & ~fpu_components())
			return -EINVAL;
		for (size_t i = 1; i < sizeof(header) / sizeof(header[0]); i++)
			if (header[i])
				return -EINVAL;
		bits = header[0];
		memcpy(area + FPU_HEADER_END, from + FPU_HEADER_END, size - FPU_HEADER_END);
	}
	memcpy(area, from, FPU_LEGACY_SIZE);
	if (fpu_has_header())
		memcpy(area + FPU_XSTATE_BV, &bits, sizeof(bits));
	return 0;
}
