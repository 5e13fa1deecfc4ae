/*
 * Handles user mode's exceptions: page faults are served or become signals, other exceptions become signals. Also does
 * what is due when a task returns to user mode: delivers signals, switches to other tasks, ends the task.
 */
#include "kernel/task/user_return.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/lib/log.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/mm/user/user_fault_open.h"
#include "kernel/sync/kernel_lock.h"
#include "kernel/sync/open_section.h"
#include "kernel/task/late.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/ptrace_debug.h"
#include "kernel/task/sched.h"
#include "kernel/task/self_write.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/vdso.h"

void task_entered(void);
void task_entered_user(void);
extern const char task_enter_user[];

/* Bits of the error code of #PF (Intel SDM vol. 3A, "Page-Fault Exceptions"). */
#define FAULT_PRESENT  1
#define FAULT_WRITE    2
#define FAULT_USER     4
#define FAULT_RESERVED 8
#define FAULT_FETCH    16

/* The signal and si_code for each exception; an entry with signal 0 stands for SIGSEGV and SI_KERNEL. */
static const struct {
	uint8_t signal;
	uint8_t code;
} exceptions[TRAP_EXTERNAL] = {
	[TRAP_DE] = { SIGFPE, FPE_INTDIV }, [TRAP_DB] = { SIGTRAP, TRAP_TRACE }, [TRAP_BP] = { SIGTRAP, SI_KERNEL },
	[TRAP_OF] = { SIGSEGV, SI_KERNEL }, [TRAP_BR] = { SIGSEGV, SI_KERNEL },  [TRAP_UD] = { SIGILL, ILL_ILLOPN },
	[TRAP_NM] = { SIGILL, ILL_ILLOPN }, [TRAP_SS] = { SIGBUS, SI_KERNEL },   [TRAP_GP] = { SIGSEGV, SI_KERNEL },
	[TRAP_MF] = { SIGFPE, FPE_FLTINV }, [TRAP_AC] = { SIGBUS, BUS_ADRALN },  [TRAP_XM] = { SIGFPE, FPE_FLTINV },
};

static bool handles_signal(int signal)
{
	return process_current()->signals.actions[signal - 1].handler > 1;
}

static const char *access_name(enum user_rights access)
{
	return access == USER_WRITE ? "write" : access == USER_EXEC ? "execute" : "read";
}

static enum user_rights access_of(const struct trap_frame *frame)
{
	if (frame->error & FAULT_FETCH)
		return USER_EXEC;
	return frame->error & FAULT_WRITE ? USER_WRITE : USER_READ;
}

void task_begin_again(struct trap_frame *frame)
{
	irq_open();
	/*
	 * The result does not matter: if no memory was found, task_return() ends the task before the call is repeated.
	 */
	(void)task_find_memory();
	irq_close();
	frame->rip -= SYSCALL_LENGTH;
	frame->rax = frame->error;
	if (ptrace_is_traced(task_current()))
		task_current()->tracing.tracee->calls_again = true;
}

/*
 * Send the current task the signal of a fault. If the program has no handler, and so is killed by it, log the reason.
 */
static void fault_signal(const struct trap_frame *frame, int signal, int code, vaddr_t va, const char *cause)
{
	const struct task *task = task_current();

	if (!handles_signal(signal) && !ptrace_is_traced(task))
		log_info("task %d (%s): cannot %s %#llx: %s; at %#llx, stack %#llx\n", task->tid, task->name,
			 access_name(access_of(frame)), (unsigned long long)va, cause, (unsigned long long)frame->rip,
			 (unsigned long long)frame->rsp);
	signal_fault(signal, code, va);
}

/*
 * Look at a fault on a page that is mapped with fewer rights than the access needs. Returns whether it is to be served;
 * if not, a signal has been sent.
 */
static bool may_serve(struct trap_frame *frame, vaddr_t va)
{
	/*
	 * The CPU was in user mode, yet reports a supervisor access to a present page: QEMU's far returns read the
	 * user's stack in this way, which SMAP forbids. Serving the fault would change nothing, and it would repeat for
	 * ever.
	 */
	if (!(frame->error & FAULT_USER)) {
		fault_signal(frame, SIGSEGV, SEGV_ACCERR, va, "the CPU went there as the supervisor");
		return false;
	}
	if (!(frame->error & FAULT_WRITE) || !self_write_may_be(frame->rip, va))
		return true;
	switch (self_write_begin(frame, va)) {
	case OK:
	case ERR_NOT_FOUND:
		return true;
	case ERR_NO_MEMORY:
		/* If no memory is found, the process ends; else the instruction faults again. */
		(void)task_find_memory();
		return false;
	default:
		fault_signal(frame, SIGSEGV, SEGV_ACCERR, va, "the instruction lies there, and no place is near");
		return false;
	}
}

