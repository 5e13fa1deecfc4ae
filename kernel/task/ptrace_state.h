/*
 * The part of struct task for ptrace(2). kernel/task/ptrace.h has the functions.
 */
#pragma once

#include "kernel/lib/list.h"

struct signal_info;
struct tracee;

/* Guard of fields that say nothing else: tasks only, which the kernel does not preempt. */
struct task_tracing {
	/* how the task is traced; NULL: it is not. Interrupt handlers that send signals compare it with NULL only */
	struct tracee *tracee;
	struct link tracees; /* list of the tasks that this one traces, linked by tracee->of_tracer */
	/* while the task is in a ptrace stop: its siginfo, which lies on its stack; NULL: none */
	struct signal_info *info;
	int signal; /* what the tracer has passed on at the end of the task's last stop; 0: no signal */
};
