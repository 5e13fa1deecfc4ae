/*
 * What a task has to do with futexes; kernel/sys/futex_pi.c and futex_robust.c use it. Guard of all: tasks only, which
 * the kernel does not preempt.
 */
#pragma once

#include "kernel/lib/list.h"

struct pi_waiter;

/* Guard: tasks only, which the kernel does not preempt. */
struct task_futexes {
	uint64_t robust_list;     /* user address: set_robust_list(2)'s head */
	struct link owned;        /* the task's priority-inheritance locks that others wait for; zeros: none yet */
	struct pi_waiter *waiter; /* while the task waits for such a lock: its place in the queue; or NULL */
	bool ended;               /* the task ends, and has given up its locks */
};
