/*
 * What the files about signals share: signal.c (sending), signal_set.c (sets), signal_deliver.c (what a signal does),
 * signal_frame.c (the handler's frame on the user's stack), signal_stack.c (the alternate stack).
 */
#pragma once

#include "kernel/task/process_internal.h"
#include "kernel/task/signal.h"
#include "kernel/task/signal_numbers.h"

#define SYSCALL_LENGTH 2 /* bytes of the SYSCALL instruction, for executing it again */

/* The signals that can be neither blocked nor handled. */
#define SIGNALS_UNSTOPPABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* What signals without a handler do (signal(7)): these are ignored or stop the process; the rest end it. */
#define SIGNALS_IGNORED  (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))
#define SIGNALS_STOPPING (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

/* The signals that a task's own instructions cause: they are delivered first. */
#define SIGNALS_SYNCHRONOUS                                                                                         \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) | \
	 SIGNAL_BIT(SIGSYS))

/*
 * Guards the signals that wait for all tasks and processes, which have stopped, and what their parents are told. Taken
 * before the queues of those who wait, and before task_lock.
 */
extern struct lock signal_lock;

/* Drop all signals in `mask` that wait in `set`, which is the process's or one of its tasks'. signal_lock is held. */
void signal_set_drop(struct process *process, struct signal_set *set, uint64_t mask);

/* Take a signal of `mask` out of `set`, which has at least one. Returns its number. signal_lock is held. */
int signal_set_take(struct process *process, struct signal_set *set, uint64_t mask, struct signal_info *ret);

/*
 * Put a signal into `set`; info NULL: the kernel sends it. -EAGAIN: no room, which sigqueue(3) returns. signal_lock is
 * held.
 */
int signal_set_add(struct process *process, struct signal_set *set, int signal, const struct signal_info *info);

/* Free the structures that no longer wait for a signal. Not in an interrupt handler. signal_lock is held. */
void signal_free_spare(struct process *process);

/* Compute task->signals.wanted anew; _held: signal_lock is held. */
void signal_recompute(struct task *task);
void signal_recompute_held(struct task *task);

/* Send a signal as signal_send_process() does, with signal_lock held. */
int signal_send_process_held(struct process *process, int signal, const struct signal_info *info);

/* Stop a process: its tasks stop on their way to user mode, and its parent is told. */
void signal_stop_process(struct process *process, int signal);

/*
 * Set the result and RIP of a task that was interrupted in a system call, in its frame. `handler`: the action that is
 * taken, or NULL.
 */
void signal_finish_call(struct trap_frame *frame, const struct signal_action *handler);

/* Take a signal as signal_take() does; the caller calls signal_recompute or signal_set_blocked after it. */
int signal_take_quietly(uint64_t mask, struct signal_info *ret);

/* Prepare what all frames have in common. Called once, at start, after fpu_init. */
void signal_frame_init(void);

/*
 * Put a handler's frame on the user's stack and let `frame` go to the handler. Returns ERR_FAULT (the stack is not the
 * user's to write, no restorer, or a handler that is no user's address), ERR_NO_MEMORY; `frame` is as before then.
 */
MUST_CHECK enum status signal_frame_push(struct trap_frame *frame, const struct signal_action *action,
					 const struct signal_info *info, uint64_t blocked);

/* Return whether the alternate stack is in use by a program whose stack pointer is `sp`. */
static inline bool signal_stack_is_used(const struct task *task, uint64_t sp)
{
	const struct task_signals *signals = &task->signals;

	/* A stack that disarms itself is never in use: the handler may switch away from it. */
	return sp > signals->stack_base && sp - signals->stack_base <= signals->stack_size &&
	       !(signals->stack_flags & SS_AUTODISARM);
}
