/*
 * The battery's clock, in the CMOS of PCs since the MC146818A. Taken to run in UTC, as firmware and Linux have it.
 */
#pragma once

#include "paging/types.h"

/* The registers as they were read, undecoded. */
struct rtc_registers {
	uint8_t second, minute, hour, day, month, year;
	uint8_t century; /* 0 when the machine has no such register */
	uint8_t status_b;
};

/*
 * Seconds since 1970-01-01 00:00:00 UTC. BCD or binary, 12 or 24 hours, as status_b says; without a century, years from
 * 70 on are of the 20th. Returns ERR_FORMAT when a field is out of its range, *ret_seconds then untouched.
 */
MUST_CHECK enum status rtc_decode(const struct rtc_registers *registers, uint64_t *ret_seconds);

/*
 * Read the clock now. century: the CMOS index of the century's register, 0 for none.
 * Returns ERR_NOT_FOUND (it never stops updating: there is none), ERR_FORMAT as above. Takes about 2 ms at the most.
 */
MUST_CHECK enum status rtc_read(uint8_t century, uint64_t *ret_seconds);

struct rtc_date {
	unsigned year, month, day; /* 1 is January, and the first of a month */
	unsigned hour, minute, second;
};

/* The way back: the date in UTC of seconds since 1970; years to 9999 and beyond. */
struct rtc_date rtc_date(uint64_t seconds);
