/*
 * What time it is: nanoseconds, computed from the time-stamp counter, or from another counter where that cannot be
 * trusted. Reading a clock takes no lock, and works whatever page tables are loaded, with interrupts on or off.
 */
#pragma once

#include "kernel/irq/tsc_compare.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_US 1000ULL

/*
 * Start both clocks, the monotonic one and the wall clock. tsc_frequency: ticks a second, not 0. tsc_start: the TSC's
 * value at which monotonic time is 0.
 * Before this call both clocks read 0.
 */
void clock_init(uint64_t tsc_frequency, uint64_t tsc_start);

/* A counter that can be read in any context, and how long a count takes: units / per_second seconds. */
struct clock_counter {
	struct tsc_reference by;
	uint64_t units, per_second; /* per_second at most 10^15; a count takes less than 1 ms */
};

/*
 * Compute the times from this counter from now on, not from the time-stamp counter. The times go on from what they
 * are, and the vDSO makes system calls. Somebody must read the clock at least once before the counter comes round.
 * Call once, after clock_init(), while no other CPU reads a clock.
 */
void clock_use_counter(const struct clock_counter *counter);

/*
 * Return the clock's ticks, for clock_ns_at(): the time-stamp counter's value, or what it would be at clock_init()'s
 * rate.
 */
uint64_t clock_ticks(void);

/* Return how many ticks the time-stamp counter makes in a second, as clock_init was told; 0 before that. */
uint64_t clock_tsc_frequency(void);

/* Return the nanoseconds since the loader's first instruction. Never goes back. */
uint64_t clock_monotonic_ns(void);

/* Return what clock_monotonic_ns() says when clock_ticks() returns `tsc`; 0 before clock_init. */
uint64_t clock_ns_at(uint64_t tsc);

/* Return the nanoseconds since 1970-01-01 00:00:00 UTC; until somebody has set the clock, clock_monotonic_ns(). */
uint64_t clock_realtime_ns(void);

/*
 * clock_set_realtime: set the wall clock to `ns`, which must not be less than clock_monotonic_ns().
 * clock_move_realtime: move it by `ns`, but not to before clock_monotonic_ns(). The monotonic clock does not change.
 * Timers that wait for a wall clock time do not notice either call: after timer_init() call timer_set_wall_clock() and
 * timer_move_wall_clock() instead.
 */
void clock_set_realtime(uint64_t ns);
void clock_move_realtime(int64_t ns);

/*
 * Return the monotonic time at which the wall clock, as it is set now, shows `realtime_ns`; 0 for a time before boot.
 */
uint64_t clock_monotonic_at(uint64_t realtime_ns);

/*
 * Return the address of the page, aligned, that holds a struct clock_page (clock_page.h) and nothing else: programs map
 * it and compute times by it, the same as the functions here.
 */
const void *clock_page(void);

/* Return the first TSC value at which clock_monotonic_ns says `ns` or more; UINT64_MAX for never. */
uint64_t clock_tsc_at(uint64_t ns);
