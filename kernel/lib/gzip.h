/*
 * Unpacks gzip: RFC 1952's members of RFC 1951's compressed data (kernel/lib/inflate.h). Any input is safe: nothing
 * outside the input is read.
 *
 * AnkeOS has its own code for this because no library that was looked at in Debian fits: stb_image's decoder needs no C
 * library, but does not check for incomplete codes, and unpacks all at once, to one piece of memory; zlib needs an
 * allocator and the C library's headers.
 */
#pragma once

#include "kernel/lib/inflate.h"

/* The state while a member is unpacked: 155 KiB. Guard: the caller. */
struct gzip {
	struct inflate stream;                                                     /* must be the first member */
	bool (*content_out)(struct gzip *gzip, const uint8_t *bytes, size_t size); /* gzip_unpack()'s argument */
	uint64_t unpacked;                                                         /* bytes of content so far */
	uint32_t crc;                                                              /* checksum of these bytes */
	uint32_t crc_tables[8][256]; /* [n][b]: what a byte b, followed by n bytes, adds to the checksum */
};

/* Return whether the bytes start as a gzip member does. */
bool gzip_is(const uint8_t *bytes, uint64_t size);

/* Return how many bytes of the input are not needed any more. For gzip->content_out. */
static inline uint64_t gzip_used(const struct gzip *gzip)
{
	/* Whole bytes that wait in `bits` may go back to the input, when a stored block or the trailer follows. */
	return gzip->stream.at - gzip->stream.count / 8;
}

/*
 * Unpack the member at the start of `in`. Its content comes out in pieces: `content_out` gets each, and returns false
 * when it wants no more. *ret_packed is the size of the whole member, from the magic number to the end of the trailer.
 * Returns ERR_FORMAT: *ret_what says what is wrong, for example the checksum; all content before that has been passed
 * on. ERR_RANGE: `content_out` has returned false. *ret_packed is as before then.
 */
MUST_CHECK enum status gzip_unpack(struct gzip *gzip, const void *in, uint64_t size,
				   bool (*content_out)(struct gzip *gzip, const uint8_t *bytes, size_t size),
				   uint64_t *ret_packed, const char **ret_what);
