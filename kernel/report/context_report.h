/*
 * A report on what switching and changing page tables costs: CR3 writes and TLB invalidations.
 */
#pragma once

#include "kernel/report/print.h"

/* Print CR3 writes, invalidations, PCIDs, and the frames that tables take. */
void report_contexts(print_fn *print);
