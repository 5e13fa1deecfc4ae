/*
 * Makes the wall clock faster or slower, or moves it bit by bit, for adjtimex(2). The monotonic clock does not change.
 */
#pragma once

#include "paging/types.h"

#define ADJUST_TICK_US   10000       /* us by which an unadjusted wall clock advances in 1/100 s */
#define ADJUST_FREQUENCY 32768000    /* most by which the frequency is changed: 500 ppm in units of 2^-16 ppm */
#define ADJUST_OFFSET_NS 500000000LL /* most ns by which a program can have the clock moved bit by bit */
#define ADJUST_CONSTANT  10
#define ADJUST_ERROR_US  16000000 /* us: above this error the clock counts as wrong (STA_UNSYNC) */

enum adjust_status {
	STA_PLL = 0x1,      /* programs may set `offset` */
	STA_INS = 0x10,     /* the day ends with a leap second */
	STA_DEL = 0x20,     /* the day has a second less */
	STA_UNSYNC = 0x40,  /* no program keeps the clock right */
	STA_NANO = 0x2000,  /* times are in ns, not in us */
	STA_FIXED = 0xff00, /* bits that ADJ_STATUS does not change */
};

/* What adjtimex(2) tells and sets. Guard: the lock of time_adjust.c. */
struct time_adjustment {
	int64_t tick_us; /* us by which the clock advances in 1/100 s: ADJUST_TICK_US, or up to a tenth less or more */
	int64_t frequency; /* added to the clock's own frequency; in 2^-16 ppm */
	int64_t offset;    /* what the clock is still to be moved, in 2^-16 ns; a part of it is moved each second */
	int64_t constant;  /* the part of `offset` that is moved in a second is 1 / 2^(2 + constant) */
	int64_t single_us; /* what the clock is still to be moved by adjtime(3), 500 us each second */
	int64_t most_error_us, error_us; /* told by the program; most_error_us grows by 500 us each second */
	uint64_t error_set_ns;           /* when most_error_us was brought up to date, by the monotonic clock */
	unsigned status;                 /* enum adjust_status, and bits without a meaning here */
	bool leapt;                      /* what STA_INS or STA_DEL asks for was done */
};

/* Return a copy of the present adjustment, brought up to date. */
struct time_adjustment time_adjust_get(void);

/*
 * Make a changed copy from time_adjust_get() the adjustment, and begin to adjust the clock by it. No other task may run
 * between the two calls.
 */
void time_adjust_set(const struct time_adjustment *adjustment);
