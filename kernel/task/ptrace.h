/*
 * Tracing: ptrace(2). A task, the tracer, controls others, its tracees: they stop where something happens to them, and
 * go on when the tracer says so. A tracee is stopped when it has left the CPU in ptrace_stop(); all that is known of it
 * is in its trap frame and its save areas then.
 *
 * Files: ptrace_stop.c (stops), ptrace_attach.c (begin and end of tracing), ptrace_events.c (what a tracee stops for),
 * ptrace_registers.c and ptrace_debug.c (its registers), kernel/sys/sys_ptrace.c (requests).
 */
#pragma once

#include "kernel/task/tracee.h"

/* ---- ptrace_stop.c ---- */

/*
 * Stop the current task, tell its tracer why by `code`, and wait until the tracer lets it go on. info: what
 * PTRACE_GETSIGINFO reads, and PTRACE_SETSIGINFO changes, or NULL. The task must be traced before; afterwards it may be
 * traced no longer. Returns the signal that the tracer passes on, or 0. A task that must end does not wait.
 */
int ptrace_stop(int code, struct signal_info *info);

/*
 * Do ptrace_stop() with a siginfo made from `code`, for all stops but those of a signal. message: PTRACE_GETEVENTMSG's
 */
int ptrace_notify(int code, uint64_t message);

/* Let a stopped tracee go on as `run` says, and pass a signal on to it; 0: none. */
void ptrace_resume(struct tracee *tracee, enum ptrace_run run, int signal);

/* Ask a tracee to stop soon: it stops on its way to user mode. If it waits in a system call, the wait ends. */
void ptrace_call_to_stop(struct task *task);

/*
 * Put the tracee among the news of its tracer's process, send that SIGCHLD with `code` and `status` in its siginfo, and
 * wake the tasks that wait in wait4(2). The caller holds signal_lock.
 */
void ptrace_tell_held(struct tracee *tracee, int code, int status);

/* ---- ptrace_attach.c ---- */

/*
 * Begin to trace `task` for the current task: ptrace_attach() stops it by SIGSTOP, ptrace_seize() does not. ptrace_me()
 * makes the parent the tracer of the current task. Return 0, -EPERM, -ENOMEM; the former two also -ESRCH.
 */
int ptrace_attach(struct task *task);
int ptrace_seize(struct task *task, unsigned options);
int ptrace_me(void);

/*
 * Let go of a tracee, which is stopped or has ended, and pass a signal on to it. The pointer is not valid any more.
 */
void ptrace_detach(struct tracee *tracee, int signal);

/* Forget a tracee that has ended. The pointer is not valid any more. */
void ptrace_forget(struct tracee *tracee);

/* Let go of all tracees of the current task, which ends, and kill those with PTRACE_O_EXITKILL. */
void ptrace_end_tracer(void);

/* Tell the tracer of the current task, if it has one, that the task ends with the wait status `status`. */
void ptrace_end_tracee(int status);

/*
 * Make a new child of the current task a tracee of the current task's tracer, if the tracer wants it. flags: CLONE_….
 * *ret_event: the event that the current task is to report by ptrace_event() when it has started the child, or 0.
 * Returns 0, or -ENOMEM with nothing changed.
 */
int ptrace_take_child(struct task *child, uint64_t flags, enum ptrace_event *ret_event);

/* Have a traced child stop before its first instruction. Call before it starts. */
void ptrace_stop_child(struct task *child);

/* Undo ptrace_take_child(), for a child that never starts. */
void ptrace_drop_child(struct task *child);

/* Return whether the task has no tracer, or one with CAP_SYS_PTRACE: only then may execve(2) give the task rights. */
bool ptrace_is_capable(const struct task *task);

/* ---- ptrace_events.c ---- */

/* Stop for an event if the tracer wants that. Call in the current task. */
void ptrace_event(enum ptrace_event event, uint64_t message);
void ptrace_exec(int old_tid); /* report an execve(2): by its event or, without that option, SIGTRAP unless seized */

/*
 * Stop for a signal that is about to be delivered. Returns the signal to be delivered in its place, with its siginfo in
 * *info, or 0.
 */
int ptrace_signal(int signal, struct signal_info *info);

/*
 * If the tracer steps the current task, end the step, since the task stops when a signal handler begins. Returns
 * whether there was a step.
 */
bool ptrace_step_ends(struct trap_frame *frame);

/* Do the stop that ptrace_call_to_stop(), or a stop of the process, asks for. */
void ptrace_trap(void);

/*
 * Stop at the beginning and at the end of a system call, if the tracer wants that. Call for traced tasks only.
 * ptrace_call_begins() returns false if the call is not to be made: its result is in the frame.
 */
bool ptrace_call_begins(struct trap_frame *frame);
void ptrace_call_ends(struct trap_frame *frame);

/* Send the current task the signal that its tracer has passed on at a stop that was not for a signal; 0: none. */
void ptrace_send(int signal);