static void user_page_fault(struct trap_frame *frame, vaddr_t va)
{
	/* As on Linux, an address in the upper half is always SEGV_MAPERR, whether the kernel maps it or not. */
	if (va >= USER_END) {
		if (frame->error & FAULT_FETCH && vdso_take_legacy_call(frame))
			return;
		fault_signal(frame, SIGSEGV, SEGV_MAPERR, va, "not an address of users");
		return;
	}
	if (frame->error & FAULT_PRESENT && !may_serve(frame, va))
		return;
	task_current()->faults++;
	switch (frame->error & FAULT_RESERVED ? ERR_FORMAT : fault_serve(va, access_of(frame))) {
	case OK:
	case ERR_NO_MEMORY: /* the process has been killed: out_of_memory() has logged that */
		break;
	case ERR_RIGHTS:
		fault_signal(frame, SIGSEGV, SEGV_ACCERR, va, "the area forbids it");
		break;
	case ERR_RANGE:
		fault_signal(frame, SIGBUS, BUS_ADRERR, va, "past the end of the file");
		break;
	case ERR_FORMAT:
		panic("reserved bit in a page table for %#llx", (unsigned long long)va);
	default:
		fault_signal(frame, SIGSEGV, SEGV_MAPERR, va, "nothing is mapped there");
		break;
	}
}

static void user_exception(struct trap_frame *frame)
{
	const struct task *task = task_current();
	int signal = exceptions[frame->vector].signal, code = exceptions[frame->vector].code;

	if (frame->vector == TRAP_DB && task->self_write.at && self_write_end(frame))
		return;
	if (frame->vector == TRAP_DB) {
		code = ptrace_debug_trap(frame);
		if (!code)
			return;
	}
	if (!signal) {
		signal = SIGSEGV;
		code = SI_KERNEL;
	}
	if (!handles_signal(signal) && !ptrace_is_traced(task))
		log_info("task %d (%s): %s at %#llx, stack %#llx\n", task->tid, task->name, trap_name(frame->vector),
			 (unsigned long long)frame->rip, (unsigned long long)frame->rsp);
	signal_fault(signal, code, code == SI_KERNEL ? 0 : frame->rip);
}

/*
 * Handle a #PF or #GP of the kernel; trap.c passes on no others. Returns false if it is a bug: it did not come from an
 * instruction that copies from or to user memory, or it is a page fault while other page tables than the process's are
 * loaded. Otherwise serve the page fault, without switching to another task; if that is not possible, or for a #GP (the
 * CPU refuses the address, or a user's FPU state), make the copy fail.
 */
static bool kernel_fault(struct trap_frame *frame, vaddr_t va)
{
	struct task *task = task_current();
	enum status status;

	if (!task || !task->process || !uaccess_is_at(frame->rip))
		return false;
	if (frame->vector != TRAP_PF) {
		copy_fault_refused();
		return uaccess_fixup(frame);
	}
	/*
	 * With other page tables loaded than the process's, serving the fault would change tables that are not in use,
	 * and the fault would repeat for ever.
	 */
	if ((frame->cr3 & PTE_ADDRESS) != task->process->space->context.space.root.raw)
		return false;
	/* Interrupts are on while the fault is served if they were on in the interrupted call. */
	if (frame->rflags & RFLAGS_IF)
		irq_open();
	task->faults++;
	status = copy_fault(task->process->space, va, access_of(frame));
	irq_close();
	return status == OK || uaccess_fixup(frame);
}

/*
 * Do kernel_fault() on a machine with several CPUs. A system call that runs without the kernel lock (an open call,
 * docs/locking.md) may fault in a copy from or to user memory: take the lock to serve the fault. In an open section the
 * copy fails instead, since a section must not wait for the lock.
 */
static bool kernel_fault_with_lock(struct trap_frame *frame, vaddr_t va)
{
	const bool takes = uaccess_is_at(frame->rip) && !kernel_lock_is_held();
	bool served;

	if (takes && open_section_is_here())
		return uaccess_fixup(frame);
	if (takes) {
		if (frame->rflags & RFLAGS_IF)
			irq_open();
		kernel_lock_take();
		irq_close();
	}
	served = kernel_fault(frame, va);
	if (takes)
		kernel_lock_release();
	return served;
}

/* Return whether the trap is an exception that a program has caused; NMI, #DF and #MC are not. */
static bool is_programs(const struct trap_frame *frame)
{
	return frame->vector != TRAP_NMI && frame->vector != TRAP_DF && frame->vector != TRAP_MC;
}

