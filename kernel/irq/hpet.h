/*
 * The high-precision event timer (HPET), used to measure the rate of the time-stamp counter, and as the clock where
 * that counter cannot be trusted.
 */
#pragma once

#include "kernel/irq/clock.h"

/*
 * Measure for 10 ms how many ticks the time-stamp counter makes in a second. pa: where the HPET has its registers. Call
 * in the kernel context (the page tables that alone map devices), with interrupts off. Returns ERR_NOT_FOUND (no
 * working HPET at `pa`), and what mmio_map returns.
 */
MUST_CHECK enum status hpet_measure_tsc(paddr_t pa, uint64_t *ret_frequency);

/* Set *ret to the HPET's counter, once hpet_measure_tsc() has found that it works. Returns false when it has not. */
bool hpet_counter(struct clock_counter *ret);
