/*
 * The high-precision event timer, used only as a clock to measure other clocks by.
 */
#pragma once

#include "paging/types.h"

/*
 * Measure for 10 ms how many ticks the time-stamp counter makes in a second. pa: of the HPET's registers. In the kernel
 * context, interrupts off. Returns ERR_NOT_FOUND (nothing at `pa` counts), and what mmio_map returns.
 */
MUST_CHECK enum status hpet_measure_tsc(paddr_t pa, uint64_t *ret_frequency);
