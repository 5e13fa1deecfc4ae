/*
 * A report on interrupts and time, for the monitor (the kernel's own prompt) and sysfs.
 */
#pragma once

#include "kernel/report/print.h"

/* Print what time it is, when the next timer fires, and how many interrupts each vector has had. */
void report_irqs(print_fn *print);
