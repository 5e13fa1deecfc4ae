/*
 * Unpacks the compressed data of RFC 1951 ("deflate"), all in memory. Any input is safe: nothing outside the input is
 * read, and nothing outside the output is written.
 */
#pragma once

#include "kernel/lib/inflate_code.h"

/*
 * The state while a stream is unpacked. The caller supplies its 18 KiB: too much for a kernel stack.
 * Guard: the caller.
 */
struct inflate {
	const uint8_t *in;
	uint64_t size, at;
	uint64_t bits; /* taken from the input and not used yet, `count` of them; the lowest comes first */
	unsigned count;
	uint8_t *out; /* NULL: only count the bytes */
	uint64_t room, done;
	bool full;        /* the content is larger than the room */
	const char *what; /* the first thing wrong, or NULL */
	struct inflate_code literals, distances;
	uint32_t crc_tables[8][256]; /* for gzip.c. [n][b]: what a byte b, followed by n bytes, adds to the checksum */
};

/*
 * Unpack from z->in at z->at on to z->out, or only count the bytes when z->out is NULL; z->done becomes their number.
 * Call with bits, count and done 0, and `what` NULL. Returns false when the data is wrong: z->what says how.
 */
bool inflate(struct inflate *z);

/* Note the first thing that is wrong. Returns false. */
bool inflate_fail(struct inflate *z, const char *what);
