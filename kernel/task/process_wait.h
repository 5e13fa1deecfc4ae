/*
 * Waiting for children: wait4(2), waitid(2).
 */
#pragma once

#include "kernel/task/core.h"
#include "kernel/task/process.h"

/* Options of wait4(2) and waitid(2). */
enum wait_options {
	WAIT_NO_HANG = 1,
	WAIT_UNTRACED = 2, /* WSTOPPED */
	WAIT_EXITED = 4,   /* waitid's WEXITED; wait4(2) sets it always */
	WAIT_CONTINUED = 8,
	WAIT_NOWAIT = 0x1000000,
	WAIT_THREADS = 0x20000000, /* __WNOTHREAD */
	WAIT_ALL = 0x40000000,
	WAIT_CLONE = 0x80000000,
};

/* The result of wait4(2) and waitid(2) for a child. */
struct wait_result {
	int pid;
	uint32_t uid;        /* the child's real user */
	int status;          /* wait4(2)'s status */
	struct usage used;   /* by the child and by children that it has waited for */
	bool trapped;        /* the status is that of a tracee's stop which is no stop of its process */
	uint64_t most_pages; /* most pages that the child, or one of those children, had in memory at once */
};

/* siginfo's `code` (CLD_…) and `status` of a task or process that has ended. */
struct wait_end {
	int code, status;
};

/* Return how a task or process has ended, from the status that wait4(2) reports for it. */
static inline struct wait_end wait_end_of(int status)
{
	const int signal = status & 0x7f;

	if (!signal)
		return (struct wait_end){ CLD_EXITED, status >> 8 & 0xff };
	return (struct wait_end){ status & WAIT_STATUS_CORE ? CLD_DUMPED : CLD_KILLED, signal };
}

/*
 * Wait for a child of the current process. who: > 0 the child with that pid, -1 any, 0 those in the caller's process
 * group, < -1 those in the group -who. options: enum wait_options. Returns the pid; 0 (with WAIT_NO_HANG: no child has
 * changed yet), -ECHILD, -EINTR.
 */
int process_wait(int who, unsigned options, struct wait_result *ret);

/*
 * Wait for `child`, which the caller holds, as process_wait() does. Returns -ECHILD also when the process was waited
 * for before, even if another one has its number by now.
 */
int process_wait_for(const struct process *child, unsigned options, struct wait_result *ret);
