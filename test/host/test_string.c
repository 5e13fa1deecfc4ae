/*
 * The string functions, in the loader's and in the kernel's form, against byte-by-byte loops and the C library: every
 * size up to some blocks, every alignment, every distance between overlapping areas, and not a byte beyond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/string_functions.h"

#define ROOM      400
#define SIZE_MOST 150 /* two rounds of four 16-byte blocks, and a bit */
#define ALIGN     16

static const struct string_functions *const both[] = { &string_of_loader, &string_of_kernel };

/* No two bytes near each other are alike, and none is alike in both areas. */
static void paint(unsigned char *area, unsigned first)
{
	for (size_t i = 0; i < ROOM; i++)
		area[i] = (unsigned char)(first + i * 7);
}

static void copies_any_size(void **state)
{
	const struct string_functions *f = *state;
	unsigned char from[ROOM], to[ROOM], expected[ROOM];

	for (size_t size = 0; size <= SIZE_MOST; size++)
		for (size_t a = 0; a < ALIGN; a++)
			for (size_t b = 0; b < ALIGN; b++) {
				paint(from, 1);
				paint(to, 100);
				paint(expected, 100);
				for (size_t i = 0; i < size; i++)
					expected[32 + a + i] = from[32 + b + i];
				assert_ptr_equal(f->copy(to + 32 + a, from + 32 + b, size), to + 32 + a);
				assert_memory_equal(to, expected, ROOM);
			}
}

static void moves_over_itself(void **state)
{
	const struct string_functions *f = *state;
	unsigned char area[ROOM], expected[ROOM];

	for (size_t size = 0; size <= SIZE_MOST; size++)
		for (size_t to = 0; to <= 160; to++) {
			const size_t from = 80;

			paint(area, 1);
			paint(expected, 1);
			for (size_t i = 0; i < size; i++)
				expected[to + i] = area[from + i];
			assert_ptr_equal(f->move(area + to, area + from, size), area + to);
			assert_memory_equal(area, expected, ROOM);
		}
}

static void fills_any_size(void **state)
{
	const struct string_functions *f = *state;
	static const int values[] = { 0, 1, 0x80, 0xff, -1, 0x1234 };
	unsigned char area[ROOM], expected[ROOM];

	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
		for (size_t size = 0; size <= SIZE_MOST; size++)
			for (size_t a = 0; a < ALIGN; a++) {
				paint(area, 1);
				paint(expected, 1);
				for (size_t i = 0; i < size; i++)
					expected[32 + a + i] = (unsigned char)values[v];
				assert_ptr_equal(f->fill(area + 32 + a, values[v], size), area + 32 + a);
				assert_memory_equal(area, expected, ROOM);
			}
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void compares_bytes(void **state)
{
	const struct string_functions *f = *state;
	unsigned char a[40], b[40];

	for (size_t size = 0; size <= 40; size++)
		for (size_t at = 0; at < size; at++)
			for (int difference = -3; difference <= 3; difference++) {
				memset(a, 0x7f, sizeof(a));
				memset(b, 0x7f, sizeof(b));
				b[at] = (unsigned char)(0x7f + difference);
				/* The first difference decides: what follows points the other way. */
				if (at + 1 < size)
					b[at + 1] = (unsigned char)(0x7f - difference);
				assert_int_equal(sign(f->compare(a, b, size)), sign(memcmp(a, b, size)));
				assert_int_equal(f->compare(a, b, at), 0);
			}
}

/* The strings lie at the end of what they are allowed to read: the sanitizer sees a byte too many. */
static char *exactly(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	assert_non_null(copy);
	return memcpy(copy, text, size);
}

static void strings_as_the_library(void **state)
{
	static const char *const texts[] = { "", "a", "b", "ab", "abc", "abd", "ab\x80", "ab\x7f", "a longer one, a" };
	const struct string_functions *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *a = exactly(texts[i]);

		assert_int_equal(f->length(a), strlen(a));
		for (size_t most = 0; most < 20; most++)
			assert_int_equal(f->length_most(a, most), strnlen(a, most));
		for (int c = -128; c < 256; c++)
			assert_ptr_equal(f->find(a, c), strchr(a, c));
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			char *b = exactly(texts[k]);

			assert_int_equal(sign(f->compare_strings(a, b)), sign(strcmp(a, b)));
			for (size_t most = 0; most < 20; most++)
				assert_int_equal(sign(f->compare_strings_most(a, b, most)), sign(strncmp(a, b, most)));
			free(b);
		}
		free(a);
	}
}

/* Without an end, but within `most`. */
static void bounded_ones_need_no_end(void **state)
{
	const struct string_functions *f = *state;
	char *a = malloc(3);

	assert_non_null(a);
	memcpy(a, "abc", 3);
	assert_int_equal(f->length_most(a, 3), 3);
	assert_int_equal(f->compare_strings_most(a, "abcd", 3), 0);
	free(a);
}

static int use_loader(void **state)
{
	*state = (void *)(uintptr_t)both[0];
	return 0;
}

static int use_kernel(void **state)
{
	*state = (void *)(uintptr_t)both[1];
	return 0;
}

/* clang-format off */
#define TEST(function) \
	{ #function ", loader's", function, use_loader, NULL, NULL }, \
	{ #function ", kernel's", function, use_kernel, NULL, NULL }
/* clang-format on */

/* Wherever the string starts, whatever stands before and behind it, and with bytes that differ from the end in a bit. */
static void lengths_of_any_string(void **state)
{
	const struct string_functions *f = *state;
	static const char fillers[] = { 'a', '/' + 1, '/' - 1, 1, (char)0x80, (char)0xff };
	char area[ROOM];

	for (size_t v = 0; v < sizeof(fillers); v++)
		for (size_t around = 0; around < 2; around++)
			for (size_t start = 16; start < 32; start++)
				for (size_t length = 0; length < 40; length++) {
					memset(area, around ? '/' : 0, sizeof(area));
					memset(area + start, fillers[v], length);
					area[start + length] = around ? '/' : 0;
					area[ROOM - 1] = 0;
					assert_int_equal(f->length_without(area + start, "/"), length);
					assert_int_equal(f->length_without(area + start, "/:"), length);
					for (size_t most = 0; most < 50; most++)
						assert_int_equal(f->length_most(area + start, most),
								 strnlen(area + start, most));
					assert_int_equal(f->length(area + start), strlen(area + start));
				}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copies_any_size),       TEST(moves_over_itself),      TEST(fills_any_size),
		TEST(compares_bytes),        TEST(strings_as_the_library), TEST(bounded_ones_need_no_end),
		TEST(lengths_of_any_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
