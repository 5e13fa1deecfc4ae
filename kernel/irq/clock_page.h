/*
 * The page by which programs tell the time without a system call. The kernel writes it; every process maps it read-only
 * ([vvar] in /proc/PID/maps), and the code of vdso/ reads it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Ticks are multiplied by 2^CLOCK_PAGE_BITS first, so that the multiplier fits into 64 bits for ticks of up to
 * 2^CLOCK_PAGE_BITS ns. The bits that this takes from the count of ticks would be needed after 36 years at 4 GHz.
 */
#define CLOCK_PAGE_BITS 2

/*
 * How to compute a time from the time-stamp counter: with t = (counter - start) * 2^CLOCK_PAGE_BITS, the time in ns is
 * the upper 64 bits of t * multiplier, shifted right by `shift`, plus an offset. clock.c computes the same.
 *
 * Guard of the fields from `offsets` on: the sequence count, which the kernel makes odd before it changes them and even
 * afterwards. A program that finds the count odd, or another one after it has read the fields than before, makes a
 * system call. The count stays odd when the time-stamp counter does not tell the time.
 * Guard of `sequence`: tasks only, which the kernel does not preempt.
 */
struct clock_page {
	uint32_t sequence;
	bool numbered;       /* RDTSCP tells each CPU's number. Fixed after boot */
	uint64_t offsets[2]; /* ns to add: 0 for monotonic time, and then the wall clock's difference from it */
	uint64_t start;      /* the counter when monotonic time was 0 */
	uint64_t multiplier; /* ns for a tick, times 2^(64 + shift - CLOCK_PAGE_BITS) */
	uint64_t shift;      /* less than 64 */
};
