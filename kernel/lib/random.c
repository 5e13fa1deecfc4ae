/*
 * The one random-number generator of the kernel. The key is its whole state; each request and each addition replaces
 * it.
 */
#include "kernel/lib/random.h"

#include "kernel/lib/chacha.h"
#include "kernel/lib/string.h"

/* Guard: the kernel, one CPU, not preempted. */
static uint32_t key[CHACHA_KEY_WORDS];
static bool ready;

/* What a block of the key stream is for: output and mixing have different nonces, so their blocks never coincide. */
enum use { USE_OUTPUT, USE_MIX };

static void block(enum use use, uint32_t counter, uint8_t ret[CHACHA_BLOCK])
{
	const uint32_t nonce[3] = { use };

	chacha20_block(key, counter, nonce, ret);
}

void random_add(const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	uint8_t out[CHACHA_BLOCK];
	size_t piece;

	/*
	 * Add each 32 bytes to the key, and replace the key by a block that the sum generates: nobody who controls the
	 * bytes can undo that, or cancel what was added before.
	 */
	for (; size; from += piece, size -= piece) {
		uint8_t mixed[sizeof(key)];

		piece = size < sizeof(key) ? size : sizeof(key);
		memcpy(mixed, key, sizeof(mixed));
		for (size_t i = 0; i < piece; i++)
			mixed[i] ^= from[i];
		memcpy(key, mixed, sizeof(key));
		block(USE_MIX, (uint32_t)piece, out);
		memcpy(key, out, sizeof(key));
		memset(mixed, 0, sizeof(mixed));
	}
	memset(out, 0, sizeof(out));
}

void random_set_ready(void)
{
	ready = true;
}

bool random_is_ready(void)
{
	return ready;
}

void random_bytes(void *to, size_t size)
{
	uint8_t out[CHACHA_BLOCK], next_key[sizeof(key)];
	uint8_t *at = to;
	uint32_t counter = 0;
	size_t piece;

	/* The first half block becomes the next key, the second half is the first 32 bytes of output. */
	block(USE_OUTPUT, counter++, out);
	memcpy(next_key, out, sizeof(key));
	piece = size < CHACHA_BLOCK - sizeof(key) ? size : CHACHA_BLOCK - sizeof(key);
	memcpy(at, out + sizeof(key), piece);
	for (at += piece, size -= piece; size; at += piece, size -= piece) {
		block(USE_OUTPUT, counter++, out);
		piece = size < CHACHA_BLOCK ? size : CHACHA_BLOCK;
		memcpy(at, out, piece);
	}
	memcpy(key, next_key, sizeof(key));
	memset(next_key, 0, sizeof(next_key));
	memset(out, 0, sizeof(out));
}
