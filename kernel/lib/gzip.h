/*
 * Unpacks gzip: RFC 1952's members of RFC 1951's compressed data (kernel/lib/inflate.h), all in memory. Any input is
 * safe: nothing outside the input is read, and nothing outside the output is written.
 *
 * AnkeOS has its own code for this because no library fits. The only small one in Debian that needs no C library is
 * that of stb_image: it does not check for incomplete codes, and cannot count bytes without unpacking them. zlib needs
 * an allocator and the C library's headers.
 */
#pragma once

#include "kernel/lib/inflate.h"

struct gzip_member {
	uint64_t packed;   /* bytes of the whole member, from the magic number to the end of the trailer */
	uint64_t unpacked; /* bytes of content */
};

/* Return whether the bytes start as a gzip member does. */
bool gzip_is(const uint8_t *bytes, uint64_t size);

/*
 * Find out how large the member at the start of `in` is, packed and unpacked. The size is counted, not read from the
 * trailer, which holds it modulo 4 GiB and may be wrong. The checksum is not checked.
 * Returns ERR_FORMAT: *ret_what says what is wrong; *ret is as before.
 */
MUST_CHECK enum status gzip_measure(struct inflate *work, const void *in, uint64_t size, struct gzip_member *ret,
				    const char **ret_what);

/*
 * Guess how many bytes the content has: the last word of `in`, which is the size modulo 4 GiB if the member ends there.
 * The guess may be wrong: use it as the room for a first gzip_unpack(), and gzip_measure() if that fails. Returns 0
 * when `in` is too short for a member.
 */
uint64_t gzip_guess(const void *in, uint64_t size);

/*
 * Unpack the member at the start of `in` to `out`, which has `room` bytes. Bytes of `out` after the content may be
 * written, too. *ret is how large the member is.
 * Returns ERR_RANGE (more content than room), ERR_FORMAT; *ret_what then says what is wrong, for example the checksum,
 * *ret is as before, and the content of `out` means nothing.
 */
MUST_CHECK enum status gzip_unpack(struct inflate *work, const void *in, uint64_t size, void *out, uint64_t room,
				   struct gzip_member *ret, const char **ret_what);
