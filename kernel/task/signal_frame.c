/*
 * Writes a signal handler's frame to the user's stack, and reads it back when the handler returns: Linux's struct
 * rt_sigframe (arch/x86/include/asm/sigframe.h, uapi/asm/sigcontext.h, uapi/asm/ucontext.h). The program may have
 * changed the frame: segments and privileged flags in it are ignored, and addresses are checked.
 */
#include "kernel/task/signal_frame.h"

#include "kernel/arch/fpu.h"
#include "kernel/arch/registers.h"
#include "kernel/fs/errno.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/task/signal_internal.h"

/* The flags that a frame may set: those that POPF changes in user mode (Linux's FIX_EFLAGS). */
#define RFLAGS_USER 0x50dd5ULL

#define RED_ZONE 128 /* bytes below the stack pointer that a program may use (System V ABI, AMD64 supplement) */

#define UC_FP_XSTATE         1
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4

/*
 * Bytes that are written into each FPU area before XSAVE saves the state there: Linux's struct _fpx_sw_bytes, and a
 * header of zeros, which XSAVE needs. Fixed after boot.
 */
static struct {
	struct fpu_frame_words words;
	uint64_t header[(FPU_HEADER_END - FPU_XSTATE_BV) / sizeof(uint64_t)];
} fpu_frame_start;

/* uc_flags of all frames. Fixed after boot. */
static uint64_t frame_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;

void signal_frame_init(void)
{
	if (!fpu_has_header())
		return;
	frame_flags |= UC_FP_XSTATE;
	fpu_frame_start.words = (struct fpu_frame_words){
		.magic1 = FPU_FRAME_MAGIC1,
		.extended_size = (uint32_t)(fpu_size() + sizeof(uint32_t)),
		.features = fpu_components(),
		.size = (uint32_t)fpu_size(),
	};
}

/*
 * Return whether the signal was caused by the exception in `frame`: then handlers find error code and trap number in
 * the context.
 */
static bool is_fault(const struct trap_frame *frame, const struct signal_info *info)
{
	return frame->vector < TRAP_EXTERNAL && (SIGNAL_BIT(info->signal) & SIGNALS_SYNCHRONOUS);
}

/*
 * Fill in the context. Each word is written once, without a memset before, since filling the context is most of a
 * signal's cost.
 */
