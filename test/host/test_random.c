/*
 * ChaCha20 against RFC 8439's vector; the generator: what it gives differs, and depends on what was added.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/chacha.h"
#include "kernel/lib/random.h"

/* RFC 8439, "Test Vector for the ChaCha20 Block Function". */
static void the_block_is_the_standards(void **state)
{
	static const uint8_t expected[CHACHA_BLOCK] = {
		0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
		0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e,
		0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2,
		0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
	};
	const uint32_t nonce[3] = { 0x09000000, 0x4a000000, 0 };
	uint8_t bytes[32], got[CHACHA_BLOCK];
	uint32_t key[CHACHA_KEY_WORDS];

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	memcpy(key, bytes, sizeof(key));
	chacha20_block(key, 1, nonce, got);
	assert_memory_equal(got, expected, sizeof(got));
}

static void nothing_comes_twice(void **state)
{
	uint8_t got[64][32];

	(void)state;
	for (int i = 0; i < 64; i++) {
		if (i % 3 == 0)
			random_add("", 1);
		random_bytes(got[i], sizeof(got[i]));
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(got[i], got[j], sizeof(got[i]));
	}
}

/* Two streams differ, and a stream goes on where its last whole block ended; what is taken next is another key's. */
static void streams_go_on(void **state)
{
	struct random_stream one, other, copy;
	uint8_t whole[192], parts[192], more[192];

	(void)state;
	random_stream_begin(&one, sizeof(whole) + sizeof(more));
	random_stream_begin(&other, sizeof(more));
	copy = one;
	random_stream_take(&one, whole, sizeof(whole));
	random_stream_take(&copy, parts, 64);
	random_stream_take(&copy, parts + 64, 128);
	assert_memory_equal(whole, parts, sizeof(whole));
	random_stream_take(&other, more, sizeof(more));
	assert_memory_not_equal(whole, more, 32);
	random_stream_take(&one, more, sizeof(more));
	assert_memory_not_equal(whole, more, 32);
	random_stream_end(&one);
	memset(whole, 0, sizeof(whole));
	assert_memory_equal(&one, whole, sizeof(one));
}

/* A few bytes are the same, taken at once or one by one; those of two streams differ. */
static void few_bytes_go_on(void **state)
{
	struct random_stream one, other;
	uint8_t whole[32], parts[32];

	(void)state;
	random_stream_begin(&one, sizeof(whole));
	other = one;
	random_stream_take(&one, whole, sizeof(whole));
	for (size_t i = 0; i < sizeof(parts); i++)
		random_stream_take(&other, &parts[i], 1);
	assert_memory_equal(whole, parts, sizeof(whole));
	random_stream_end(&one);
	random_stream_begin(&one, sizeof(parts));
	random_stream_take(&one, parts, sizeof(parts));
	assert_memory_not_equal(whole, parts, 8);
}

/* Each size fills exactly its bytes; over many the bits are even. */
static void sizes_are_kept_and_bits_are_even(void **state)
{
	uint8_t bytes[300];
	long ones = 0;

	(void)state;
	for (size_t size = 0; size < 256; size++) {
		memset(bytes, 0, sizeof(bytes));
		random_bytes(bytes + 8, size);
		for (size_t i = 0; i < sizeof(bytes); i++)
			if (i < 8 || i >= 8 + size)
				assert_int_equal(bytes[i], 0);
			else
				ones += __builtin_popcount(bytes[i]);
	}
	/* 261,120 bits: 3,000 from the middle is 11 standard deviations. */
	assert_in_range(ones, 130560 - 3000, 130560 + 3000);
	assert_false(random_is_ready());
	random_set_ready();
	assert_true(random_is_ready());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_block_is_the_standards),
		cmocka_unit_test(nothing_comes_twice),
		cmocka_unit_test(streams_go_on),
		cmocka_unit_test(few_bytes_go_on),
		cmocka_unit_test(sizes_are_kept_and_bits_are_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
