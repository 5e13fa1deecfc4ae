/*
 * The monitor's report on what contexts and the TLB cost.
 */
#pragma once

#include "kernel/report/print.h"

/* Print CR3 writes, invalidations, PCIDs, and the frames that tables take. */
void report_contexts(print_fn *print);