static void fill_context(struct signal_context *to, const struct trap_frame *frame, const struct signal_info *info)
{
	to->r8 = frame->r8;
	to->r9 = frame->r9;
	to->r10 = frame->r10;
	to->r11 = frame->r11;
	to->r12 = frame->r12;
	to->r13 = frame->r13;
	to->r14 = frame->r14;
	to->r15 = frame->r15;
	to->rdi = frame->rdi;
	to->rsi = frame->rsi;
	to->rbp = frame->rbp;
	to->rbx = frame->rbx;
	to->rdx = frame->rdx;
	to->rax = frame->rax;
	to->rcx = frame->rcx;
	to->rsp = frame->rsp;
	to->rip = frame->rip;
	to->rflags = frame->rflags;
	to->cs = (uint16_t)frame->cs;
	to->gs = to->fs = 0;
	to->ss = (uint16_t)frame->ss;
	to->error = to->trap = to->cr2 = 0;
	if (unlikely(is_fault(frame, info))) {
		to->error = frame->error;
		to->trap = frame->vector;
		to->cr2 = frame->vector == TRAP_PF ? info->address : 0;
	}
	for (size_t i = 0; i < sizeof(to->reserved) / sizeof(to->reserved[0]); i++)
		to->reserved[i] = 0;
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

/* Save the CPU's FPU state to the user address `at`, with magic2 behind it. Returns OK, ERR_FAULT, ERR_NO_MEMORY. */
static enum status push_fpu(uint64_t at)
{
	void __user *start = user_pointer(at + FPU_FRAME_WORDS);
	size_t size = fpu_has_header() ? sizeof(fpu_frame_start) : sizeof(fpu_frame_start.words);

	enum status status = copy_to_user(start, &fpu_frame_start, size);

	if (likely(status == OK))
		status = save_fpu_to_user(user_pointer(at));
	if (unlikely(status != OK))
		return status;
	return fpu_has_header() ? put_user_u32(user_pointer(at + fpu_size()), FPU_FRAME_MAGIC2) : OK;
}

/* Return the address below which a handler's frame is written. */
static uint64_t stack_top(const struct task *task, const struct signal_action *action, uint64_t sp)
{
	if ((action->flags & SA_ONSTACK) && task->signals.stack_size && !signal_stack_is_used(task, sp))
		return task->signals.stack_base + task->signals.stack_size;
	return sp - RED_ZONE;
}

enum status signal_frame_push(struct trap_frame *frame, const struct signal_action *action,
			      const struct signal_info *info, uint64_t blocked)
{
	struct task *task = task_current();
	uint64_t top = stack_top(task, action, frame->rsp);
	uint64_t fpu = align_down(top - fpu_size() - sizeof(uint32_t), FPU_ALIGN);
	/* RSP + 8 must be a multiple of 16 at a function's first instruction. */
	uint64_t at = align_down(fpu - sizeof(struct signal_frame), 16) - 8;
	struct signal_frame out;
	enum status status;

	if (!(action->flags & SA_RESTORER) || action->handler >= USER_END)
		return ERR_FAULT;
	/* A frame that does not fit on the alternate stack must not be written below it. */
	if (signal_stack_is_used(task, frame->rsp) && !signal_stack_is_used(task, at))
		return ERR_FAULT;
	out.restorer = action->restorer;
	out.flags = frame_flags;
	out.link = 0;
	out.stack = (struct signal_stack){
		.base = task->signals.stack_base,
		.flags = task->signals.stack_size ? task->signals.stack_flags : SS_DISABLE,
		.size = task->signals.stack_size,
	};
	fill_context(&out.context, frame, info);
	out.context.old_mask = out.blocked = blocked;
	out.context.fpu = fpu;
	out.info = *info;
	/* info_rest is not written: no signal uses that part of the siginfo. */
	status = push_fpu(fpu);
	if (likely(status == OK))
		status = copy_to_user(user_pointer(at), &out, offsetof(struct signal_frame, info_rest));
	if (unlikely(status != OK))
		return status;
	if (task->signals.stack_flags & SS_AUTODISARM) {
		task->signals.stack_base = task->signals.stack_size = 0;
		task->signals.stack_flags = 0;
	}
	/* As on Linux a handler starts with the initial FPU state; the program's state is in the frame. */
	fpu_reset();
	frame->rdi = (uint64_t)info->signal;
	frame->rsi = at + offsetof(struct signal_frame, info);
	frame->rdx = at + offsetof(struct signal_frame, flags);
	frame->rax = 0;
	frame->rip = action->handler;
	frame->rsp = at;
	frame->rflags &= ~(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	frame->cs = SELECTOR_USER_CODE;
	frame->ss = SELECTOR_USER_DATA;
	return OK;
}

/*
 * Set *ret to whether the FPU area at the user address `at` has the magic numbers of an XSAVE area, as push_fpu()
 * writes it, and not only the first 512 bytes; false when it cannot be read. Returns OK or ERR_NO_MEMORY.
 */
static enum status is_extended(uint64_t at, bool *ret)
{
	const uint32_t size = fpu_frame_start.words.size;
	struct fpu_frame_words words = { .start = 0 };
	uint32_t magic2 = 0;
	enum status status;

	*ret = false;
	if (!size)
		return OK;
	status = get_user_u64(user_pointer(at + FPU_FRAME_WORDS), &words.start);
	if (status == OK && words.start == fpu_frame_start.words.start)
		status = get_user_u32(user_pointer(at + size), &magic2);
	*ret = magic2 == FPU_FRAME_MAGIC2;
	return status == ERR_NO_MEMORY ? status : OK;
}

/*
 * Load the FPU state from the user address `at`, or the initial state when `at` is 0. Returns OK; or ERR_FAULT,
 * ERR_NO_MEMORY, with the initial state loaded.
 */
static enum status pop_fpu(uint64_t at)
{
	bool extended = false;
	enum status status = at ? is_extended(at, &extended) : OK;

	if (!extended)
		fpu_reset();
	if (status == OK && at)
		status = load_fpu_from_user(user_pointer(at), extended);
	if (status != OK)
		fpu_reset();
	return status;
}

int64_t signal_return(struct trap_frame *frame)
{
	struct task *task = task_current();
	struct signal_frame in;
	uint64_t at = frame->rsp - sizeof(in.restorer);
	enum status status;

	/*
	 * The handler's RET has popped the restorer's address, so the frame starts below RSP. The siginfo is not read.
	 */
	status = copy_from_user(&in, user_pointer(at), offsetof(struct signal_frame, info));
	if (likely(status == OK))
		status = in.context.rip < USER_END ? pop_fpu(in.context.fpu) : ERR_FAULT;
	if (unlikely(status != OK)) {
		if (status == ERR_NO_MEMORY)
			return -ERESTART_MEMORY;
		signal_fault(SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	take_context(frame, &in.context);
	/* RAX is now the program's, and no result of a call: signal_finish_call() must not restart anything. */
	frame->error = ~0ULL;
	this_cpu->frame_changed = true;
	signal_set_blocked(in.blocked);
	/* As on Linux, a frame with a bad alternate stack is no error: the stack stays as it is. */
	if (in.stack.flags != SS_DISABLE || task->signals.stack_size)
		(void)signal_stack_set(&in.stack, frame->rsp);
	return (int64_t)frame->rax;
}
