/*
 * XORs eight bytes at a time into the hash, multiplies the hash by a number made from the key, and folds the two halves
 * of the 128-bit product together, as in wyhash (Wang Yi). The hash also begins with the key, so that the key decides
 * which bytes collide.
 */
#include "kernel/lib/hash.h"

typedef uint64_t word64 __attribute__((aligned(1), may_alias));
typedef uint32_t word32 __attribute__((aligned(1), may_alias));

#define ODD_A 0xa0761d6478bd642fULL
#define ODD_B 0xe7037ed1a0b428dbULL

static uint64_t key[2]; /* fixed after boot */

void hash_set_key(const uint64_t wanted[2])
{
	key[0] = wanted[0];
	key[1] = wanted[1];
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * Return fewer than eight bytes as a number. Two different strings of one length never give the same number; strings of
 * different lengths may, so hash_bytes() mixes the length in.
 */
static uint64_t little(const unsigned char *at, size_t size)
{
	if (size >= 4)
		return *(const word32 *)at | (uint64_t) * (const word32 *)(at + size - 4) << 32;
	return size ? at[0] | (uint64_t)at[size / 2] << 8 | (uint64_t)at[size - 1] << 16 : 0;
}

uint64_t hash_bytes(const void *bytes, size_t size)
{
	const unsigned char *at = bytes, *end = at + size;
	uint64_t hash = key[0] ^ size * ODD_A, last;
	const uint64_t multiplier = key[1] ^ ODD_B;

	if (size < 8) {
		last = little(at, size);
	} else {
		for (; at + 8 < end; at += 8)
			hash = fold(hash ^ *(const word64 *)at, multiplier);
		/* The last eight bytes may overlap hashed ones, which is cheaper than cases for a shorter rest. */
		last = *(const word64 *)(end - 8);
	}
	hash = fold(hash ^ last, multiplier);
	return fold(hash ^ key[0], ODD_A);
}
