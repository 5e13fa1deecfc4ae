/*
 * The ACPI power management timer, used to measure the rate of the time-stamp counter on machines with neither HPET nor
 * PIT, and as the clock on machines without HPET where that counter cannot be trusted.
 */
#pragma once

#include "kernel/irq/acpi.h"
#include "kernel/irq/clock.h"

/*
 * Measure for 10 ms how many ticks the time-stamp counter makes in a second. timer: what the FADT says of the timer.
 * Call in the kernel context (the page tables that alone map devices), with interrupts off. Returns ERR_NOT_FOUND (the
 * machine has no such timer, or its counter stands still), and what mmio_map returns.
 */
MUST_CHECK enum status pm_timer_measure_tsc(struct acpi_register timer, uint64_t *ret_frequency);

/*
 * Set *ret to the timer's counter. timer: what the FADT says of the timer. Call once. Returns false when there is no
 * timer, or its counter stands still.
 */
bool pm_timer_counter(struct acpi_register timer, struct clock_counter *ret);
