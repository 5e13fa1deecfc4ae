/*
 * Computes a block of ChaCha20: ten double rounds over sixteen words. No branch and no address depends on the key, so
 * that the time of the computation reveals nothing about the key.
 */
#include "kernel/lib/chacha.h"

#include "kernel/lib/string.h"

static uint32_t rotate(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32 - bits);
}

static inline __attribute__((always_inline)) void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
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

static void store(uint8_t *to, uint32_t word)
{
	memcpy(to, &word, sizeof(word));
}

/* Compute a block. Its sixteen words are separate variables, so that the compiler keeps most of them in registers. */
void chacha20_block(const uint32_t key[CHACHA_KEY_WORDS], uint32_t counter, const uint32_t nonce[3],
		    uint8_t ret[CHACHA_BLOCK])
{
	/* the constant that RFC 8439 begins every state with: "expand 32-byte k" in ASCII */
	uint32_t a0 = 0x61707865, a1 = 0x3320646e, a2 = 0x79622d32, a3 = 0x6b206574;
	uint32_t b0 = key[0], b1 = key[1], b2 = key[2], b3 = key[3];
	uint32_t c0 = key[4], c1 = key[5], c2 = key[6], c3 = key[7];
	uint32_t d0 = counter, d1 = nonce[0], d2 = nonce[1], d3 = nonce[2];

	for (int i = 0; i < 10; i++) {
		quarter_round(&a0, &b0, &c0, &d0);
		quarter_round(&a1, &b1, &c1, &d1);
		quarter_round(&a2, &b2, &c2, &d2);
		quarter_round(&a3, &b3, &c3, &d3);
		quarter_round(&a0, &b1, &c2, &d3);
		quarter_round(&a1, &b2, &c3, &d0);
		quarter_round(&a2, &b3, &c0, &d1);
		quarter_round(&a3, &b0, &c1, &d2);
	}
	store(ret, a0 + 0x61707865);
	store(ret + 4, a1 + 0x3320646e);
	store(ret + 8, a2 + 0x79622d32);
	store(ret + 12, a3 + 0x6b206574);
	store(ret + 16, b0 + key[0]);
	store(ret + 20, b1 + key[1]);
	store(ret + 24, b2 + key[2]);
	store(ret + 28, b3 + key[3]);
	store(ret + 32, c0 + key[4]);
	store(ret + 36, c1 + key[5]);
	store(ret + 40, c2 + key[6]);
	store(ret + 44, c3 + key[7]);
	store(ret + 48, d0 + counter);
	store(ret + 52, d1 + nonce[0]);
	store(ret + 56, d2 + nonce[1]);
	store(ret + 60, d3 + nonce[2]);
}
