/*
 * The project's printf beside the C library's: a million random conversions, then what differs on purpose.
 * SEED repeats a run.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/format.h"
#include "test/host/random.h"

#define ROUNDS 1000000

/* Both printfs on the same arguments, with room and without: text, length, and not a byte behind the buffer. */
static void expect_as_library(size_t size, const char *format, ...)
{
	char ours[256], theirs[256];
	va_list args, again;
	size_t length;
	int expected;

	memset(ours, '@', sizeof(ours));
	memset(theirs, '@', sizeof(theirs));
	va_start(args, format);
	va_copy(again, args);
	length = format_v(ours, size, format, args);
	expected = vsnprintf(theirs, size, format, again);
	va_end(again);
	va_end(args);
	if (expected < 0 || length != (size_t)expected || memcmp(ours, theirs, sizeof(ours)) != 0)
		fail_msg("\"%s\": \"%.*s\", %zu characters; the library: \"%.*s\", %d", format, (int)size, ours, length,
			 (int)size, theirs, expected);
}

/* A conversion in the making, with the `*` arguments that it takes. */
struct random_format {
	char text[64];
	size_t size;
	int stars[2];
	int star_count;
};

static void append(struct random_format *f, const char *text)
{
	size_t size = strlen(text);

	memcpy(f->text + f->size, text, size + 1);
	f->size += size;
}

static void append_number(struct random_format *f, struct random *r, int most)
{
	int number = (int)random_below(r, (uint64_t)most + 1);
	char text[12];

	if (random_below(r, 3) == 0) {
		append(f, "*");
		f->stars[f->star_count++] = random_below(r, 4) ? number : -number;
		return;
	}
	/* A width of 0 would be read as a flag. */
	snprintf(text, sizeof(text), "%d", number ? number : 1);
	append(f, text);
}

static void append_flags(struct random_format *f, struct random *r, const char *flags)
{
	for (; *flags; flags++) {
		const char flag[2] = { *flags, '\0' };

		if (random_below(r, 4) == 0)
			append(f, flag);
	}
}

static uint64_t random_value(struct random *r)
{
	static const uint64_t values[] = { 0,          1,        7,         8,          9,          10,        127,
					   128,        255,      256,       32767,      32768,      65535,     INT_MAX,
					   0x80000000, UINT_MAX, INT64_MAX, 1ULL << 63, UINT64_MAX, 0xdeadbeef };

	if (random_below(r, 2))
		return values[random_below(r, sizeof(values) / sizeof(values[0]))];
	return random_next(r) >> random_below(r, 64);
}

/* The conversion with the rest of its arguments: an int, 8 bytes, or a pointer. */
#define EXPECT(f, size, value)                                                             \
	((f)->star_count == 0   ? expect_as_library(size, (f)->text, value)                \
	 : (f)->star_count == 1 ? expect_as_library(size, (f)->text, (f)->stars[0], value) \
				: expect_as_library(size, (f)->text, (f)->stars[0], (f)->stars[1], value))

static void random_integer(struct random *r, struct random_format *f, size_t size)
{
	static const char *const lengths[] = { "hh", "h", "", "l", "ll", "z", "t" };
	static const char *const letters[] = { "d", "i", "u", "x", "X", "o" };
	size_t length = random_below(r, 7), letter = random_below(r, 6);

	/* "#" with a decimal conversion is undefined. */
	append_flags(f, r, letter >= 3 ? "-0#" : letter < 2 ? "-0+ " : "-0");
	if (random_below(r, 2))
		append_number(f, r, 30);
	if (random_below(r, 2)) {
		append(f, ".");
		if (random_below(r, 4))
			append_number(f, r, 30);
	}
	append(f, lengths[length]);
	append(f, letters[letter]);
	append(f, "|");
	if (length < 3)
		EXPECT(f, size, (int)random_value(r));
	else
		EXPECT(f, size, (long)random_value(r));
}

static void random_text(struct random *r, struct random_format *f, size_t size)
{
	static const char *const texts[] = { "", "a", "some text", "äöü, and what else there is" };

	append_flags(f, r, "-");
	if (random_below(r, 2))
		append_number(f, r, 30);
	if (random_below(r, 4) == 0) {
		append(f, "c|");
		EXPECT(f, size, (int)random_below(r, 128));
		return;
	}
	if (random_below(r, 2)) {
		append(f, ".");
		if (random_below(r, 4))
			append_number(f, r, 12);
	}
	append(f, "s|");
	EXPECT(f, size, texts[random_below(r, 4)]);
}

static void random_conversions(void **state)
{
	struct random r = random_start("test_format");

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct random_format f = { .text = "" };
		size_t size = random_below(&r, 4) ? 200 : random_below(&r, 40);

		append(&f, "<%");
		if (random_below(&r, 4))
			random_integer(&r, &f, size);
		else
			random_text(&r, &f, size);
	}
}

