/*
 * Unpacks the data of RFC 1951 block by block. Of each input byte the lowest bit comes first. Two loops decode a
 * block's symbols: decode_fast() runs while input and output are both so far from their ends that no check is needed;
 * compressed_block() decodes the rest and checks each step.
 */
#include "kernel/lib/inflate.h"

#include "kernel/lib/string.h"

#define LITERALS_MOST 286
#define LENGTH_CODES  19

bool inflate_fail(struct inflate *z, const char *what)
{
	if (!z->what)
		z->what = what;
	return false;
}

/* Move bytes from the input to z->bits, until it is full or the input has no more. */
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
		return inflate_fail(z, "gzip: the compressed data ends early");
	*ret = (unsigned)(z->bits & ((1ULL << count) - 1));
	z->bits >>= count;
	z->count -= count;
	return true;
}

/* Take a code and its extra bits. *ret is the code's entry, *ret_value the entry's value plus the extra bits. */
static bool take_code(struct inflate *z, const struct inflate_code *code, uint32_t *ret, unsigned *ret_value)
{
	uint32_t entry;
	unsigned bits, extra;

	if (z->count < INFLATE_BITS)
		refill(z);
	entry = code->fast[z->bits & INFLATE_FAST_MASK];
	if (!entry || entry_code_bits(entry) > z->count)
		entry = inflate_code_find_long(code, z->bits, z->count);
	if (!entry)
		return inflate_fail(z, z->count < INFLATE_BITS ? "gzip: the compressed data ends early"
							       : "gzip: a code that stands for nothing");
	bits = entry_code_bits(entry);
	z->bits >>= bits;
	z->count -= bits;
	if (!take_bits(z, entry_all_bits(entry) - bits, &extra))
		return false;
	*ret = entry;
	*ret_value = entry_value(entry) + extra;
	return true;
}

/* Pass on the content that has not been passed on yet, and keep the end of it, which copies may reach back to. */
static bool pass_on(struct inflate *z)
{
	size_t kept = z->done < INFLATE_HISTORY ? z->done : INFLATE_HISTORY;

	if (z->done > z->passed && !z->piece_out(z, z->window + z->passed, z->done - z->passed))
		return false;
	memmove(z->window, z->window + z->done - kept, kept);
	z->passed = z->done = kept;
	return true;
}

static size_t room(const struct inflate *z)
{
	return sizeof(z->window) - z->done;
}

/* Make room for `size` bytes, at most INFLATE_PIECE. */
static bool make_room(struct inflate *z, size_t size)
{
	return likely(size <= room(z)) || pass_on(z);
}

static bool stored_block(struct inflate *z)
{
	uint64_t size;

	/* A stored block starts at a byte: return the whole bytes in z->bits to the input, and drop the other bits. */
	z->at -= z->count / 8;
	z->bits = z->count = 0;
	if (z->size - z->at < 4)
		return inflate_fail(z, "gzip: the compressed data ends early");
	size = z->in[z->at] | (uint64_t)z->in[z->at + 1] << 8;
	if ((size ^ 0xffff) != (z->in[z->at + 2] | (uint64_t)z->in[z->at + 3] << 8))
		return inflate_fail(z, "gzip: a stored block's size and its complement differ");
	z->at += 4;
	if (z->size - z->at < size)
		return inflate_fail(z, "gzip: the compressed data ends early");
	if (!make_room(z, size))
		return false;
	memcpy(z->window + z->done, z->in + z->at, size);
	z->at += size;
	z->done += size;
	return true;
}

static bool copy_back(struct inflate *z, unsigned length, unsigned distance)
{
	if (distance > z->done)
		return inflate_fail(z, "gzip: a copy from before the start");
	for (uint8_t *to = z->window + z->done, *end = to + length; to < end; to++)
		*to = *(to - distance);
	z->done += length;
	return true;
}

/* A word of eight bytes, at any address. */
typedef uint64_t word_t __attribute__((aligned(1), may_alias));

#define WORD sizeof(word_t)

/* Copy `length` bytes that lie `distance` before `to`. Writes up to 15 bytes more. */
static void copy_words(uint8_t *to, unsigned length, unsigned distance)
{
	const uint8_t *from = to - distance, *end = to + length;

	if (distance >= WORD) {
		/* Most copies are short: copy two words before asking whether there is more. */
		*(word_t *)to = *(const word_t *)from;
		*(word_t *)(to + WORD) = *(const word_t *)(from + WORD);
		for (to += 2 * WORD, from += 2 * WORD; to < end; to += WORD, from += WORD)
			*(word_t *)to = *(const word_t *)from;
	} else if (distance == 1) {
		for (uint64_t same = *from * 0x0101010101010101ULL; to < end; to += sizeof(word_t))
			*(word_t *)to = same;
	} else {
		while (to < end)
			*to++ = *from++;
	}
}

