/*
 * The ChaCha20 block function (RFC 8439, "The ChaCha20 Block Function").
 */
#pragma once

#include <stdint.h>

#define CHACHA_KEY_WORDS 8
#define CHACHA_BLOCK     64

/* Compute block number `counter`, 64 bytes, of the key stream that `key` and `nonce` select. */
void chacha20_block(const uint32_t key[CHACHA_KEY_WORDS], uint32_t counter, const uint32_t nonce[3],
		    uint8_t ret[CHACHA_BLOCK]);
