/*
 * The wall clock made faster or slower, or moved bit by bit: adjtimex(2). The monotonic clock does not change.
 */
#pragma once

#include "paging/types.h"

#define ADJUST_TICK_US   10000       /* how much of the wall clock's time passes in a hundredth of a second */
#define ADJUST_FREQUENCY 32768000    /* most by which the frequency is changed: 500 ppm in units of 2^-16 ppm */
#define ADJUST_OFFSET_NS 500000000LL /* most by which the clock is moved bit by bit */
#define ADJUST_CONSTANT  10
#define ADJUST_ERROR_US  16000000 /* an error above which the clock counts as wrong */

enum adjust_status {
	STA_PLL = 0x1,      /* an offset is followed */
	STA_INS = 0x10,     /* the day ends with a leap second */
	STA_DEL = 0x20,     /* the day has a second less */
	STA_UNSYNC = 0x40,  /* nobody keeps the clock right */
	STA_NANO = 0x2000,  /* times are in ns, not in us */
	STA_FIXED = 0xff00, /* bits that ADJ_STATUS does not change */
};

/* What adjtimex(2) tells and sets. Guard: the lock of time_adjust.c. */
struct time_adjustment {
	int64_t tick_us;   /* ADJUST_TICK_US, a tenth less to a tenth more */
	int64_t frequency; /* added to the clock's: 2^-16 ppm */
	int64_t offset;    /* what the clock is still to be moved, in 2^-16 ns; each second it becomes smaller by ... */
	int64_t constant;  /* ... its part of 2^(2 + constant) */
	int64_t single_us; /* what the clock is still to be moved by adjtime(3), 500 us each second */
	int64_t most_error_us, error_us; /* as told by the program; the first one grows by 500 us each second */
	uint64_t error_set_ns;           /* when most_error_us was brought up to date, by the monotonic clock */
	unsigned status;                 /* enum adjust_status, and bits without a meaning here */
	bool leapt;                      /* what STA_INS or STA_DEL asks for was done */
};

/* Return a copy of what is set, brought up to date. */
struct time_adjustment time_adjust_get(void);

/*
 * Set what a copy of it says, and begin to adjust the clock. Between time_adjust_get() and this no other task may run.
 */
void time_adjust_set(const struct time_adjustment *adjustment);
