/*
 * The debug registers of tracees: breakpoints and watchpoints that the CPU looks for.
 */
#pragma once

#include "kernel/task/task.h"

/* Return a debug register of a tracee; 0 for those that do not exist. */
uint64_t ptrace_get_debug(const struct task *task, unsigned index);

/*
 * Set a debug register of a stopped tracee. Returns 0; -EIO (there is no such register), -EINVAL (an address that is no
 * user's, or a condition or a length that it cannot have, as port I/O), with nothing changed.
 */
int ptrace_set_debug(struct task *task, unsigned index, uint64_t value);

/*
 * Give the CPU the debug registers of `task`, which is about to run there. Call with interrupts off, at each switch to
 * a task whose calls go through syscall_run(). A switch to any other task leaves the registers loaded: if they match
 * there, ptrace_debug_trap() turns them off.
 */
void ptrace_load_debug(const struct task *task);

/*
 * Look at a #DB of the current task. Returns the si_code of the SIGTRAP that it gets, or 0 if there is nothing to tell:
 * a register of another task has matched.
 */
struct trap_frame;
int ptrace_debug_trap(struct trap_frame *frame);

/* Have a #DB ignored that comes when kernel code touches user memory which a tracer watches. Call once, at boot. */
void ptrace_debug_init(void);
