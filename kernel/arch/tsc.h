/*
 * The time-stamp counter's rate in ticks a second, by what every CPU or PC may have; 0 when it does not say.
 */
#pragma once

#include <stdint.h>

/* Exactly, from CPUID leaf 15H. */
uint64_t tsc_frequency_by_cpuid(void);

/* Measured against the PIT for 10 ms. Disturbs its channel 2. Wants interrupts off. */
uint64_t tsc_frequency_by_pit(void);

/* To a percent or so: what the CPU is sold as, from CPUID leaf 16H. */
uint64_t tsc_frequency_by_name(void);