static void several_arguments(void **state)
{
	(void)state;
	expect_as_library(200, "");
	expect_as_library(200, "100%% of %s, %d%c", "it", 42, '!');
	expect_as_library(200, "%s at %#lx+%#zx of %llu, %-8s|%8s|%08llx", "place", 0x1000L, (size_t)16, 1ULL << 40,
			  "left", "right", 0xffff800000000000ULL);
	expect_as_library(200, "%*.*s|%-*d", 6, 2, "abc", 5, 7);
	/* More arguments than there are registers for them. */
	expect_as_library(200, "%d %s %ld %c %u %x %p %d %s", 1, "2", 3L, '4', 5U, 6U, (void *)7, 8, "9");
	expect_as_library(0, "%d", 12345);
	expect_as_library(1, "%d", 12345);
	expect_as_library(5, "%d", 12345);
	expect_as_library(6, "%d", 12345);
}

static void expect_text(const char *expected, const char *format, ...)
{
	char text[128];
	va_list args;
	size_t length;

	va_start(args, format);
	length = format_v(text, sizeof(text), format, args);
	va_end(args);
	assert_string_equal(text, expected);
	assert_int_equal(length, strlen(expected));
}

/* Where the library leaves it open, or says something else. */
static void our_own_answers(void **state)
{
	(void)state;
	expect_text("(null)", "%s", NULL);
	expect_text("(n", "%.2s", NULL);
	expect_text("0x0", "%p", NULL);
	expect_text("0xffff800000001000", "%p", (void *)0xffff800000001000);
	/* No such conversion: it stands as it is, and no argument is taken. */
	expect_text("%k 5", "%k %d", 5);
	expect_text("%f", "%f");
	expect_text("%n", "%n");
	expect_text("%-8.3lQ", "%-8.3lQ");
	expect_text("%", "%");
	expect_text("ends with %-5", "ends with %-5");
}

/* format_s without its attribute: the compiler would refuse these formats. */
static size_t format_unchecked(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = format_v(buffer, size, format, args);
	va_end(args);
	return length;
}

/* A width that nobody means neither overflows nor takes a minute. */
static void absurd_widths_are_cut(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(format_unchecked(text, sizeof(text), "%99999999999999999999d", 1), 65535);
	assert_string_equal(text, "       ");
	assert_int_equal(format_unchecked(text, sizeof(text), "%*d", INT_MAX, 1), 65535);
	assert_string_equal(text, "       ");
	assert_int_equal(format_unchecked(text, sizeof(text), "%*d", INT_MIN, 1), 65535);
	assert_string_equal(text, "1      ");
	assert_int_equal(format_unchecked(text, sizeof(text), "%.*d", INT_MIN, 1), 1);
}

/* Not a byte of a string behind its precision is read: it need not end. */
static void a_precision_ends_a_string(void **state)
{
	char *three = malloc(3);

	(void)state;
	assert_non_null(three);
	memcpy(three, "abc", 3);
	expect_text("abc", "%.3s", three);
	expect_text("  ab", "%4.2s", three);
	free(three);
}

/* The two for many numbers, with every count of digits. */
static void plain_numbers(void **state)
{
	struct random r = random_start("test_format");
	char ours[FORMAT_ROOM + 1], theirs[64];

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		const unsigned least = random_below(&r, 17);
		const uint64_t number = random_next(&r) >> random_below(&r, 64);
		char *end = format_decimal(ours, number);

		*end = '\0';
		snprintf(theirs, sizeof(theirs), "%llu", (unsigned long long)number);
		assert_string_equal(ours, theirs);
		end = format_hex(ours, number, least);
		*end = '\0';
		snprintf(theirs, sizeof(theirs), "%0*llx", (int)least, (unsigned long long)number);
		assert_string_equal(ours, theirs);
	}
	for (uint64_t number = 1; number; number *= 10) {
		*format_decimal(ours, number - 1) = '\0';
		snprintf(theirs, sizeof(theirs), "%llu", (unsigned long long)number - 1);
		assert_string_equal(ours, theirs);
		if (number == 10000000000000000000U)
			break;
	}
}

static void sizes_in_human_units(void **state)
{
	static const struct {
		unsigned long long bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0 B" },
		{ 1, "1 B" },
		{ 1023, "1023 B" },
		{ 1024, "1 KiB" },
		{ 1536, "1.5 KiB" },
		{ 655360, "640 KiB" },
		{ 1 << 20, "1 MiB" },
		{ 4187593113, "3.8 GiB" },
		{ (1ULL << 30) - 1, "1023.9 MiB" },
		{ 1ULL << 40, "1 TiB" },
		{ 1ULL << 50, "1 PiB" },
		{ 1ULL << 63, "8 EiB" },
		{ UINT64_MAX, "15.9 EiB" },
	};
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_ptr_equal(format_size(text, sizes[i].bytes), text);
		assert_string_equal(text, sizes[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_conversions),
		cmocka_unit_test(several_arguments),
		cmocka_unit_test(our_own_answers),
		cmocka_unit_test(absurd_widths_are_cut),
		cmocka_unit_test(a_precision_ends_a_string),
		cmocka_unit_test(sizes_in_human_units),
		cmocka_unit_test(plain_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
