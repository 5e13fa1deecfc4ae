/*
 * Random bytes that nobody can guess: ChaCha20 with fast key erasure. Each request ends by replacing the key, so that
 * what was given out cannot be computed from memory later (D. J. Bernstein, "Fast-key-erasure random-number
 * generators"). Do not call these functions in interrupt handlers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/lib/chacha.h"

/* Mix `bytes` into the generator's state. Bytes that an attacker knows, or has chosen, do not weaken it. */
void random_add(const void *bytes, size_t size);

/* Declare the generator ready. Call when at least 128 bits of what was added are unknown to everybody. */
void random_set_ready(void);

/*
 * Return whether random_set_ready() has been called. getrandom(2) waits for that unless GRND_INSECURE is given;
 * random_bytes() does not wait.
 */
bool random_is_ready(void);

/*
 * A stream of random bytes for one request that takes them in several parts. random_stream_begin() takes the stream's
 * key from the generator, and the generator then replaces its own key. Each stream must be ended by
 * random_stream_end().
 */
struct random_stream {
	uint32_t key[CHACHA_KEY_WORDS];
	uint32_t counter; /* number of the next block that the key generates; if `few`: of the next byte of the key */
	bool few;         /* the stream is no longer than the key, so the bytes of the key itself are handed out */
};

void random_stream_begin(struct random_stream *stream, uint64_t total); /* at most `total` bytes will be taken */
/* Write `size` random bytes to `to`; what is left of the last block of 64 is dropped. At most 2^32 blocks in all. */
void random_stream_take(struct random_stream *stream, void *to, size_t size);
void random_stream_end(struct random_stream *stream); /* Clear the key. */

/* Write `size` random bytes to `to`. Cannot fail. */
void random_bytes(void *to, size_t size);
