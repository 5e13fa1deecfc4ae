/*
 * Tasks and system calls, for the monitor.
 */
#pragma once

#include "kernel/debug/print.h"

/* A line a task: number, process, state, context, CPU time, pages. */
void report_tasks(print_fn *print);

/* A line a system call that was made: how often, CR3 writes, ticks; the most expensive first. */
void report_syscalls(print_fn *print);
