/*
 * Reads what scripts/pairs.py packs: varints, and texts in which codes stand for pairs of codes. Every read is checked:
 * broken bytes give wrong answers, never an access outside of the input.
 */
#pragma once

#include "paging/types.h"

/* The bytes that are left to read. */
struct packed_reader {
	const uint8_t *at;
	const uint8_t *end;
};

/* The table of pairs, without its first byte, which is the count. */
struct packed_pairs {
	const uint8_t *codes;
	size_t count;
};

/* Read a number. Returns false, *ret untouched, when the input ends before it, or it has more than 64 bits. */
bool packed_number(struct packed_reader *r, uint64_t *ret);

/* Read the table of pairs that begins at r->at. Returns false when the input is too short for one. */
bool packed_pairs(struct packed_reader *r, struct packed_pairs *ret);

/*
 * Expand `count` codes to their text, cut to fit and NUL-terminated. `size` must be at least 1, and the caller makes
 * sure that codes[0] to codes[count - 1] can be read.
 */
void packed_expand(const struct packed_pairs *pairs, const uint8_t *codes, uint64_t count, char *text, size_t size);
