/*
 * What a process asks of its children: wait4(2), waitid(2).
 */
#pragma once

#include "kernel/task/process.h"

/* Options of wait4(2) and waitid(2). */
enum wait_options {
	WAIT_NO_HANG = 1,
	WAIT_UNTRACED = 2, /* WSTOPPED */
	WAIT_EXITED = 4,   /* of waitid; wait4 always means it */
	WAIT_CONTINUED = 8,
	WAIT_NOWAIT = 0x1000000,
	WAIT_THREADS = 0x20000000, /* __WNOTHREAD */
	WAIT_ALL = 0x40000000,
	WAIT_CLONE = 0x80000000,
};

/* What wait4(2) and waitid(2) tell of a child. */
struct wait_result {
	int pid;
	int status;                  /* the status that wait4(2) tells */
	uint64_t run_ns;             /* CPU time, with its children's */
	uint64_t faults, most_pages; /* page faults, likewise; pages resident at once in it or a child */
};

/*
 * Wait for a child of the current process. who: > 0 a pid, -1 any, 0 those of its own group, < -1 those of group -who.
 * options: enum wait_options. Returns the pid; 0 (WAIT_NO_HANG: none yet), -ECHILD, -EINTR.
 */
int process_wait(int who, unsigned options, struct wait_result *ret);
