/*
 * Signals: sending, and delivering on the way to user mode (signal(7)).
 */
#pragma once

#include "kernel/task/process.h"

/*
 * What a system call returns that a signal has interrupted, and that may be begun again. signal_deliver turns them into
 * -EINTR or lets the program execute its SYSCALL again; nobody else sees them. Linux's numbers.
 */
#define ERESTARTSYS    512 /* again, if the handler has SA_RESTART or there is none */
#define ERESTARTNOHAND 514 /* again, if there is no handler */
#define ERESTART_SLEEP 517 /* -EINTR when there is a handler; else restart_syscall(2) sleeps on */
#define ERESTART_RESTARTBLOCK \
	516 /* -EINTR when there is a handler; else the caller has made its arguments say what is left */

/* Whether something is to be delivered to the current task before it goes on in user mode: waiting ends with -EINTR. */
static inline bool signal_pending(const struct task *task)
{
	return task->signals.wanted;
}

/* Send to a process or a task. `info` may be NULL: from the kernel. -EAGAIN: LIMIT_SIGPENDING (realtime). Any context. */
int signal_send_process(struct process *process, int signal, const struct signal_info *info);
int signal_send_task(struct task *task, int signal, const struct signal_info *info);

/* To every process of a group; -ESRCH: there is none. */
int signal_send_group(int group, int signal, const struct signal_info *info);

/*
 * A fault of the current task's program: it cannot be ignored or blocked; when it is, the process ends. code: SEGV_MAPERR
 * and its like.
 */
void signal_fault(int signal, int code, uint64_t address);

/*
 * On the way to user mode, interrupts on: deliver what is pending and not blocked: build handler frames, stop, or end
 * the process. The frame is task_frame(task_current()); `system_call`: it comes from SYSCALL, whose result is in RAX.
 */
void signal_deliver(struct trap_frame *frame, bool system_call);

/* rt_sigreturn(2): the frame is as the handler's frame on the user's stack says, made harmless. The result for RAX. */
int64_t signal_return(struct trap_frame *frame);

/* For fork, exec and exit: copy actions; reset handlers; drop what is pending. */
void signal_copy(struct process *to, const struct process *from);
void signal_exec(struct process *process);
void signal_drop(struct task *task);
void signal_drop_process(struct process *process);

/* The current task's mask: what it lets through now may be delivered on its way to user mode. */
void signal_set_blocked(uint64_t mask);

/* Take a pending signal of `mask` from the current task or its process, as rt_sigtimedwait does; 0: there is none. */
int signal_take(uint64_t mask, struct signal_info *ret);

/* Signals that end the current task's waiting though they be blocked. */
void signal_set_waited(uint64_t mask);

/* sigaction(2) of the current process: what is pending and ignored from now on goes. */
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

/* The current task's alternate stack as sigaltstack(2) shows it to one at `sp`. */
struct signal_stack signal_stack_get(uint64_t sp);

/* -EPERM (it is in use), -EINVAL (flags), -ENOMEM (too small); then it is as before. */
int signal_stack_set(const struct signal_stack *stack, uint64_t sp);
