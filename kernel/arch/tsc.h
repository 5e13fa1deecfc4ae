/*
 * The time-stamp counter's rate in ticks a second, from three sources. Each function returns 0 where its source
 * is missing.
 */
#pragma once

#include <stdint.h>

/* Return the exact rate, from CPUID leaf 15H. */
uint64_t tsc_frequency_by_cpuid(void);

/* Measure the rate against the PIT for 10 ms. Disturbs the PIT's channel 2. Call with interrupts off. */
uint64_t tsc_frequency_by_pit(void);

/* Return the rate to a percent or so: the frequency that the CPU is sold with, from CPUID leaf 16H. */
uint64_t tsc_frequency_by_name(void);
