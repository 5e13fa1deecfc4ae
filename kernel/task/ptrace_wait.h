/*
 * The part of wait4(2) and waitid(2) that tells a tracer of its tracees' stops and ends.
 */
#pragma once

#include "kernel/task/process_wait.h"

/*
 * Look for a tracee of the current process that has news: a stop, or, with WAIT_EXITED, its end. who, options, ret: as
 * for process_wait(). Returns its tid; 0: there is none. Without WAIT_NOWAIT the tracer counts as told.
 */
int ptrace_wait_look(int who, unsigned options, struct wait_result *ret);

/* Return whether the current process has a tracee that `who` and `options` mean. */
bool ptrace_wait_expects(int who, unsigned options);

/* Return whether the current process traces a task of `child`, which then tells of its stops as a tracee. */
bool ptrace_wait_traces(const struct process *child);
