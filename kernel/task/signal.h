/*
 * Signals (signal(7)): sending them, and delivering them on the way to user mode.
 */
#pragma once

#include "kernel/task/process.h"

/*
 * Errors inside the kernel of a system call that a signal has interrupted; the numbers are Linux's, but for
 * ERESTART_GO_ON, which Linux does not have. signal_deliver() makes the program execute its SYSCALL again, or turns
 * them into -EINTR:
 */
#define ERESTARTSYS           512 /* restart if the handler has SA_RESTART, or if no handler runs */
#define ERESTARTNOINTR        513 /* restart in any case */
#define ERESTARTNOHAND        514 /* restart if no handler runs */
#define ERESTART_GO_ON        517 /* if no handler runs, restart by restart_syscall(2), which reads task->restart */
#define ERESTART_RESTARTBLOCK 516 /* restart if no handler runs, with the same arguments */

/*
 * Return whether the task must handle a signal, or end, before it goes on in user mode. A system call that waits then
 * returns -EINTR or an ERESTART… error.
 */
static inline bool signal_pending(const struct task *task)
{
	return task->signals.wanted;
}

/*
 * Have task_return() (user_return.h) called before the task next enters user mode, even if it has no signal: for other
 * work that has to be done there.
 */
void signal_want_return(struct task *task);

/* Set the interval at which the process's alarm (setitimer(2)) rings again; 0: not again. */
void signal_set_alarm_interval(struct process *process, uint64_t ns);

/*
 * Send a signal to a process or a task. info: siginfo; NULL: a signal from the kernel, without siginfo. Returns 0,
 * -EAGAIN (a realtime signal beyond LIMIT_SIGPENDING), -ESRCH (the task has ended). Interrupt handlers may call these
 * with `info` NULL.
 */
int signal_send_process(struct process *process, int signal, const struct signal_info *info);
int signal_send_task(struct task *task, int signal, const struct signal_info *info);

/*
 * Send a signal to every process of a group; with signal 0 only check that there is one. Returns 0, -ESRCH (the group
 * has no process), or -EAGAIN (no process could be sent the signal).
 */
int signal_send_group(int group, int signal, const struct signal_info *info);

/*
 * Do signal_send_group() for a system call, with other tasks in between, to those processes that the current task may
 * signal; those that join the group meanwhile get the signal, too. Returns also -EPERM: the task may signal none of
 * them. Ends early when the current task must end.
 */
int signal_send_group_in_steps(int group, int signal, const struct signal_info *info);

/*
 * Send the current task the signal of a fault that its program has caused. If the program has no handler for the
 * signal, or blocks it, the process ends. code: si_code, such as SEGV_MAPERR.
 */
void signal_fault(int signal, int code, uint64_t address);
void signal_fault_as(int signal, const struct signal_info *info); /* with any siginfo; its `signal` is not used */

/*
 * Deliver the current task's pending signals that are not blocked, on the way to user mode: write a handler's frame,
 * stop the task, or kill the process. `frame`: task_frame(task_current()). `system_call`: the frame is of a system
 * call, with its result in RAX. Call with interrupts on.
 */
void signal_deliver(struct trap_frame *frame, bool system_call);

/*
 * Return from a handler: rt_sigreturn(2). Loads the registers from the frame on the user's stack; segments and flags
 * that user mode must not change are kept. Returns the value for RAX, or -ERESTART_MEMORY.
 */
int64_t signal_return(struct trap_frame *frame);

/*
 * signal_begin: give a new process actions, copies of those of `from`, or the defaults if that is NULL; returns 0 or
 * -ENOMEM. signal_end: free the actions of a process that has ended, or never began. signal_exec: reset handlers and
 * the alternate stack, for execve. signal_drop: drop the pending signals of a task that ends. signal_drop_some: drop
 * some of those of a process that ends, and return whether any are left.
 */
int signal_begin(struct process *process, const struct process *from);
void signal_end(struct process *process);
void signal_exec(struct process *process);
void signal_drop(struct task *task);
bool signal_drop_some(struct process *process);

/*
 * Set the current task's mask of blocked signals. Pending signals that are no longer blocked are delivered on the way
 * to user mode.
 */
void signal_set_blocked(uint64_t mask);

/*
 * Remove a pending signal of `mask` from the current task or its process, for rt_sigtimedwait(2). Returns its number,
 * or 0 when there is none.
 */
int signal_take(uint64_t mask, struct signal_info *ret);

/* Set which signals wake the current task even though they are blocked, for rt_sigtimedwait(2). */
void signal_set_waited(uint64_t mask);

/* Set a signal's action in the current process: sigaction(2). If it is now ignored, pending ones are dropped. */
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

/* Return the current task's alternate stack for sigaltstack(2). sp: the program's stack pointer, for SS_ONSTACK. */
struct signal_stack signal_stack_get(uint64_t sp);

/*
 * Set the current task's alternate stack. sp: the program's stack pointer. Returns 0; or, with nothing changed, -EPERM
 * (`sp` is on the alternate stack), -EINVAL (flags), -ENOMEM (too small).
 */
int signal_stack_set(const struct signal_stack *stack, uint64_t sp);
