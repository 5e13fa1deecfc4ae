/*
 * Inflate's bits come from each byte's lowest bit on. A code is looked up by the next INFLATE_FAST bits, and a longer
 * one bit by bit, since codes of one length are consecutive numbers (RFC 1951, 3.2.2).
 */
#include "kernel/lib/inflate.h"

#include "kernel/lib/string.h"

#define END_OF_BLOCK   256
#define FIRST_LENGTH   257
#define LITERALS_MOST  286
#define DISTANCES_MOST 30
#define LENGTH_CODES   19

#define HEADER_SIZE  10
#define TRAILER_SIZE 8

/* Flags of a member's header (RFC 1952, 2.3.1). */
enum { FLAG_HCRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAGS_RESERVED = 0xe0 };

static bool fail(struct inflate *z, const char *what)
{
	if (!z->what)
		z->what = what;
	return false;
}

/* Move bytes from the input to z->bits, as many as there is room for or the input has. */
static void refill(struct inflate *z)
{
	while (z->count <= 56 && z->at < z->size) {
		z->bits |= (uint64_t)z->in[z->at++] << z->count;
		z->count += 8;
	}
}

static bool take_bits(struct inflate *z, unsigned count, unsigned *ret)
{
	if (z->count < count)
		refill(z);
	if (z->count < count)
		return fail(z, "gzip: the compressed data ends early");
	*ret = (unsigned)(z->bits & ((1ULL << count) - 1));
	z->bits >>= count;
	z->count -= count;
	return true;
}

static unsigned reversed(unsigned code, unsigned length)
{
	unsigned result = 0;

	for (; length; length--, code >>= 1)
		result = result << 1 | (code & 1);
	return result;
}

/* Fill code->fast, the table that finds codes of at most INFLATE_FAST bits with one look. */
static void make_fast(struct inflate_code *code)
{
	unsigned next = 0, index = 0;

	memset(code->fast, 0, sizeof(code->fast));
	for (unsigned length = 1; length <= INFLATE_FAST; length++, next <<= 1) {
		for (unsigned i = 0; i < code->lengths[length]; i++, next++, index++) {
			uint16_t entry = (uint16_t)(code->symbols[index] << 4 | length);

			for (unsigned at = reversed(next, length); at < 1 << INFLATE_FAST; at += 1U << length)
				code->fast[at] = entry;
		}
	}
}

/*
 * Build the code in which symbol i has lengths[i] bits, 0 for a symbol that does not occur. Returns false when there
 * are more codes of some length than fit, or fewer than possible: except for a code of one symbol with one bit, or of
 * no symbol at all, which compressors write when a block has no distances.
 */
static bool make_code(struct inflate_code *code, const uint8_t *lengths, unsigned symbols)
{
	uint16_t starts[INFLATE_BITS + 1];
	int left = 1;

	memset(code->lengths, 0, sizeof(code->lengths));
	for (unsigned i = 0; i < symbols; i++)
		code->lengths[lengths[i]]++;
	code->lengths[0] = 0;
	starts[1] = 0;
	for (unsigned length = 1; length <= INFLATE_BITS; length++) {
		left = (left << 1) - code->lengths[length];
		if (left < 0)
			return false;
		if (length < INFLATE_BITS)
			starts[length + 1] = starts[length] + code->lengths[length];
	}
	for (unsigned i = 0; i < symbols; i++)
		if (lengths[i])
			code->symbols[starts[lengths[i]]++] = (uint16_t)i;
	make_fast(code);
	return left == 0 || starts[INFLATE_BITS] == 0 || (code->lengths[1] == 1 && starts[INFLATE_BITS] == 1);
}

static bool take_long_symbol(struct inflate *z, const struct inflate_code *code, unsigned *ret)
{
	unsigned value = 0, first = 0, index = 0;

	for (unsigned length = 1; length <= INFLATE_BITS && length <= z->count; length++) {
		value |= (unsigned)(z->bits >> (length - 1)) & 1;
		if (value < first + code->lengths[length]) {
			*ret = code->symbols[index + value - first];
			z->bits >>= length;
			z->count -= length;
			return true;
		}
		index += code->lengths[length];
		first = (first + code->lengths[length]) << 1;
		value <<= 1;
	}
	return fail(z, z->count < INFLATE_BITS ? "gzip: the compressed data ends early"
					       : "gzip: a code that stands for nothing");
}

static bool take_symbol(struct inflate *z, const struct inflate_code *code, unsigned *ret)
{
	unsigned entry;

	if (z->count < INFLATE_BITS)
		refill(z);
	entry = code->fast[z->bits & ((1U << INFLATE_FAST) - 1)];
	if (!entry || (entry & 15) > z->count)
		return take_long_symbol(z, code, ret);
	z->bits >>= entry & 15;
	z->count -= entry & 15;
	*ret = entry >> 4;
	return true;
}

