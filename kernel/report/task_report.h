/*
 * Tasks and system calls, for the monitor.
 */
#pragma once

#include <stdbool.h>

#include "kernel/report/backtrace.h"
#include "kernel/report/print.h"

struct task;

/* A line a task: number, process, state, context, CPU time, pages. */
void report_tasks(print_fn *print);

/* A line a system call that was made: how often, CR3 writes, ticks; the most expensive first. */
void report_syscalls(print_fn *print);

/*
 * Where a task is: its system call, and who called whom in the kernel; for the one that has the CPU from `running` on,
 * unless that is NULL. In the kernel context; never faults.
 */
void report_where(print_fn *print, const struct task *task, const struct backtrace_start *running);

/* Does it wait for what comes from outside: a read of a device, or one of several files? */
bool report_waits_for_input(const struct task *task);