/*
 * Serve the fault of user mode at `va` without the kernel lock, if it is of the kind that needs none, and the process
 * has one task. The count stays 1 meanwhile: only that task could add another one.
 */
static bool serve_open(const struct trap_frame *frame, vaddr_t va)
{
	const struct process *process = process_current();
	const uint64_t write = FAULT_USER | FAULT_WRITE;

	if (frame->vector != TRAP_PF || va >= USER_END || frame->error & FAULT_RESERVED ||
	    (frame->error & FAULT_PRESENT && (frame->error & write) != write) ||
	    __atomic_load_n(&process->task_count, __ATOMIC_ACQUIRE) != 1 ||
	    !user_fault_open(process->space, va, access_of(frame)))
		return false;
	task_current()->faults++;
	return true;
}

/*
 * Handle an exception: serve one that a program has caused, pass one of the kernel to kernel_fault(). `lock` is true on
 * a machine with several CPUs: take the kernel lock for a program's exception, unless it is a page fault that needs no
 * lock; return_with_lock() releases it. Returns false for an exception that this file does not handle. Inline, since a
 * page fault is a hot path.
 */
static inline __attribute__((always_inline)) bool handle_trap(struct trap_frame *frame, bool lock)
{
	vaddr_t cr2 = cpu_read_cr2();

	if (!trap_from_user(frame))
		return lock ? kernel_fault_with_lock(frame, cr2) : kernel_fault(frame, cr2);
	if (!is_programs(frame))
		return false;
	if (lock && serve_open(frame, cr2))
		return true;
	irq_open();
	if (lock)
		kernel_lock_take();
	if (frame->vector == TRAP_PF)
		user_page_fault(frame, cr2);
	else
		user_exception(frame);
	irq_close();
	return true;
}

static bool user_trap(struct trap_frame *frame)
{
	return handle_trap(frame, false);
}

static bool user_trap_with_lock(struct trap_frame *frame)
{
	return handle_trap(frame, true);
}

void task_return(struct trap_frame *frame, bool system_call)
{
	struct task *task = task_current();

	while (task_return_wanted_by(task)) {
		if (this_cpu->switch_wanted) {
			lock_take_off(&task_lock);
			sched_switch();
			lock_release_off(&task_lock);
		}
		if (!task->signals.wanted)
			continue;
		irq_open();
		if (task->late)
			late_do_until_end();
		if (unlikely(ptrace_is_traced(task)) && system_call)
			ptrace_call_ends(frame);
		if (task_must_end(task))
			process_exit_task(0);
		signal_deliver(frame, system_call);
		/*
		 * signal_deliver() has handled an ERESTART… result; a later signal must not do so again.
		 */
		system_call = false;
		irq_close();
	}
}

/* Finish the first switch to a program's task, on its way to user mode. */
void task_entered_user(void)
{
	struct task *task = task_current();

	task_entered();
	irq_open();
	/* As on Linux, a bad address of CLONE_CHILD_SETTID is no error. */
	if (task->set_child_tid)
		while (put_user_u32(user_pointer(task->set_child_tid), (uint32_t)task->tid) == ERR_NO_MEMORY &&
		       task_find_memory())
			;
	irq_close();
	if (task_return_wanted())
		task_return(task_frame(task), false);
	kernel_leave();
	stop_watch_call_ends();
	stop_watch_on();
}

static void return_from_trap(struct trap_frame *frame)
{
	if (task_return_wanted())
		task_return(frame, false);
}

/*
 * Do return_from_trap() on a machine with several CPUs, and release the kernel lock, which this CPU holds after an
 * exception, but not after an interrupt. Do nothing after an NMI: a task must not be switched away from while it is on
 * the NMI's stack. If another CPU wants this one to switch tasks, its interrupt comes right after the NMI.
 */
static void return_with_lock(struct trap_frame *frame)
{
	if (frame->vector == TRAP_NMI)
		return;
	if (task_return_wanted()) {
		if (!kernel_lock_is_held()) {
			irq_open();
			kernel_lock_take();
			irq_close();
		}
		task_return(frame, false);
	}
	if (kernel_lock_is_held())
		kernel_lock_release();
}

void user_traps_use_lock(void)
{
	trap_set_user_handler(user_trap_with_lock);
	trap_set_return_handler(return_with_lock);
}

void user_traps_init(void)
{
	task_set_user_entry(task_enter_user);
	signal_frame_init();
	ptrace_debug_init();
	trap_set_user_handler(user_trap);
	trap_set_return_handler(return_from_trap);
}
