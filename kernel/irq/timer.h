/*
 * Timers: functions to call at a given time. Any number of them share the APIC's timer, which is armed for the
 * earliest. Tickless: while no timer is started no interrupt comes, except for one after a timer was cancelled, on an
 * APIC with neither TSC deadlines nor x2APIC mode.
 */
#pragma once

#include "kernel/irq/timer_queue.h"

/*
 * Set up this CPU's timer. Call with interrupts off, after clock_init(). Returns the timer's name for the boot log. An
 * APIC timer without TSC deadlines is measured against the clock for 10 ms.
 */
const char *timer_init(void);

/*
 * Have timer->fire called when clock_monotonic_ns has reached deadline_ns, never before: from the timer's interrupt,
 * with interrupts off and in whatever context was interrupted, so fire touches the heap and the image only, or enters
 * the kernel context. A deadline that has passed fires as soon as interrupts are on. fire must be short; it may start
 * and cancel timers, its own too, and free its own. A timer that is started already moves to the new deadline. Needs no
 * memory; O(log n). `timer` is the caller's memory, and must stay where it is until it has fired or is cancelled.
 */
void timer_start(struct timer *timer, uint64_t deadline_ns);

/*
 * Start a timer as timer_start() does, but by the wall clock: it fires when clock_realtime_ns() has reached
 * deadline_ns, also when that clock is set meanwhile.
 */
void timer_start_wall(struct timer *timer, uint64_t deadline_ns);

/*
 * Set the wall clock to `ns`. Timers by the wall clock with deadlines up to `ns` fire as soon as interrupts are on.
 */
void timer_set_wall_clock(uint64_t ns);

/* Stop a timer. Returns false when it has fired already, or was never started. */
bool timer_cancel(struct timer *timer);

/* Return the monotonic time, in ns, at which the next timer is due, and an idle CPU must wake; UINT64_MAX: never. */
uint64_t timer_next_ns(void);

/* Return how many timer interrupts have arrived. */
uint64_t timer_interrupts(void);