static bool make_room(struct inflate *z, uint64_t size)
{
	return size <= z->room - z->done || fail(z, "gzip: more content than was measured");
}

static bool stored_block(struct inflate *z)
{
	uint64_t size;

	/* A stored block starts at a byte: give the whole bytes in z->bits back to the input, and drop the rest. */
	z->at -= z->count / 8;
	z->bits = z->count = 0;
	if (z->size - z->at < 4)
		return fail(z, "gzip: the compressed data ends early");
	size = z->in[z->at] | (uint64_t)z->in[z->at + 1] << 8;
	if ((size ^ 0xffff) != (z->in[z->at + 2] | (uint64_t)z->in[z->at + 3] << 8))
		return fail(z, "gzip: a stored block's size and its complement differ");
	z->at += 4;
	if (z->size - z->at < size)
		return fail(z, "gzip: the compressed data ends early");
	if (!make_room(z, size))
		return false;
	if (z->out)
		memcpy(z->out + z->done, z->in + z->at, size);
	z->at += size;
	z->done += size;
	return true;
}

static bool copy_back(struct inflate *z, unsigned length, unsigned distance)
{
	if (!make_room(z, length))
		return false;
	if (distance > z->done)
		return fail(z, "gzip: a copy from before the start");
	if (z->out)
		for (uint8_t *to = z->out + z->done, *end = to + length; to < end; to++)
			*to = *(to - distance);
	z->done += length;
	return true;
}

