/*
 * See chacha.h. Ten double rounds over sixteen words. Neither branches nor addresses depend on the key, so timing tells
 * nothing about it.
 */
#include "kernel/lib/chacha.h"

#include "kernel/lib/string.h"

static uint32_t rotate(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32 - bits);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

void chacha20_block(const uint32_t key[CHACHA_KEY_WORDS], uint32_t counter, const uint32_t nonce[3],
		    uint8_t ret[CHACHA_BLOCK])
{
	/* the constant that RFC 8439 begins every state with: "expand 32-byte k" in ASCII */
	uint32_t start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	uint32_t x[16];

	memcpy(start + 4, key, CHACHA_KEY_WORDS * sizeof(uint32_t));
	start[12] = counter;
	memcpy(start + 13, nonce, 3 * sizeof(uint32_t));
	memcpy(x, start, sizeof(x));
	for (int i = 0; i < 10; i++) {
		for (int column = 0; column < 4; column++)
			quarter_round(&x[column], &x[4 + column], &x[8 + column], &x[12 + column]);
		for (int diagonal = 0; diagonal < 4; diagonal++)
			quarter_round(&x[diagonal], &x[4 + (diagonal + 1) % 4], &x[8 + (diagonal + 2) % 4],
				      &x[12 + (diagonal + 3) % 4]);
	}
	for (int i = 0; i < 16; i++)
		x[i] += start[i];
	memcpy(ret, x, CHACHA_BLOCK);
}
