/*
 * The command line: words, values, numbers, quotes, and what is init's.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/cmdline.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void words_are_found_whole(void **state)
{
	static const struct {
		const char *cmdline, *key;
		bool there;
	} cases[] = {
		{ "", "quiet", false },
		{ "quiet", "quiet", true },
		{ "a quiet b", "quiet", true },
		{ "\t quiet\n", "quiet", true },
		{ "quiet=1", "quiet", true },
		{ "quiet=", "quiet", true },
		{ "quieter", "quiet", false },
		{ "unquiet", "quiet", false },
		{ "quie", "quiet", false },
		{ "a=quiet", "quiet", false },
		{ "a=\"b quiet c\"", "quiet", false },
		{ "\"quiet\"", "quiet", true },
		{ "\"quiet", "quiet", true },
		{ "\"quiet=a b\"", "quiet", true },
		{ "\"", "quiet", false },
		{ "\"\"", "quiet", false },
		{ "-- quiet", "quiet", false },
		{ "quiet -- x", "quiet", true },
		{ "--quiet", "quiet", false },
		{ "--quiet", "--quiet", true },
		{ "--- quiet", "quiet", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (cmdline_has(cases[i].cmdline, cases[i].key) != cases[i].there)
			fail_msg("\"%s\" %s, it is said", cases[i].cmdline, cases[i].there ? "lacks it" : "has it");
}

static void the_last_value_counts(void **state)
{
	static const struct {
		const char *cmdline;
		const char *value; /* of init; NULL: none */
	} cases[] = {
		{ "", NULL },
		{ "init", NULL },
		{ "init=/a", "/a" },
		{ "init=/a init=/b", "/b" },
		{ "init=/a init", "/a" },
		{ "init=", "" },
		{ "init=/a init=", "" },
		{ "init=a=b", "a=b" },
		{ "xinit=/a", NULL },
		{ "initx=/a", NULL },
		{ "init=\"/a b\" c", "/a b" },
		{ "init=/a\" \"b", "/a b" },
		{ "\"init=/a b\" c", "/a b" },
		{ "init=\"/a b", "/a b" },
		{ "init=\"\"", "" },
		{ "init=/a -- init=/b", "/a" },
		{ "-- init=/b", NULL },
		{ "x=\"--\" init=/a", "/a" },
	};
	char buffer[32];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		memset(buffer, '@', sizeof(buffer));
		assert_int_equal(cmdline_get(cases[i].cmdline, "init", buffer, sizeof(buffer)), !!cases[i].value);
		if (cases[i].value)
			assert_string_equal(buffer, cases[i].value);
		else
			for (size_t k = 0; k < sizeof(buffer); k++)
				assert_int_equal(buffer[k], '@');
	}
}

static void each_value_in_turn(void **state)
{
	const char *at = "a=1 init=/a init init=\"/b c\" x init= -- init=/d";
	char buffer[8] = "";

	(void)state;
	assert_true(cmdline_next(&at, "init", buffer, sizeof(buffer)));
	assert_string_equal(buffer, "/a");
	assert_true(cmdline_next(&at, "init", buffer, sizeof(buffer)));
	assert_string_equal(buffer, "/b c");
	assert_true(cmdline_next(&at, "init", buffer, sizeof(buffer)));
	assert_string_equal(buffer, "");
	buffer[0] = '@';
	assert_false(cmdline_next(&at, "init", buffer, sizeof(buffer)));
	assert_int_equal(buffer[0], '@');
}

static void a_value_is_cut_to_fit(void **state)
{
	char buffer[8];

	(void)state;
	for (size_t size = 0; size <= sizeof(buffer); size++) {
		memset(buffer, '@', sizeof(buffer));
		assert_true(cmdline_get("init=\"/bin\"/sh", "init", buffer, size));
		for (size_t i = 0; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], i >= size ? '@' : i + 1 == size ? '\0' : "/bin/sh"[i]);
	}
}

static void numbers(void **state)
{
	static const struct {
		const char *value;
		long number; /* -7: not one */
	} cases[] = {
		{ "0", 0 },
		{ "5", 5 },
		{ "-5", -5 },
		{ "0010", 10 },
		{ "0x10", 16 },
		{ "0XfF", 255 },
		{ "-0x10", -16 },
		{ "9223372036854775807", LONG_MAX },
		{ "-9223372036854775807", -LONG_MAX },
		{ "0x7fffffffffffffff", LONG_MAX },
		{ "\"12\"", 12 },
		{ "", -7 },
		{ "-", -7 },
		{ "0x", -7 },
		{ "-0x", -7 },
		{ "+5", -7 },
		{ "5k", -7 },
		{ "5 ", 5 },
		{ "12a", -7 },
		{ "0x1g", -7 },
		{ "0x:", -7 },
		{ "0x1@", -7 },
		{ "1.5", -7 },
		{ "--5", -7 },
		{ "\xff", -7 },
		{ "9223372036854775808", -7 },
		{ "0x8000000000000000", -7 },
		{ "99999999999999999999999999", -7 },
		/* Too long to be looked at whole: not a number, rather than a part of one. */
		{ "00000000000000000000000000000000000000001", -7 },
	};
	char cmdline[128];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(cmdline, sizeof(cmdline), "panic=1 n=%s panic=2", cases[i].value);
		assert_int_equal(cmdline_number(cmdline, "n", -7), cases[i].number);
	}
	assert_int_equal(cmdline_number("n=1 n=2", "n", -7), 2);
	assert_int_equal(cmdline_number("n=1 n=x", "n", -7), -7);
	assert_int_equal(cmdline_number("n", "n", -7), -7);
	assert_int_equal(cmdline_number("m=1", "n", -7), -7);
}

static void the_rest_is_for_init(void **state)
{
	static const struct {
		const char *cmdline, *rest;
	} cases[] = {
		{ "", "" },
		{ "quiet init=/a", "" },
		{ "--", "" },
		{ "quiet --", "" },
		{ "quiet -- a b", "a b" },
		{ "--   a", "a" },
		{ "-- a -- b", "a -- b" },
		{ "a=\"x -- y\" -- z", "z" },
		{ "a=\"x -- y", "" },
		{ "--x y", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(cmdline_init_words(cases[i].cmdline), cases[i].rest);
}

static void one_of_several_values(void **state)
{
	static const char cmdline[] = "console=ttyS0,115200 quiet \"console=tty0\" console=\"tty5\" -- console=hvc0";

	(void)state;
	assert_true(cmdline_names(cmdline, "console", "ttyS0"));
	assert_true(cmdline_names(cmdline, "console", "tty0"));
	assert_true(cmdline_names(cmdline, "console", "tty5"));
	assert_false(cmdline_names(cmdline, "console", "tty"));
	assert_false(cmdline_names(cmdline, "console", "ttyS01"));
	assert_false(cmdline_names(cmdline, "console", "hvc0"));
	assert_false(cmdline_names(cmdline, "quiet", ""));
	assert_false(cmdline_names("console", "console", "tty0"));
	assert_false(cmdline_names("console=tty00", "console", "tty0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found_whole),
		cmocka_unit_test(the_last_value_counts),
		cmocka_unit_test(each_value_in_turn),
		cmocka_unit_test(a_value_is_cut_to_fit),
		cmocka_unit_test(numbers),
		cmocka_unit_test(the_rest_is_for_init),
		cmocka_unit_test(one_of_several_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
