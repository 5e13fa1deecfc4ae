/*
 * A print_fn that keeps what is said, for tests of printers.
 */
#pragma once

#include "kernel/report/print.h"

/* All that printed_keep was given since printed_clear. */
extern char printed[16384];

void printed_clear(void);
print_fn printed_keep;
