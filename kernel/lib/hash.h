/* The hash of bytes, under a key: whoever does not know the key cannot make names that collide. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Set the key, of random bytes, before the first table that keeps hashes. Without a call it is 0, 0. */
void hash_set_key(const uint64_t key[2]);

/* Return the hash of bytes: all of its bits depend on all of theirs. */
uint64_t hash_bytes(const void *bytes, size_t size);
