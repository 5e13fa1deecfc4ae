/*
 * Compares the time-stamp counter with a counter whose rate is known, such as the HPET's.
 */
#pragma once

#include "paging/types.h"

/* A counter that counts up. */
struct tsc_reference {
	uint32_t (*read)(const void *at);
	const void *at;
	uint32_t mask; /* the bits that count */
};

/* How far both counters went in the same time. */
struct tsc_span {
	uint32_t counts; /* how far the reference went */
	uint64_t ticks;  /* how far the time-stamp counter went */
};

/*
 * Compare both counters for as long as the reference needs for `counts`, which must be some 10 ms. Call with interrupts
 * off. Returns ERR_NOT_FOUND if the reference does not count that far within some 100 ms, also in two more tries: a
 * device may say anything, and must not keep the CPU here.
 */
MUST_CHECK enum status tsc_compare(const struct tsc_reference *reference, uint32_t counts, struct tsc_span *ret);
