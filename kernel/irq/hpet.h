/*
 * The high-precision event timer, as a clock to measure others by; nothing else is asked of it.
 */
#pragma once

#include "paging/types.h"

/*
 * Ticks of the time-stamp counter a second, measured for 10 ms. pa: of the HPET's registers. In the kernel context,
 * interrupts off. Returns ERR_NOT_FOUND (nothing there that counts), and what mmio_map returns.
 */
MUST_CHECK enum status hpet_measure_tsc(paddr_t pa, uint64_t *ret_frequency);
