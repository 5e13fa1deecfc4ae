/*
 * The monitor's reports on tasks and system calls.
 */
#pragma once

#include <stdbool.h>

#include "kernel/report/backtrace.h"
#include "kernel/report/print.h"

struct task;

/* Print a line for each task: number, process, state, context, CPU time, pages. */
void report_tasks(print_fn *print);

/* Print a line for each system call that was made: how often, CR3 writes, ticks; the most expensive first. */
void report_syscalls(print_fn *print);

/*
 * Print where a task is: its system call, and a backtrace in the kernel; for the task that has the CPU the backtrace
 * starts at `running`, and is left out when that is NULL. In the kernel context; never faults.
 */
void report_where(print_fn *print, const struct task *task, const struct backtrace_start *running);

/* Return whether the task waits for something from outside: it reads a device, or waits for one of several files. */
bool report_waits_for_input(const struct task *task);
