/* The hash of bytes: what it depends on, and how evenly it spreads names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/hash.h"

#define NAMES   65536
#define BUCKETS 65536

/* Each byte counts, and so does the length: flipping any bit, or a zero byte more, gives another hash. */
static void test_each_bit(void **state)
{
	unsigned char bytes[40] = { 0 };

	(void)state;
	for (size_t size = 0; size < sizeof(bytes); size++) {
		uint64_t hash = hash_bytes(bytes, size);

		assert_true(hash != hash_bytes(bytes, size + 1));
		for (size_t bit = 0; bit < 8 * size; bit++) {
			bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
			assert_true(hash != hash_bytes(bytes, size));
			bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
}

static unsigned longest_chain(const char *format)
{
	static unsigned char counts[BUCKETS];
	unsigned longest = 0;
	char name[64];

	memset(counts, 0, sizeof(counts));
	for (unsigned i = 0; i < NAMES; i++) {
		int length = snprintf(name, sizeof(name), format, i);
		unsigned char *count = &counts[hash_bytes(name, (size_t)length) % BUCKETS];

		longest = ++*count > longest ? *count : longest;
	}
	return longest;
}

/*
 * Names like those of programs fall as evenly as balls thrown at random: more than 14 in one of so many is one in 10^6.
 */
static void test_even(void **state)
{
	static const char *const formats[] = { "%u", "%08u", "file-%u.c", "aaaaaaaaaaaaaaaaaaaaaaaa%x",
					       "%x/aaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		assert_in_range(longest_chain(formats[i]), 1, 14);
}

/* Two names that collide under one key do not under another: those of the low 16 bits are found by search. */
static void test_key(void **state)
{
	static const uint64_t first[2] = { 1, 2 }, second[2] = { 0x123456789abcdef, 0xfedcba987654321 };
	static unsigned seen[BUCKETS];
	unsigned together = 0, pairs = 0;
	char name[64], other[64];

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (unsigned i = 1; i < 20000; i++) {
		size_t length = (size_t)snprintf(name, sizeof(name), "%u", i), other_length;
		unsigned *slot;

		hash_set_key(first);
		slot = &seen[hash_bytes(name, length) % BUCKETS];
		if (*slot) {
			other_length = (size_t)snprintf(other, sizeof(other), "%u", *slot);
			hash_set_key(second);
			pairs++;
			together += hash_bytes(name, length) % BUCKETS == hash_bytes(other, other_length) % BUCKETS;
		}
		*slot = i;
	}
	assert_true(pairs > 1000);
	assert_in_range(together, 0, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
