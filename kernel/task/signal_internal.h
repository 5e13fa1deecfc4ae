/*
 * Functions that the files about signals share: signal.c (sending), signal_set.c (sets of pending signals),
 * signal_deliver.c (delivery), signal_frame.c (a handler's frame on the user's stack), signal_stack.c (the alternate
 * stack).
 */
#pragma once

#include "kernel/task/process_internal.h"
#include "kernel/task/signal.h"
#include "kernel/task/signal_numbers.h"

#define SYSCALL_LENGTH 2 /* bytes of the SYSCALL instruction: RIP goes back by them to execute it again */

/* The signals that can be neither blocked nor handled. */
#define SIGNALS_UNSTOPPABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* Signals that by default are ignored, or stop the process (signal(7)); all others end it. */
#define SIGNALS_IGNORED  (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))
#define SIGNALS_STOPPING (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

/* The signals that exceptions cause; they are delivered before others. */
#define SIGNALS_SYNCHRONOUS                                                                                         \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) | \
	 SIGNAL_BIT(SIGSYS))

/*
 * Guards the pending signals of all tasks and processes, process->stopped and continued, what parents are told, and
 * which tasks of a process are still to be woken (process_kill.c). Take it before wait queues' locks and before
 * task_lock.
 */
extern struct lock signal_lock;

/*
 * Drop the signals in `mask` from `set`, the process's set or that of one of its tasks. The caller holds signal_lock.
 */
void signal_set_drop(struct process *process, struct signal_set *set, uint64_t mask);

/* Drop the signals in `set` that timers of timer_create(2) have sent. The caller holds signal_lock. */
void signal_set_drop_timers(struct process *process, struct signal_set *set);

/* Remove a signal of `mask` from `set`, which must have one. Returns its number. The caller holds signal_lock. */
int signal_set_take(struct process *process, struct signal_set *set, uint64_t mask, struct signal_info *ret);

/*
 * Copy up to `most` siginfos of `set`, from the one with index `first` on, without taking them out. Returns how many
 * were copied. The caller holds signal_lock.
 */
unsigned signal_set_peek(const struct signal_set *set, uint64_t first, struct signal_info *ret, unsigned most);

/*
 * Add a signal to `set`; info NULL: a signal from the kernel. Returns 0, or -EAGAIN when there is no room for a signal
 * of sigqueue(3). The caller holds signal_lock.
 */
int signal_set_add(struct process *process, struct signal_set *set, int signal, const struct signal_info *info);

/*
 * Add to `set` a siginfo that belongs to its sender (siginfo->taken is not NULL) and is in no set. Needs no memory. The
 * caller holds signal_lock.
 */
void signal_set_add_own(struct signal_set *set, struct signal_queued *siginfo);

/*
 * Send the signal siginfo->info.signal with a siginfo of the sender's own to a process, or if `task` is not NULL to
 * that task of it. Returns whether the signal is pending now: not when it is ignored, or kills the process. The caller
 * holds signal_lock.
 */
bool signal_send_own_held(struct process *process, struct task *task, struct signal_queued *siginfo);

/*
 * Free a few of the siginfos in process->signals.spare. Returns whether some are left. Not for interrupt handlers. The
 * caller holds signal_lock.
 */
bool signal_free_some(struct process *process);

/*
 * Compute anew task->signals.wanted, whether the task must call task_return() before user mode: after pending or
 * blocked signals have changed. For _held the caller holds signal_lock.
 */
void signal_recompute(struct task *task);
void signal_recompute_held(struct task *task);

/* Do signal_send_process(); the caller holds signal_lock. */
int signal_send_process_held(struct process *process, int signal, const struct signal_info *info);

/* Return how many processes are stopped. */
size_t signal_stopped_processes(void);

/* Let a process that has ended count as neither stopped nor continued. */
void signal_end_stop(struct process *process);

/* Stop a process by `signal`: its tasks stop on their way to user mode, and its parent is told. */
void signal_stop_process(struct process *process, int signal);

/*
 * If `frame` has an ERESTART… result of a system call, replace the result by -EINTR, or move RIP back so that the
 * call is executed again. `handler`: the action of the handler that runs, or NULL.
 */
void signal_finish_call(struct trap_frame *frame, const struct signal_action *handler);

/* Do signal_take(), but leave it to the caller to call signal_recompute() or signal_set_blocked() afterwards. */
int signal_take_quietly(uint64_t mask, struct signal_info *ret);

/* Prepare the constant part of signal frames. Call once, after fpu_init(). */
void signal_frame_init(void);

/*
 * Write a handler's frame to the user's stack, and set `frame` to start the handler. Returns OK; or, with `frame` as
 * before, ERR_FAULT (the stack cannot be written, no restorer, or the handler is no user address), ERR_NO_MEMORY.
 */
MUST_CHECK enum status signal_frame_push(struct trap_frame *frame, const struct signal_action *action,
					 const struct signal_info *info, uint64_t blocked);

/* Return whether the stack pointer `sp` is on the task's alternate stack. */
static inline bool signal_stack_is_used(const struct task *task, uint64_t sp)
{
	const struct task_signals *signals = &task->signals;

	/* With SS_AUTODISARM the stack never counts as in use, since the handler may switch to another one. */
	return sp > signals->stack_base && sp - signals->stack_base <= signals->stack_size &&
	       !(signals->stack_flags & SS_AUTODISARM);
}
