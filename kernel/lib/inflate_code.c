/*
 * Builds and searches Huffman codes. Codes of one length are consecutive numbers, and those of the next length follow
 * them (RFC 1951, 3.2.2): so the lengths alone define the codes. Short codes are found by one table lookup, longer ones
 * bit by bit.
 */
#include "kernel/lib/inflate_code.h"

#include "kernel/lib/string.h"

#define FIRST_LENGTH 257

static uint32_t make_entry(enum inflate_kind kind, unsigned symbol, unsigned bits)
{
	static const uint16_t lengths[] = { 3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
					    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
	static const uint8_t length_extra[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
						2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
	static const uint16_t distances[DISTANCES_MOST] = { 1,    2,    3,    4,     5,     7,    9,    13,
							    17,   25,   33,   49,    65,    97,   129,  193,
							    257,  385,  513,  769,   1025,  1537, 2049, 3073,
							    4097, 6145, 8193, 12289, 16385, 24577 };
	unsigned length = symbol - FIRST_LENGTH;
	uint32_t entry = bits << 8 | bits;

	if (kind == CODE_DISTANCES && symbol < DISTANCES_MOST)
		return (uint32_t)distances[symbol] << 16 | (entry + (symbol < 2 ? 0 : symbol / 2 - 1));
	if (kind == CODE_LENGTHS || (kind == CODE_LITERALS && symbol < END_OF_BLOCK))
		return ENTRY_LITERAL | symbol << 16 | entry;
	if (kind == CODE_LITERALS && symbol == END_OF_BLOCK)
		return ENTRY_END | entry;
	if (kind == CODE_LITERALS && length < sizeof(length_extra))
		return (uint32_t)lengths[length] << 16 | (entry + length_extra[length]);
	return ENTRY_INVALID | entry;
}

/*
 * Fill code->fast, the table that finds codes of at most INFLATE_FAST bits with one lookup. For each length the table
 * of the shorter codes is doubled, as one more bit of the input does not change what they stand for; then the codes of
 * the length itself are entered. `next` is the next code with its bits reversed, as they come in the input: one is
 * added at its highest bit, and a further bit of 0 changes nothing.
 */
static void make_fast(struct inflate_code *code)
{
	unsigned next = 0, index = 0;

	code->fast[0] = 0;
	for (unsigned length = 1, size = 1; length <= INFLATE_FAST; length++, size *= 2) {
		memcpy(code->fast + size, code->fast, size * sizeof(code->fast[0]));
		for (unsigned i = 0; i < code->lengths[length]; i++, index++) {
			unsigned bit = size;

			code->fast[next] = make_entry(code->kind, code->symbols[index], length);
			for (; next & bit; bit >>= 1)
				next ^= bit;
			next |= bit;
		}
	}
}

bool inflate_code_make(struct inflate_code *code, enum inflate_kind kind, const uint8_t *lengths, unsigned symbols)
{
	uint16_t starts[INFLATE_BITS + 1];
	int left = 1;

	code->kind = kind;
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

uint32_t inflate_code_find_long(const struct inflate_code *code, uint64_t bits, unsigned count)
{
	unsigned value = 0, first = 0, index = 0;

	for (unsigned length = 1; length <= INFLATE_BITS && length <= count; length++) {
		value |= (unsigned)(bits >> (length - 1)) & 1;
		if (value < first + code->lengths[length])
			return make_entry(code->kind, code->symbols[index + value - first], length);
		index += code->lengths[length];
		first = (first + code->lengths[length]) << 1;
		value <<= 1;
	}
	return 0;
}
