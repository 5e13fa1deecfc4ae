/*
 * A hash of bytes with a secret key: whoever does not know the key cannot choose names that collide.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Set the key, which must be random, before hash_bytes() is used for the first table. Without a call the key is 0, 0.
 */
void hash_set_key(const uint64_t key[2]);

/* Return the hash of bytes. Each bit of the hash depends on all the bytes. */
uint64_t hash_bytes(const void *bytes, size_t size);
