/*
 * The battery-backed clock in the CMOS of PCs (MC146818A and its successors). The kernel assumes that it runs in UTC,
 * as Linux does by default.
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
 * Convert registers to seconds since 1970-01-01 00:00:00 UTC. status_b tells whether the fields are BCD or binary, and
 * hours up to 12 or 24. If the century is not 19, 20 or 21, years 70 to 99 are 1970 to 1999, and others are 2000 to
 * 2069. Returns ERR_FORMAT when a field is out of range; *ret_seconds is untouched then.
 */
MUST_CHECK enum status rtc_decode(const struct rtc_registers *registers, uint64_t *ret_seconds);

/*
 * Read the clock now. century: the CMOS index of the century's register, 0 for none.
 * Returns ERR_NOT_FOUND (there is no clock: its registers are always being updated, or differ at each reading),
 * ERR_FORMAT as rtc_decode. Takes up to 2 ms with a working clock, about 10 ms to find that there is none.
 */
MUST_CHECK enum status rtc_read(uint8_t century, uint64_t *ret_seconds);

/* Return whether rtc_read() has found a clock. */
bool rtc_is_there(void);

/* Read the clock that rtc_read() has found. Returns what rtc_read() returns; ERR_NOT_FOUND if it has found none. */
MUST_CHECK enum status rtc_read_again(uint64_t *ret_seconds);

struct rtc_date {
	unsigned year, month, day; /* January is month 1; a month's first day is 1 */
	unsigned hour, minute, second;
};

/* Convert seconds since 1970 to the date in UTC; works for years up to 9999 and beyond. */
struct rtc_date rtc_date(uint64_t seconds);

/* Return the seconds from 1970 to the start of `year`, 1970 or later. */
uint64_t rtc_year_start(unsigned year);
