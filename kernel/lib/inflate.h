/*
 * Unpacks gzip: RFC 1952's members of RFC 1951's compressed data, all in memory. Believes nothing of its input, and
 * writes no byte outside the output.
 *
 * Our own because no library fits: stb_image's inflate, the one small freestanding kind that Debian packages, neither
 * checks for incomplete codes nor counts without unpacking, and zlib wants an allocator and user space's headers.
 */
#pragma once

#include "paging/types.h"

#define INFLATE_BITS    15 /* of the longest code */
#define INFLATE_FAST    10 /* bits: codes up to so long are found with one look */
#define INFLATE_SYMBOLS 288

/* A canonical Huffman code. */
struct inflate_code {
	uint16_t fast[1 << INFLATE_FAST];   /* by the next bits: symbol << 4 | length; 0: the code is longer, or none */
	uint16_t lengths[INFLATE_BITS + 1]; /* how many codes have each length */
	uint16_t symbols[INFLATE_SYMBOLS];  /* in order of their codes */
};

/* What the work needs, 7 KiB: too much for a kernel stack, and the caller's to find room for. */
struct inflate {
	const uint8_t *in;
	uint64_t size, at;
	uint64_t bits; /* taken from the input and not used; the lowest comes first */
	unsigned count;
	uint8_t *out; /* NULL: only count */
	uint64_t room, done;
	const char *what; /* the first thing wrong, or NULL */
	struct inflate_code literals, distances;
	uint32_t crc_table[256];
};

struct gzip_member {
	uint64_t packed;   /* bytes from the magic to behind the trailer */
	uint64_t unpacked; /* bytes of content */
};

/* Do the bytes start as a gzip member does? */
bool gzip_is(const uint8_t *bytes, uint64_t size);

/*
 * How large the member at the start of `in` is, packed and unpacked: counted, not read from its trailer, which tells
 * the size modulo 4 GiB of a file whose maker we do not know.
 * Returns ERR_FORMAT: *ret_what says what is wrong; *ret is as before. The checksum is not
 * checked.
 */
MUST_CHECK enum status gzip_measure(struct inflate *work, const void *in, uint64_t size, struct gzip_member *ret,
				    const char **ret_what);

/*
 * Unpack the member that gzip_measure has measured to `out`, member->unpacked bytes.
 * Returns ERR_FORMAT: *ret_what says what is wrong, a wrong checksum among it; what is in `out` means nothing then.
 */
MUST_CHECK enum status gzip_unpack(struct inflate *work, const void *in, const struct gzip_member *member, void *out,
				   const char **ret_what);
