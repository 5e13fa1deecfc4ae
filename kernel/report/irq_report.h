/*
 * The monitor's view of interrupts and time.
 */
#pragma once

#include "kernel/report/print.h"

/* What time it is, when the next timer fires, and each vector's interrupts so far. */
void report_irqs(print_fn *print);
