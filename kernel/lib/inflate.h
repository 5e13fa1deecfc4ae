/*
 * Unpacks the compressed data of RFC 1951 ("deflate"): the packed bytes are all in memory, the content comes out piece
 * by piece. Any input is safe: nothing outside the input is read, and nothing outside `window` is written.
 */
#pragma once

#include "kernel/lib/inflate_code.h"

#define INFLATE_HISTORY (32U << 10) /* the farthest that a copy reaches back (RFC 1951, 2) */
#define INFLATE_PIECE   (96U << 10) /* the most content that is passed on at once; more than a stored block has */

/*
 * The state while a stream is unpacked. The caller supplies its 146 KiB: too much for a kernel stack.
 * Guard: the caller.
 */
struct inflate {
	const uint8_t *in;
	uint64_t size, at;
	uint64_t bits; /* the `count` bits that are taken from the input and not used yet; the lowest comes first */
	unsigned count;
	/*
	 * Take a piece of the content, in window[passed, done); it is overwritten afterwards. Returns false when it
	 * wants no more: then inflate_run() returns false, and `what` stays NULL.
	 */
	bool (*piece_out)(struct inflate *z, const uint8_t *bytes, size_t size);
	size_t passed, done; /* bytes of `window` that `piece_out` has got, and bytes that hold content */
	const char *what;    /* the first thing wrong, or NULL */
	struct inflate_code literals, distances;
	uint8_t window[INFLATE_HISTORY + INFLATE_PIECE];
};

/*
 * Unpack from z->in at z->at on, and pass the content on to z->piece_out. Call with bits, count, passed and done 0, and
 * `what` NULL. Returns false when the data is wrong, and z->what says how; the content before has been passed on.
 */
bool inflate_run(struct inflate *z);

/* Note the first thing that is wrong. Returns false. */
bool inflate_fail(struct inflate *z, const char *what);
