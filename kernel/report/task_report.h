/*
 * Reports on tasks and system calls, for the monitor (the kernel's own prompt) and sysfs.
 */
#pragma once

#include <stdbool.h>

#include "kernel/report/backtrace.h"
#include "kernel/report/print.h"

struct task;

/* Print a line for each task: number, process, state, context, pages, CPU time, name; then one for each zombie. */
void report_tasks(print_fn *print);

/* Print a line for each system call that was made: count, CR3 writes, TSC ticks; the most expensive call first. */
void report_syscalls(print_fn *print);

/*
 * Print where a task is: its system call, and a backtrace of its kernel stack. For the task that runs now the backtrace
 * starts at `running`, and is left out when `running` is NULL. Never faults. Call in the kernel context, the page
 * tables that alone map all RAM.
 */
void report_where(print_fn *print, const struct task *task, const struct backtrace_start *running);

/* Return whether the task is blocked in a read of a character device, or in poll, ppoll, select or pselect6. */
bool report_waits_for_input(const struct task *task);
