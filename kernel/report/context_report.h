/*
 * What contexts and the TLB cost, for the monitor.
 */
#pragma once

#include "kernel/report/print.h"

/* CR3 writes, invalidations, PCIDs, frames in tables. */
void report_contexts(print_fn *print);
