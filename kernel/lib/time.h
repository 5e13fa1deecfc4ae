/*
 * Sums of times in nanoseconds that stop at TIME_MOST_NS instead of wrapping: programs choose the summands, and a
 * deadline that has wrapped would be in the past, so its timer would fire at once. scripts/check-times finds deadlines
 * that are added up with a raw `+`.
 */
#pragma once

#include <stdint.h>

#define TIME_NEVER   UINT64_MAX
#define TIME_MOST_NS (TIME_NEVER - 1) /* the last time that there is */

/* Return ns + more, but at most TIME_MOST_NS. */
static inline uint64_t time_add(uint64_t ns, uint64_t more)
{
	uint64_t sum;

	return __builtin_add_overflow(ns, more, &sum) || sum > TIME_MOST_NS ? TIME_MOST_NS : sum;
}

/* Return ns + count * interval, but at most TIME_MOST_NS. */
static inline uint64_t time_add_times(uint64_t ns, uint64_t count, uint64_t interval)
{
	uint64_t product;

	return __builtin_mul_overflow(count, interval, &product) ? TIME_MOST_NS : time_add(ns, product);
}

/* Return how many whole intervals have passed from `at` to `now`: 0 while `now` is before `at`. interval: not 0. */
static inline uint64_t time_intervals(uint64_t at, uint64_t interval, uint64_t now)
{
	return now > at ? (now - at) / interval : 0;
}

/*
 * Return the first of at, at + interval, at + 2 * interval … that is after `now`; at most TIME_MOST_NS. `interval` > 0.
 */
static inline uint64_t time_next(uint64_t at, uint64_t interval, uint64_t now)
{
	return now < at ? at : time_add(time_add_times(at, time_intervals(at, interval, now), interval), interval);
}
