/*
 * Reads what scripts/pairs.py packs: varints, and texts in which codes stand for pairs of codes. Does not believe the
 * bytes: broken ones give wrong answers, never a stray access.
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

/* Read a number. Returns false, *ret untouched, at the end and for a number of more than 64 bits. */
bool packed_number(struct packed_reader *r, uint64_t *ret);

/* Read the table of pairs that begins here. Returns false when there is none. */
bool packed_pairs(struct packed_reader *r, struct packed_pairs *ret);

/*
 * Expand `count` codes to their text, cut to fit and NUL-terminated; size is at least 1. The caller has made sure that
 * all codes can be read.
 */
void packed_expand(const struct packed_pairs *pairs, const uint8_t *codes, uint64_t count, char *text, size_t size);
