/*
 * Reports what each CPU does.
 */
#pragma once

#include "kernel/report/print.h"

/*
 * Print a line for each CPU: its number and APIC id, the task that runs there, whether it idles, runs a program or is
 * in the kernel, the root of the context that is loaded, its writes of CR3, the messages about changes of page tables
 * that it has sent and served, and for how long it was idle. What other CPUs do changes meanwhile.
 */
void report_cpus(print_fn *print);