/* The most bits that a symbol takes (a length and a distance with their extra bits), and the longest copy. */
#define SYMBOL_BITS  (15 + 5 + 15 + 13)
#define LONGEST_COPY 258

/*
 * How many literals one round of decode_fast() takes without looking whether enough bits are left: each has at most
 * INFLATE_FAST bits, and before the last a code of any length must still be there as a whole.
 */
#define FAST_LITERALS 4
_Static_assert(56 - (FAST_LITERALS - 1) * INFLATE_FAST >= INFLATE_BITS, "a refill gives fewer bits than a round takes");

/*
 * The most bytes that one round of decode_fast() writes: the literals, one copy, and the bytes after the copy's end
 * that its last whole words overwrite.
 */
#define FAST_ROOM (FAST_LITERALS + 1 + LONGEST_COPY + 2 * WORD)

/* Fill *bits up to at least 56 bits from the word at `in`. Returns the address of the next input byte to take. */
static inline const uint8_t *take_word(const uint8_t *in, uint64_t *bits, uint8_t *count)
{
	/*
	 * The word sets bits above the new `count`, too: the next call ORs the same bits in again, which does no harm.
	 */
	*bits |= *(const word_t *)in << *count;
	in += (63U - *count) >> 3;
	*count |= 56;
	return in;
}

/* Return the value of the entry, which is no literal, at the start of `bits`, with its extra bits added. */
static inline unsigned value_of(uint32_t entry, uint64_t bits)
{
	/* masks[n] are the lowest n bits; a code and its extra bits are 28 at the most. Cheaper than shifting. */
	static const uint32_t masks[] = {
#define MASKS_OF_4(n) (1U << (n)) - 1, (2U << (n)) - 1, (4U << (n)) - 1, (8U << (n)) - 1
		MASKS_OF_4(0),  MASKS_OF_4(4),  MASKS_OF_4(8),  MASKS_OF_4(12),
		MASKS_OF_4(16), MASKS_OF_4(20), MASKS_OF_4(24), MASKS_OF_4(28),
	};

	return (entry >> 16) + (((uint32_t)bits & masks[entry_all_bits(entry)]) >> entry_code_bits(entry));
}

/*
 * Decode symbols without checking for the ends of input and output at each step: each round of the loop first makes
 * sure that two words of input and FAST_ROOM bytes of output are left, which is the most that a round uses. Stops when
 * less is left, before the symbol that ends the block, and before wrong data. compressed_block(), which checks each
 * step, continues there.
 */
static void decode_fast(struct inflate *z)
{
	if (z->size - z->at < 2 * WORD || room(z) < FAST_ROOM)
		return;

	const uint8_t *in = z->in + z->at, *in_end = z->in + z->size - 2 * WORD;
	uint8_t *out = z->window + z->done, *out_end = z->window + sizeof(z->window) - FAST_ROOM;
	uint64_t bits = z->bits;
	uint8_t count = (uint8_t)z->count;

	while (in <= in_end && out <= out_end) {
		unsigned length, distance, literals;
		uint64_t after;
		uint32_t entry, code;

		in = take_word(in, &bits, &count);
#pragma GCC unroll 4
		for (literals = 0; literals < FAST_LITERALS; literals++) {
			entry = z->literals.fast[bits & INFLATE_FAST_MASK];
			if (!(entry & ENTRY_LITERAL))
				break;
			*out++ = (uint8_t)(entry >> 16);
			bits >>= entry_all_bits(entry);
			count -= entry_all_bits(entry);
		}
		if (literals == FAST_LITERALS)
			continue;
		if (unlikely(!entry)) {
			entry = inflate_code_find_long(&z->literals, bits, INFLATE_BITS);
			if (entry & ENTRY_LITERAL) {
				*out++ = (uint8_t)(entry >> 16);
				bits >>= entry_all_bits(entry);
				count -= entry_all_bits(entry);
				continue;
			}
		}
		if (unlikely(!entry || entry & (ENTRY_END | ENTRY_INVALID)))
			break;
		if (count < SYMBOL_BITS)
			in = take_word(in, &bits, &count);
		length = value_of(entry, bits);
		after = bits >> entry_all_bits(entry);
		code = inflate_code_find(&z->distances, after);
		if (unlikely(!code || code & ENTRY_INVALID))
			break;
		distance = value_of(code, after);
		if (unlikely((uintptr_t)out - distance < (uintptr_t)z->window))
			break;
		copy_words(out, length, distance);
		out += length;
		bits = after >> entry_all_bits(code);
		count -= entry_all_bits(entry) + entry_all_bits(code);
	}
	z->bits = bits & ((1ULL << count) - 1);
	z->count = count;
	z->at = (uint64_t)(in - z->in);
	z->done = (size_t)(out - z->window);
}

