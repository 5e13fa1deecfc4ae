/*
 * Signals: sending, and delivering on the way to user mode (signal(7)).
 */
#pragma once

#include "kernel/task/process.h"

/*
 * What a system call returns that a signal has interrupted, and that may be begun again. signal_deliver turns these
 * into -EINTR or lets the program execute its SYSCALL again; programs never see them. Linux's numbers.
 */
#define ERESTARTSYS    512 /* begun again if the handler has SA_RESTART, or if no handler runs */
#define ERESTARTNOHAND 514 /* begun again if no handler runs */
#define ERESTART_SLEEP 517 /* if no handler runs, restart_syscall(2) sleeps on; else -EINTR */
/* begun again if no handler runs: the arguments still mean the same; else -EINTR */
#define ERESTART_RESTARTBLOCK 516

/*
 * Return whether a signal, or the task's end, is to be delivered before the task goes on in user mode: then waiting
 * ends with -EINTR.
 */
static inline bool signal_pending(const struct task *task)
{
	return task->signals.wanted;
}

/*
 * Send a signal to a process or a task. info NULL: the kernel sends it. -EAGAIN: LIMIT_SIGPENDING (realtime signals);
 * -ESRCH: the task has ended. Any context.
 */
int signal_send_process(struct process *process, int signal, const struct signal_info *info);
int signal_send_task(struct task *task, int signal, const struct signal_info *info);

/*
 * Send a signal to every process of a group; 0: only look. -ESRCH: the group has none; -EAGAIN: none could be sent to.
 */
int signal_send_group(int group, int signal, const struct signal_info *info);

/*
 * Send the signal of a fault to the current task, whose program has caused it. Such a signal cannot be ignored or
 * blocked: if it is, the process ends. code: SEGV_MAPERR and its like.
 */
void signal_fault(int signal, int code, uint64_t address);

/*
 * Deliver the signals that are pending and not blocked, on the current task's way to user mode: make a handler's frame,
 * stop, or end the process. Interrupts on. `frame` is task_frame(task_current()); `system_call`: it comes from SYSCALL,
 * whose result is in RAX.
 */
void signal_deliver(struct trap_frame *frame, bool system_call);

/*
 * Return from a handler: rt_sigreturn(2). Takes the registers from the handler's frame on the user's stack, made
 * harmless. Returns the value for RAX, or -ERESTART_MEMORY.
 */
int64_t signal_return(struct trap_frame *frame);

/*
 * Handle signals for fork, exec and exit: copy actions; reset handlers; drop what is pending for a task or a process.
 */
void signal_copy(struct process *to, const struct process *from);
void signal_exec(struct process *process);
void signal_drop(struct task *task);
void signal_drop_process(struct process *process);

/* Set the current task's mask. Signals that it no longer blocks are delivered on the way to user mode. */
void signal_set_blocked(uint64_t mask);

/*
 * Take a pending signal of `mask` from the current task or its process, as rt_sigtimedwait does. Returns its number; 0:
 * none.
 */
int signal_take(uint64_t mask, struct signal_info *ret);

/* Set which signals end the current task's waiting even if they are blocked. */
void signal_set_waited(uint64_t mask);

/* Set an action of the current process: sigaction(2). Pending signals that are ignored from now on are dropped. */
void signal_set_action(int signal, const struct signal_action *action);

/* Linux's stack_t. */
struct signal_stack {
	uint64_t base;
	uint32_t flags;
	uint32_t pad;
	uint64_t size;
};

#define SS_ONSTACK    1U
#define SS_DISABLE    2U
#define SS_AUTODISARM (1U << 31)
#define MINSIGSTKSZ   2048

/* Return the current task's alternate stack, as sigaltstack(2) shows it to a program whose stack pointer is `sp`. */
struct signal_stack signal_stack_get(uint64_t sp);

/*
 * Set the current task's alternate stack. -EPERM (it is in use), -EINVAL (flags), -ENOMEM (too small); it is as before
 * then.
 */
int signal_stack_set(const struct signal_stack *stack, uint64_t sp);
