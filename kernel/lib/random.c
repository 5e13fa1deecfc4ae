/*
 * Implements the kernel's one random-number generator. The generator's whole state is a key of ChaCha20, which is
 * replaced at each request for random bytes, and whenever bytes are mixed in.
 */
#include "kernel/lib/random.h"

#include "kernel/lib/chacha.h"
#include "kernel/lib/string.h"

/* Guard: tasks only, which the kernel does not preempt. */
static uint32_t key[CHACHA_KEY_WORDS];
static bool ready;

/* What a block of a key stream is for. The use is the nonce, so the blocks of two uses never coincide. */
enum use { USE_OUTPUT, USE_MIX, USE_STREAM };

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
	 * XOR up to 32 bytes at a time into the key, generate a block with the result, and take the new key from that
	 * block. So whoever chooses the bytes can neither undo this step nor cancel bytes that were mixed in before.
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

void random_stream_begin(struct random_stream *stream, uint64_t total)
{
	uint8_t out[CHACHA_BLOCK];

	/* The first half of the block becomes the next key, the second half the stream's. */
	block(USE_OUTPUT, 0, out);
	memcpy(key, out, sizeof(key));
	memcpy(stream->key, out + sizeof(key), sizeof(stream->key));
	stream->counter = 0;
	stream->few = total <= sizeof(stream->key);
	memset(out, 0, sizeof(out));
}

void random_stream_take(struct random_stream *stream, void *to, size_t size)
{
	const uint32_t nonce[3] = { USE_STREAM };
	uint8_t *at = to, out[CHACHA_BLOCK];

	if (stream->few) {
		memcpy(to, (uint8_t *)stream->key + stream->counter, size);
		stream->counter += (uint32_t)size;
		return;
	}
	for (; size >= CHACHA_BLOCK; at += CHACHA_BLOCK, size -= CHACHA_BLOCK)
		chacha20_block(stream->key, stream->counter++, nonce, at);
	if (!size)
		return;
	chacha20_block(stream->key, stream->counter++, nonce, out);
	memcpy(at, out, size);
	memset(out, 0, sizeof(out));
}

void random_stream_end(struct random_stream *stream)
{
	memset(stream, 0, sizeof(*stream));
}

void random_bytes(void *to, size_t size)
{
	struct random_stream stream;

	random_stream_begin(&stream, size);
	random_stream_take(&stream, to, size);
	random_stream_end(&stream);
}
