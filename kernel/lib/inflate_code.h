/*
 * The Huffman codes of compressed data (RFC 1951, 3.2.2), as tables for decoding.
 */
#pragma once

#include "kernel/lib/likely.h"
#include "paging/types.h"

#define INFLATE_BITS      15 /* bits of the longest code */
#define INFLATE_FAST      11 /* codes of at most this many bits are found with one table lookup */
#define INFLATE_FAST_MASK ((1U << INFLATE_FAST) - 1)
#define INFLATE_SYMBOLS   288

#define END_OF_BLOCK   256 /* the symbol that ends a block */
#define DISTANCES_MOST 30  /* symbols of distances that have a meaning (RFC 1951, 3.2.5) */

/* What the symbols of a code stand for. */
enum inflate_kind { CODE_LENGTHS, CODE_LITERALS, CODE_DISTANCES };

/*
 * An entry is what a code in the input stands for. Bits 0 to 5: how many bits the code has together with the extra bits
 * that follow it; bits 6 and 7 are 0, so that the low byte is that number. Bits 8 to 12: how many bits the code has.
 * Bits 16 to 30: the value, to which the extra bits are added; it is a literal, or the least length or distance of a
 * copy (RFC 1951, 3.2.5).
 */
#define ENTRY_END     (1U << 14) /* the symbol that ends a block */
#define ENTRY_INVALID (1U << 15) /* the symbol has a code, but no meaning */
#define ENTRY_LITERAL (1U << 31)

static inline uint8_t entry_all_bits(uint32_t entry)
{
	return (uint8_t)entry;
}

static inline unsigned entry_code_bits(uint32_t entry)
{
	return entry >> 8 & 31;
}

static inline unsigned entry_value(uint32_t entry)
{
	return entry >> 16 & 0x7fff;
}

/* A canonical Huffman code. Guard: the caller. */
struct inflate_code {
	/* indexed by the next INFLATE_FAST bits: an entry; 0: the code is longer, or does not exist */
	uint32_t fast[1 << INFLATE_FAST];
	uint16_t lengths[INFLATE_BITS + 1]; /* how many codes have each length */
	uint16_t symbols[INFLATE_SYMBOLS];  /* the symbols that have a code, sorted by code */
	enum inflate_kind kind;
};

/*
 * Build the code in which symbol i has lengths[i] bits; a symbol of 0 bits does not occur. Returns false when there are
 * more codes of some length than fit, or when codes are left unused. A code of one symbol with one bit, or of no symbol
 * at all, is allowed though: compressors write it when a block has no distances.
 */
bool inflate_code_make(struct inflate_code *code, enum inflate_kind kind, const uint8_t *lengths, unsigned symbols);

/*
 * Find, bit by bit, the code at the start of the lowest `count` bits of `bits`. Returns its entry; 0 when there is
 * none.
 */
uint32_t inflate_code_find_long(const struct inflate_code *code, uint64_t bits, unsigned count);

/*
 * Return the entry of the code that starts at bit 0 of `bits`; 0: there is none. At least INFLATE_BITS bits must be
 * valid.
 */
static inline uint32_t inflate_code_find(const struct inflate_code *code, uint64_t bits)
{
	uint32_t entry = code->fast[bits & INFLATE_FAST_MASK];

	return likely(entry) ? entry : inflate_code_find_long(code, bits, INFLATE_BITS);
}
