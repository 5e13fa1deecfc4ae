/*
 * A handler's frame on the user's stack, and the way back from it: Linux's struct rt_sigframe
 * (arch/x86/include/asm/sigframe.h, uapi/asm/sigcontext.h, uapi/asm/ucontext.h). What comes back from the user is not
 * believed: nothing in it can give a right.
 */
#include "kernel/task/signal_frame.h"

#include "kernel/arch/fpu.h"
#include "kernel/arch/guard.h"
#include "kernel/arch/registers.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/task/signal_fpu.h"
#include "kernel/task/signal_internal.h"

/* Flags that POPF changes in user mode: what a frame may set (Linux's FIX_EFLAGS). */
#define RFLAGS_USER 0x50dd5ULL

#define UC_FP_XSTATE         1
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4

static void fill_context(struct signal_context *to, const struct trap_frame *frame)
{
	*to = (struct signal_context){
		.r8 = frame->r8,
		.r9 = frame->r9,
		.r10 = frame->r10,
		.r11 = frame->r11,
		.r12 = frame->r12,
		.r13 = frame->r13,
		.r14 = frame->r14,
		.r15 = frame->r15,
		.rdi = frame->rdi,
		.rsi = frame->rsi,
		.rbp = frame->rbp,
		.rbx = frame->rbx,
		.rdx = frame->rdx,
		.rax = frame->rax,
		.rcx = frame->rcx,
		.rsp = frame->rsp,
		.rip = frame->rip,
		.rflags = frame->rflags,
		.cs = (uint16_t)frame->cs,
		.ss = (uint16_t)frame->ss,
	};
}

static void take_context(struct trap_frame *frame, const struct signal_context *from)
{
	frame->r8 = from->r8;
	frame->r9 = from->r9;
	frame->r10 = from->r10;
	frame->r11 = from->r11;
	frame->r12 = from->r12;
	frame->r13 = from->r13;
	frame->r14 = from->r14;
	frame->r15 = from->r15;
	frame->rdi = from->rdi;
	frame->rsi = from->rsi;
	frame->rbp = from->rbp;
	frame->rbx = from->rbx;
	frame->rdx = from->rdx;
	frame->rax = from->rax;
	frame->rcx = from->rcx;
	frame->rsp = from->rsp;
	frame->rip = from->rip;
	frame->rflags = (frame->rflags & ~RFLAGS_USER) | (from->rflags & RFLAGS_USER);
	frame->cs = SELECTOR_USER_CODE;
	frame->ss = SELECTOR_USER_DATA;
}

/* The live state to `at`, and magic2 behind it. False: no memory there. */
static bool push_fpu(const struct task *task, uint64_t at)
{
	const uint32_t magic2 = FPU_FRAME_MAGIC2;
	size_t size = fpu_size();

	fpu_save(task->fpu);
	fpu_frame_prepare(task->fpu, size, fpu_components());
	if (copy_to_user(user_pointer(at), task->fpu, size) != OK)
		return false;
	return !fpu_has_header() || put_user_u32(user_pointer(at + size), magic2) == OK;
}

/* What the fault was, for handlers that look into the context and not into the siginfo. */
static void fill_fault(struct signal_context *context, const struct trap_frame *frame, const struct signal_info *info)
{
	if (frame->vector >= TRAP_EXTERNAL || !(SIGNAL_BIT(info->signal) & SIGNALS_SYNCHRONOUS))
		return;
	context->trap = frame->vector;
	context->error = frame->error;
	if (frame->vector == TRAP_PF)
		context->cr2 = info->address;
}

