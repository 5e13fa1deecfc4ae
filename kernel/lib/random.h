/*
 * Random bytes nobody can guess: ChaCha20 with fast key erasure: each request ends by replacing the key, so what was
 * given out cannot be computed from what is in memory later (D. J. Bernstein, "Fast-key-erasure random-number
 * generators"). Not for interrupt handlers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Mix `bytes` in. Bytes that an enemy knows, or chose, make nothing worse. */
void random_add(const void *bytes, size_t size);

/* Say that what was added suffices: at least 128 bits of it nobody knows. */
void random_set_ready(void);

/* Has somebody said so? getrandom(2) without GRND_INSECURE waits for it; random_bytes does not. */
bool random_is_ready(void);

/* `size` random bytes to `to`. Cannot fail. */
void random_bytes(void *to, size_t size);
