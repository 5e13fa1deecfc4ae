/*
 * Channel 0 of the PIT, the timer of the first PCs, whose output is ISA interrupt 0. At any time it has one user: the
 * timers on a machine without a local APIC, otherwise the watchdog or a self-test. "Any context" below means that any
 * page tables may be loaded.
 */
#pragma once

#include <stdint.h>

#define PIT_FREQUENCY 1193182ULL /* ticks a second */

/*
 * Have channel 0 interrupt once, after `ticks` of its ticks, 1 to 65,535. A time that was set before is forgotten. May
 * be called in any context.
 */
void pit_start_once(uint16_t ticks);

/*
 * Stop the interrupts of channel 0. One may still come at the time that was set before, but none after it. May be
 * called in any context.
 */
void pit_stop(void);

/* Have channel 0 interrupt again and again, as slowly as it can: 18.2 times a second. */
void pit_start_slow_rate(void);
