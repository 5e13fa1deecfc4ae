/*
 * Timers: functions to call at a given time. Any number of them share the APIC's timer, or the PIT where there is no
 * local APIC, which is armed for the earliest deadline. There is no periodic tick: the hardware interrupts only when a
 * timer is due. Two exceptions: without TSC deadlines and without x2APIC mode, an interrupt also comes at the deadline
 * of a timer that was cancelled; and from the PIT one comes at least every 55 ms while a timer is started.
 */
#pragma once

#include "kernel/irq/timer_queue.h"

/*
 * Begin to measure this CPU's APIC timer, if it has no TSC deadlines. Call with interrupts off, when the APIC works and
 * before the clock is measured: both then take the same 10 ms.
 */
void timer_prepare(void);

/*
 * Set up this CPU's timer. Call with interrupts off, after timer_prepare() and clock_init(). Returns the timer's name
 * for the boot log. Waits until the APIC timer has been measured for 10 ms.
 */
const char *timer_init(void);

/*
 * Set up the timer of a CPU that starts later, of the same kind as the first CPU's. Call on that CPU, with interrupts
 * off.
 */
void timer_start_cpu(void);

/*
 * Do without TSC deadlines from now on: an APIC timer that used them counts down instead. Call on the first CPU, with
 * interrupts off. Each CPU that has called timer_start_cpu() by then must call that again before it starts a timer.
 */
void timer_leave_tsc(void);

/*
 * Have timer->fire called as soon as clock_monotonic_ns() has reached deadline_ns and interrupts are on. It is called
 * by the timer's interrupt, with interrupts off and in whatever context (set of page tables) was interrupted: so `fire`
 * may touch only the heap and the kernel image, or must enter the kernel context. `fire` must be short; it may start
 * and cancel timers, including its own, and may free its own. A timer that is started already moves to the new
 * deadline. Allocates no memory; O(log n). `timer` is the caller's memory, and must stay where it is until it has fired
 * or is cancelled.
 */
void timer_start(struct timer *timer, uint64_t deadline_ns);

/*
 * Start a timer as timer_start() does, but by the wall clock: it fires when clock_realtime_ns() has reached
 * deadline_ns, also if somebody sets the wall clock before that.
 */
void timer_start_wall(struct timer *timer, uint64_t deadline_ns);

/*
 * timer_set_wall_clock: set the wall clock to `ns`. timer_move_wall_clock: move it by `ns`, without losing the time
 * that passes during the call. Timers by the wall clock whose deadlines have then passed fire as soon as interrupts are
 * on.
 */
void timer_set_wall_clock(uint64_t ns);
void timer_move_wall_clock(int64_t ns);

/* Stop a timer. Returns false when it has fired already, or was never started. */
bool timer_cancel(struct timer *timer);

/* Return the monotonic time, in ns, at which the next timer is due; UINT64_MAX: no timer is started. */
uint64_t timer_next_ns(void);

/* Return how many timer interrupts have arrived. */
uint64_t timer_interrupts(void);
