/*
 * Multiplication by a ratio without a division: value * to / from is computed as value * multiplier >> shift. The
 * multiplier is rounded down, so the result is too small by up to one part in 2^63.
 */
#pragma once

#include <stdint.h>

struct scale {
	uint64_t multiplier; /* its highest bit is set, unless shift is 127 */
	unsigned shift;      /* at most 127 */
};

/* Make the scale of the ratio to / from, rounded down. to: 0 … 2^63 - 1; from: 1 … 2^63 - 1. */
static inline struct scale scale_make(uint64_t to, uint64_t from)
{
	struct scale s = { .multiplier = to / from };
	uint64_t rest = to % from;

	/* A long division, one binary digit at a time, until the multiplier's highest bit is set. */
	while (!(s.multiplier >> 63) && s.shift < 127) {
		rest <<= 1;
		s.multiplier = s.multiplier << 1 | (rest >= from);
		if (rest >= from)
			rest -= from;
		s.shift++;
	}
	return s;
}

/* Return value * to / from, rounded down; UINT64_MAX when that does not fit. */
static inline uint64_t scale_apply(struct scale s, uint64_t value)
{
	unsigned __int128 product = (unsigned __int128)value * s.multiplier >> s.shift;

	return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}

/*
 * Return the least t for which scale_apply(to_ns, t) is at least `ns`; UINT64_MAX: none. `to_ticks`: the scale of the
 * inverse ratio, whose result is the first guess; rounding makes it a little too small, so the loop takes few steps.
 */
static inline uint64_t scale_invert(struct scale to_ns, struct scale to_ticks, uint64_t ns)
{
	uint64_t ticks = scale_apply(to_ticks, ns);

	while (ticks != UINT64_MAX && scale_apply(to_ns, ticks) < ns)
		ticks++;
	return ticks;
}