bool signal_frame_push(struct trap_frame *frame, const struct signal_action *action, const struct signal_info *info,
		       uint64_t blocked)
{
	struct task *task = task_current();
	uint64_t top = signal_stack_top(task, action, frame->rsp);
	uint64_t fpu = align_down(top - fpu_size() - sizeof(uint32_t), FPU_ALIGN);
	/* As after a call: RSP + 8 is a multiple of 16. */
	uint64_t at = align_down(fpu - sizeof(struct signal_frame), 16) - 8;
	struct signal_frame out = { .restorer = action->restorer, .blocked = blocked, .info = *info };

	if (!(action->flags & SA_RESTORER) || action->handler >= USER_END)
		return false;
	/* One that overflows the alternate stack must not write below it. */
	if (signal_stack_is_used(task, frame->rsp) && !signal_stack_is_used(task, at))
		return false;
	out.flags = (fpu_has_header() ? UC_FP_XSTATE : 0) | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	out.stack = (struct signal_stack){
		.base = task->signals.stack_base,
		.flags = task->signals.stack_size ? task->signals.stack_flags : SS_DISABLE,
		.size = task->signals.stack_size,
	};
	fill_context(&out.context, frame);
	fill_fault(&out.context, frame, info);
	out.context.old_mask = blocked;
	out.context.fpu = fpu;
	if (!push_fpu(task, fpu) || copy_to_user(user_pointer(at), &out, sizeof(out)) != OK)
		return false;
	if (task->signals.stack_flags & SS_AUTODISARM) {
		task->signals.stack_base = task->signals.stack_size = 0;
		task->signals.stack_flags = 0;
	}
	frame->rdi = (uint64_t)info->signal;
	frame->rsi = at + offsetof(struct signal_frame, info);
	frame->rdx = at + offsetof(struct signal_frame, flags);
	frame->rax = 0;
	frame->rip = action->handler;
	frame->rsp = at;
	frame->rflags &= ~(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	frame->cs = SELECTOR_USER_CODE;
	frame->ss = SELECTOR_USER_DATA;
	return true;
}

/* An area at the user's `at`, checked, to `area`. */
static bool fetch_fpu(void *area, uint64_t at)
{
	size_t size = fpu_size();
	uint32_t magic2;

	if (copy_from_user(area, user_pointer(at), FPU_LEGACY_SIZE) != OK)
		return false;
	if (fpu_has_header()) {
		if (fpu_frame_is_extended(area, size) && get_user_u32(user_pointer(at + size), &magic2) == OK &&
		    magic2 == FPU_FRAME_MAGIC2) {
			if (copy_from_user(area, user_pointer(at), size) != OK)
				return false;
		} else {
			fpu_frame_set_legacy(area, size);
		}
	}
	return fpu_frame_check(area, fpu_has_header(), fpu_components(), fpu_mxcsr_mask());
}

/*
 * By way of a copy: were task->fpu written to before all is known to be good, a switch in between could load what
 * nobody has checked.
 */
static bool pop_fpu(const struct task *task, uint64_t at)
{
	uint64_t flags;
	void *area;
	bool good;

	area = kmalloc_aligned(fpu_size(), FPU_ALIGN);
	if (!area)
		return false;
	if (at) {
		good = fetch_fpu(area, at);
	} else {
		fpu_start(area);
		good = true;
	}
	if (good) {
		flags = irq_guard_enter();
		memcpy(task->fpu, area, fpu_size());
		fpu_restore(task->fpu);
		irq_guard_leave(flags);
	}
	kfree(area);
	return good;
}

int64_t signal_return(struct trap_frame *frame)
{
	struct task *task = task_current();
	struct signal_frame in;
	uint64_t at = frame->rsp - sizeof(in.restorer);

	/* The handler's RET has taken the restorer's address off. The siginfo is not read. */
	if (copy_from_user(&in, user_pointer(at), offsetof(struct signal_frame, info)) != OK ||
	    in.context.rip >= USER_END || !pop_fpu(task, in.context.fpu)) {
		signal_fault(SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	take_context(frame, &in.context);
	/* Not the number of a call any more: RAX is no result that could be begun again. */
	frame->error = ~0ULL;
	boot_percpu.frame_changed = true;
	signal_set_blocked(in.blocked);
	/* As on Linux, one that cannot be set is no error. */
	(void)signal_stack_set(&in.stack, frame->rsp);
	return (int64_t)frame->rax;
}
