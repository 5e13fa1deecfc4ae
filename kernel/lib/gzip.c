/*
 * Reads the headers and trailers of gzip members, and computes their checksum; inflate.c unpacks the data between.
 */
#include "kernel/lib/gzip.h"

#define HEADER_SIZE  10
#define TRAILER_SIZE 8

/* Flags of a member's header (RFC 1952, 2.3.1). */
enum { FLAG_HCRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAGS_RESERVED = 0xe0 };

/* A word of eight bytes, at any address. */
typedef uint64_t word_t __attribute__((aligned(1), may_alias));

/*
 * Fill gzip->crc_tables. Table 0 says what the last byte of the data adds to the checksum, table n what a byte adds
 * that n more bytes follow. Each table is computed from the one before.
 */
static void make_crc_tables(struct gzip *gzip)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
		gzip->crc_tables[0][i] = value;
	}
	for (size_t n = 1; n < 8; n++)
		for (size_t i = 0; i < 256; i++) {
			uint32_t value = gzip->crc_tables[n - 1][i];

			gzip->crc_tables[n][i] = value >> 8 ^ gzip->crc_tables[0][value & 0xff];
		}
}

/* Add bytes to the CRC-32 of RFC 1952, section 8, eight at a time (Intel, "Slicing-by-8"). Returns the new CRC. */
static uint32_t add_crc32(const uint32_t (*tables)[256], uint32_t crc, const uint8_t *bytes, size_t size)
{
	crc = ~crc;
	for (; size >= sizeof(word_t); bytes += sizeof(word_t), size -= sizeof(word_t)) {
		uint64_t word = *(const word_t *)bytes ^ crc;

		crc = tables[7][word & 0xff] ^ tables[6][word >> 8 & 0xff] ^ tables[5][word >> 16 & 0xff] ^
		      tables[4][word >> 24 & 0xff] ^ tables[3][word >> 32 & 0xff] ^ tables[2][word >> 40 & 0xff] ^
		      tables[1][word >> 48 & 0xff] ^ tables[0][word >> 56];
	}
	for (; size; bytes++, size--)
		crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 0xff];
	return ~crc;
}

static bool take_piece(struct inflate *z, const uint8_t *bytes, size_t size)
{
	struct gzip *gzip = (struct gzip *)z;

	gzip->crc = add_crc32(gzip->crc_tables, gzip->crc, bytes, size);
	gzip->unpacked += size;
	return gzip->content_out(gzip, bytes, size);
}

/* Skip a string of the header, its ending NUL included. */
static bool skip_string(struct inflate *z)
{
	while (z->at < z->size)
		if (!z->in[z->at++])
			return true;
	return inflate_fail(z, "gzip: the header ends early");
}

static bool skip_header(struct inflate *z)
{
	uint8_t flags;

	if (z->size < HEADER_SIZE)
		return inflate_fail(z, "gzip: the header ends early");
	flags = z->in[3];
	if (z->in[2] != 8 || flags & FLAGS_RESERVED)
		return inflate_fail(z, "gzip: a header of an unknown kind");
	z->at = HEADER_SIZE;
	if (flags & FLAG_EXTRA) {
		if (z->size - z->at < 2)
			return inflate_fail(z, "gzip: the header ends early");
		z->at += 2ULL + (z->in[z->at] | (unsigned)z->in[z->at + 1] << 8);
		if (z->at > z->size)
			return inflate_fail(z, "gzip: the header ends early");
	}
	if ((flags & FLAG_NAME && !skip_string(z)) || (flags & FLAG_COMMENT && !skip_string(z)))
		return false;
	z->at += flags & FLAG_HCRC ? 2 : 0;
	return z->at <= z->size || inflate_fail(z, "gzip: the header ends early");
}

static uint32_t word_at(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Unpack the member at z->in. Afterwards z->at is just after the trailer. */
static bool unpack(struct gzip *gzip)
{
	struct inflate *z = &gzip->stream;
	const uint8_t *trailer;

	if (!gzip_is(z->in, z->size))
		return inflate_fail(z, "no gzip header");
	if (!skip_header(z) || !inflate_run(z))
		return false;
	if (z->size - z->at < TRAILER_SIZE)
		return inflate_fail(z, "gzip: the trailer ends early");
	trailer = z->in + z->at;
	z->at += TRAILER_SIZE;
	if (word_at(trailer + 4) != (uint32_t)gzip->unpacked)
		return inflate_fail(z, "gzip: the content has another size than the trailer says");
	return word_at(trailer) == gzip->crc || inflate_fail(z, "gzip: the checksum is wrong");
}

bool gzip_is(const uint8_t *bytes, uint64_t size)
{
	return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

enum status gzip_unpack(struct gzip *gzip, const void *in, uint64_t size,
			bool (*content_out)(struct gzip *gzip, const uint8_t *bytes, size_t size), uint64_t *ret_packed,
			const char **ret_what)
{
	struct inflate *z = &gzip->stream;

	z->in = in;
	z->size = size;
	z->at = z->bits = z->count = 0;
	z->passed = z->done = 0;
	z->what = NULL;
	z->piece_out = take_piece;
	gzip->content_out = content_out;
	gzip->unpacked = gzip->crc = 0;
	make_crc_tables(gzip);
	if (!unpack(gzip)) {
		if (z->what)
			*ret_what = z->what;
		return z->what ? ERR_FORMAT : ERR_RANGE;
	}
	*ret_packed = z->at;
	return OK;
}