static bool compressed_block(struct inflate *z)
{
	for (;;) {
		unsigned value, distance;
		uint32_t entry;

		if (!make_room(z, FAST_ROOM))
			return false;
		decode_fast(z);
		/* One more symbol follows: decode_fast() stops when less than a whole round's room is left. */
		if (!make_room(z, LONGEST_COPY))
			return false;
		if (!take_code(z, &z->literals, &entry, &value))
			return false;
		if (entry & ENTRY_END)
			return true;
		if (entry & ENTRY_INVALID)
			return inflate_fail(z, "gzip: a length that does not exist");
		if (entry & ENTRY_LITERAL) {
			z->window[z->done++] = (uint8_t)value;
			continue;
		}
		if (!take_code(z, &z->distances, &entry, &distance))
			return false;
		if (entry & ENTRY_INVALID)
			return inflate_fail(z, "gzip: a distance that does not exist");
		if (!copy_back(z, value, distance))
			return false;
	}
}

/* Set the fixed codes, for a block that does not contain codes of its own (RFC 1951, 3.2.6). */
static void fixed_codes(struct inflate *z)
{
	uint8_t lengths[INFLATE_SYMBOLS];

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	(void)inflate_code_make(&z->literals, CODE_LITERALS, lengths, INFLATE_SYMBOLS);
	/* The distance symbols 30 and 31 never occur, but have codes, which make the code complete. */
	memset(lengths, 5, 32);
	(void)inflate_code_make(&z->distances, CODE_DISTANCES, lengths, 32);
}

/*
 * Read the code lengths of a block's own codes. The lengths are compressed, too, with a third code, which z->literals
 * holds during this call (RFC 1951, 3.2.7).
 */
static bool take_lengths(struct inflate *z, uint8_t *lengths, unsigned count)
{
	unsigned at = 0;

	while (at < count) {
		unsigned symbol, repeat, value = 0;
		uint32_t entry;

		if (!take_code(z, &z->literals, &entry, &symbol))
			return false;
		if (symbol < 16) {
			lengths[at++] = (uint8_t)symbol;
			continue;
		}
		if (symbol == 16 && !at)
			return inflate_fail(z, "gzip: a code's length repeats one that is not there");
		if (!take_bits(z, symbol == 16 ? 2 : symbol == 17 ? 3 : 7, &repeat))
			return false;
		if (symbol == 16)
			value = lengths[at - 1];
		repeat += symbol == 18 ? 11 : 3;
		if (repeat > count - at)
			return inflate_fail(z, "gzip: more lengths than codes");
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
		return inflate_fail(z, "gzip: too many codes");
	for (unsigned i = 0; i < codes + 4; i++) {
		if (!take_bits(z, 3, &length))
			return false;
		lengths[order[i]] = (uint8_t)length;
	}
	if (!inflate_code_make(&z->literals, CODE_LENGTHS, lengths, LENGTH_CODES))
		return inflate_fail(z, "gzip: the lengths of a code do not fit each other");
	memset(lengths, 0, sizeof(lengths));
	if (!take_lengths(z, lengths, literals + distances))
		return false;
	if (!lengths[END_OF_BLOCK])
		return inflate_fail(z, "gzip: a block without an end");
	if (!inflate_code_make(&z->literals, CODE_LITERALS, lengths, literals) ||
	    !inflate_code_make(&z->distances, CODE_DISTANCES, lengths + literals, distances))
		return inflate_fail(z, "gzip: the lengths of a code do not fit each other");
	return true;
}

static bool blocks(struct inflate *z)
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
			return inflate_fail(z, "gzip: a block of a kind that does not exist");
		}
	} while (!last);
	z->at -= z->count / 8;
	return true;
}

bool inflate_run(struct inflate *z)
{
	bool whole = blocks(z);

	/* Content before what is wrong counts. After `piece_out` has refused a piece there is nothing to pass on. */
	return (whole || z->what) && pass_on(z) && whole;
}
