/*
 * The time-stamp counter's rate.
 */
#pragma once

#include <stdint.h>

/*
 * Ticks a second: from CPUID where the CPU says it, else measured against the PIT for 10 ms.
 * 0 when neither is there. Disturbs PIT channel 2.
 */
uint64_t tsc_measure_frequency(void);
