/*
 * Unpacks gzip: RFC 1952's members of RFC 1951's compressed data, all in memory. Believes nothing of its input, and
 * writes no byte outside the output.
 *
 * AnkeOS has its own because no library fits: stb_image's inflate, the one small freestanding kind that Debian
 * packages, neither checks for incomplete codes nor counts without unpacking, and zlib wants an allocator and user
 * space's headers.
 */
#pragma once

#include "paging/types.h"

#define INFLATE_BITS    15 /* bits of the longest code */
#define INFLATE_FAST    10 /* codes of up to so many bits are found with one look into a table */
#define INFLATE_SYMBOLS 288

/* A canonical Huffman code. */
struct inflate_code {
	/* indexed by the next INFLATE_FAST bits: symbol << 4 | length; 0: the code is longer, or does not exist */
	uint16_t fast[1 << INFLATE_FAST];
	uint16_t lengths[INFLATE_BITS + 1]; /* how many codes have each length */
	uint16_t symbols[INFLATE_SYMBOLS];  /* sorted by code */
};

/* The state of the work. The caller supplies its 7 KiB: too much for a kernel stack. */
struct inflate {
	const uint8_t *in;
	uint64_t size, at;
	uint64_t bits; /* taken from the input and not used yet, `count` of them; the lowest comes first */
	unsigned count;
	uint8_t *out; /* NULL: only count the bytes */
	uint64_t room, done;
	const char *what; /* the first thing wrong, or NULL */
	struct inflate_code literals, distances;
	uint32_t crc_table[256];
};

struct gzip_member {
	uint64_t packed;   /* bytes from the magic to behind the trailer */
	uint64_t unpacked; /* bytes of content */
};

/* Return whether the bytes start as a gzip member does. */
bool gzip_is(const uint8_t *bytes, uint64_t size);

/*
 * Find out how large the member at the start of `in` is, packed and unpacked. The size is counted, not read from the
 * trailer, which holds it modulo 4 GiB and was written by somebody we do not know. The checksum is not checked.
 * Returns ERR_FORMAT: *ret_what says what is wrong; *ret is as before.
 */
MUST_CHECK enum status gzip_measure(struct inflate *work, const void *in, uint64_t size, struct gzip_member *ret,
				    const char **ret_what);

/*
 * Unpack the member that gzip_measure has measured to `out`, which gets member->unpacked bytes.
 * Returns ERR_FORMAT: *ret_what says what is wrong, for example the checksum; the content of `out` means nothing then.
 */
MUST_CHECK enum status gzip_unpack(struct inflate *work, const void *in, const struct gzip_member *member, void *out,
				   const char **ret_what);
