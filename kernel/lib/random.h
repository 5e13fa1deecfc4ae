/*
 * Random bytes that nobody can guess: ChaCha20 with fast key erasure. Each request ends by replacing the key, so that
 * what was given out cannot be computed from memory later (D. J. Bernstein, "Fast-key-erasure random-number
 * generators"). Do not call these functions in interrupt handlers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Mix `bytes` into the generator's state. Bytes that an attacker knows, or has chosen, do not weaken it. */
void random_add(const void *bytes, size_t size);

/* Declare the generator ready. Call when at least 128 bits of what was added are unknown to everybody. */
void random_set_ready(void);

/*
 * Return whether random_set_ready() has been called. getrandom(2) without GRND_INSECURE waits for that; random_bytes()
 * does not.
 */
bool random_is_ready(void);

/* Write `size` random bytes to `to`. Cannot fail. */
void random_bytes(void *to, size_t size);
