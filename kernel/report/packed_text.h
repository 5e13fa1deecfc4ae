/*
 * Reading what scripts/pairs.py packs: varints, and texts in which codes stand for pairs of codes. The bytes are not
 * believed: broken ones give wrong answers, never a stray access.
 */
#pragma once

#include "paging/types.h"

/* What is left to read. */
struct packed_reader {
	const uint8_t *at;
	const uint8_t *end;
};

/* The pairs behind a table's first byte. */
struct packed_pairs {
	const uint8_t *codes;
	size_t count;
};

/* False at the end, and for what is no number of 64 bits; *ret is then untouched. */
bool packed_number(struct packed_reader *r, uint64_t *ret);

/* The table of pairs that stands here. False: there is none. */
bool packed_pairs(struct packed_reader *r, struct packed_pairs *ret);

/*
 * The text of `count` codes, cut to fit and NUL-terminated; size is at least 1. The codes are there: the caller has
 * counted.
 */
void packed_expand(const struct packed_pairs *pairs, const uint8_t *codes, uint64_t count, char *text, size_t size);