/* Do the rest of a copy: `symbol`, which tells its length, has been read (RFC 1951, 3.2.5). */
static bool match(struct inflate *z, unsigned symbol)
{
	static const uint16_t lengths[] = { 3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
					    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
	static const uint8_t length_bits[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
					       2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
	static const uint16_t distances[] = { 1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
					      33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
					      1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
	unsigned length = symbol - FIRST_LENGTH, extra;

	if (length >= sizeof(length_bits))
		return fail(z, "gzip: a length that does not exist");
	if (!take_bits(z, length_bits[length], &extra))
		return false;
	length = lengths[length] + extra;
	if (!take_symbol(z, &z->distances, &symbol))
		return false;
	if (symbol >= DISTANCES_MOST)
		return fail(z, "gzip: a distance that does not exist");
	if (!take_bits(z, symbol < 2 ? 0 : symbol / 2 - 1, &extra))
		return false;
	return copy_back(z, length, distances[symbol] + extra);
}

static bool compressed_block(struct inflate *z)
{
	for (;;) {
		unsigned symbol;

		if (!take_symbol(z, &z->literals, &symbol))
			return false;
		if (symbol == END_OF_BLOCK)
			return true;
		if (symbol > END_OF_BLOCK) {
			if (!match(z, symbol))
				return false;
			continue;
		}
		if (!make_room(z, 1))
			return false;
		if (z->out)
			z->out[z->done] = (uint8_t)symbol;
		z->done++;
	}
}

/* Set the codes that a block uses which does not bring its own (RFC 1951, 3.2.6). */
static void fixed_codes(struct inflate *z)
{
	uint8_t lengths[INFLATE_SYMBOLS];

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	(void)make_code(&z->literals, lengths, INFLATE_SYMBOLS);
	/* The distance symbols 30 and 31 never occur, but have codes, which make the code complete. */
	memset(lengths, 5, 32);
	(void)make_code(&z->distances, lengths, 32);
}

/*
 * Read the code lengths of a block's own codes. They are compressed themselves, with the code that z->literals holds
 * meanwhile (RFC 1951, 3.2.7).
 */
static bool take_lengths(struct inflate *z, uint8_t *lengths, unsigned count)
{
	unsigned at = 0;

	while (at < count) {
		unsigned symbol, repeat, value = 0;

		if (!take_symbol(z, &z->literals, &symbol))
			return false;
		if (symbol < 16) {
			lengths[at++] = (uint8_t)symbol;
			continue;
		}
		if (symbol == 16 && !at)
			return fail(z, "gzip: a code's length repeats one that is not there");
		if (!take_bits(z, symbol == 16 ? 2 : symbol == 17 ? 3 : 7, &repeat))
			return false;
		if (symbol == 16)
			value = lengths[at - 1];
		repeat += symbol == 18 ? 11 : 3;
		if (repeat > count - at)
			return fail(z, "gzip: more lengths than codes");
		memset(lengths + at, (int)value, repeat);
		at += repeat;
	}
	return true;
}

static bool own_codes(struct inflate *z)
{
	static const uint8_t order[LENGTH_CODES] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t lengths[LITERALS_MOST + 32 + 2] = { 0 };
	unsigned literals, distances, codes, length;

	if (!take_bits(z, 5, &literals) || !take_bits(z, 5, &distances) || !take_bits(z, 4, &codes))
		return false;
	literals += 257;
	distances += 1;
	if (literals > LITERALS_MOST || distances > DISTANCES_MOST)
		return fail(z, "gzip: too many codes");
	for (unsigned i = 0; i < codes + 4; i++) {
		if (!take_bits(z, 3, &length))
			return false;
		lengths[order[i]] = (uint8_t)length;
	}
	if (!make_code(&z->literals, lengths, LENGTH_CODES))
		return fail(z, "gzip: the lengths of a code do not fit each other");
	memset(lengths, 0, sizeof(lengths));
	if (!take_lengths(z, lengths, literals + distances))
		return false;
	if (!lengths[END_OF_BLOCK])
		return fail(z, "gzip: a block without an end");
	if (!make_code(&z->literals, lengths, literals) || !make_code(&z->distances, lengths + literals, distances))
		return fail(z, "gzip: the lengths of a code do not fit each other");
	return true;
}

static bool inflate(struct inflate *z)
{
	unsigned last, kind;

	do {
		if (!take_bits(z, 1, &last) || !take_bits(z, 2, &kind))
			return false;
		switch (kind) {
		case 0:
			if (!stored_block(z))
				return false;
			break;
		case 1:
			fixed_codes(z);
			if (!compressed_block(z))
				return false;
			break;
		case 2:
			if (!own_codes(z) || !compressed_block(z))
				return false;
			break;
		default:
			return fail(z, "gzip: a block of a kind that does not exist");
		}
	} while (!last);
	z->at -= z->count / 8;
	return true;
}

static uint32_t crc32(struct inflate *z, const uint8_t *bytes, uint64_t size)
{
	uint32_t crc = ~0U;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
		z->crc_table[i] = value;
	}
	for (uint64_t i = 0; i < size; i++)
		crc = crc >> 8 ^ z->crc_table[(crc ^ bytes[i]) & 0xff];
	return ~crc;
}

/* Skip a string of the header, its ending NUL included. */
static bool skip_string(struct inflate *z)
{
	while (z->at < z->size)
		if (!z->in[z->at++])
			return true;
	return fail(z, "gzip: the header ends early");
}

static bool skip_header(struct inflate *z)
{
	uint8_t flags;

	if (z->size < HEADER_SIZE)
		return fail(z, "gzip: the header ends early");
	flags = z->in[3];
	if (z->in[2] != 8 || flags & FLAGS_RESERVED)
		return fail(z, "gzip: a header of an unknown kind");
	z->at = HEADER_SIZE;
	if (flags & FLAG_EXTRA) {
		if (z->size - z->at < 2)
			return fail(z, "gzip: the header ends early");
		z->at += 2ULL + (z->in[z->at] | (unsigned)z->in[z->at + 1] << 8);
		if (z->at > z->size)
			return fail(z, "gzip: the header ends early");
	}
	if ((flags & FLAG_NAME && !skip_string(z)) || (flags & FLAG_COMMENT && !skip_string(z)))
		return false;
	z->at += flags & FLAG_HCRC ? 2 : 0;
	return z->at <= z->size || fail(z, "gzip: the header ends early");
}

static uint32_t word_at(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Unpack one member to `out`, or only count its bytes when that is NULL. Afterwards z->at is behind the trailer. */
static bool unpack(struct inflate *z, const uint8_t *in, uint64_t size, uint8_t *out, uint64_t room)
{
	const uint8_t *trailer;

	z->in = in;
	z->size = size;
	z->at = z->bits = z->count = 0;
	z->out = out;
	z->room = room;
	z->done = 0;
	z->what = NULL;
	if (!gzip_is(in, size))
		return fail(z, "no gzip header");
	if (!skip_header(z) || !inflate(z))
		return false;
	if (z->size - z->at < TRAILER_SIZE)
		return fail(z, "gzip: the trailer ends early");
	trailer = z->in + z->at;
	z->at += TRAILER_SIZE;
	if (word_at(trailer + 4) != (uint32_t)z->done)
		return fail(z, "gzip: the content has another size than the trailer says");
	if (out && word_at(trailer) != crc32(z, out, z->done))
		return fail(z, "gzip: the checksum is wrong");
	return true;
}

bool gzip_is(const uint8_t *bytes, uint64_t size)
{
	return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

enum status gzip_measure(struct inflate *work, const void *in, uint64_t size, struct gzip_member *ret,
			 const char **ret_what)
{
	if (!unpack(work, in, size, NULL, UINT64_MAX)) {
		*ret_what = work->what;
		return ERR_FORMAT;
	}
	*ret = (struct gzip_member){ .packed = work->at, .unpacked = work->done };
	return OK;
}

enum status gzip_unpack(struct inflate *work, const void *in, const struct gzip_member *member, void *out,
			const char **ret_what)
{
	if (!unpack(work, in, member->packed, out, member->unpacked)) {
		*ret_what = work->what;
		return ERR_FORMAT;
	}
	return OK;
}
