/*
 * The runner of the kernel's self-tests: what it says about tests that hold, that do not, and that lose something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/log.h"
#include "kernel/selftest/selftest.h"

static char said[2048];
static uint64_t frames;
static int runs;

static void keep(const char *text, size_t size)
{
	strncat(said, text, size);
}

static uint64_t measure(void)
{
	return frames;
}

static bool holds(void)
{
	runs++;
	return true;
}

static bool says_why(void)
{
	const int apples = 2;

	SELFTEST_CHECK(apples == 2);
	selftest_fail("%d apples", apples);
	return selftest_fail("a later reason");
}

static bool says_nothing(void)
{
	return false;
}

static bool checks(void)
{
	SELFTEST_CHECK(frames == 7);
	return true;
}

static bool loses_each_time(void)
{
	frames--;
	return true;
}

static bool sets_up_once(void)
{
	if (runs++ == 0)
		frames -= 3;
	return true;
}

static const struct selftest good_tests[] = { { "holds", holds }, { "sets up", sets_up_once } };
static const struct selftest bad_tests[] = {
	{ "says why", says_why }, { "says nothing", says_nothing }, { "loses", loses_each_time },
	{ "checks", checks },     { "holds after all", holds },
};

static SELFTEST_SUITE(good, good_tests);
static SELFTEST_SUITE(bad, bad_tests);

static int begin(void **state)
{
	static struct log_sink sink = { .write = keep };

	(void)state;
	log_add_sink(&sink, LOG_NO_REPLAY);
	said[0] = '\0';
	frames = 100;
	runs = -1;
	return 0;
}

static void all_hold(void **state)
{
	const struct selftest_suite *const suites[] = { &good_selftests };

	(void)state;
	assert_int_equal(selftest_run(suites, 1, measure), 0);
	assert_string_equal(said, "KTAP version 1\n1..2\nok 1 good: holds\nok 2 good: sets up\n"
				  "# Totals: pass:2 fail:0 skip:0\n");
	assert_int_equal(frames, 97);
	assert_int_equal(runs, 2);
}

static void some_do_not(void **state)
{
	const struct selftest_suite *const suites[] = { &bad_selftests, &good_selftests };
	char *line, *end;

	(void)state;
	runs = 5;
	assert_int_equal(selftest_run(suites, 2, measure), 4);
	/* The number of the line is the compiler's affair. */
	line = strstr(said, "line ");
	assert_non_null(line);
	end = strchr(line, ':');
	memmove(line, end, strlen(end) + 1);
	assert_string_equal(said,
			    "KTAP version 1\n1..7\nnot ok 1 bad: says why # 2 apples\nnot ok 2 bad: says nothing\n"
			    "not ok 3 bad: loses # 99 frames free before, 98 after\n"
			    "not ok 4 bad: checks # : frames == 7 is false\nok 5 bad: holds after all\n"
			    "ok 6 good: holds\nok 7 good: sets up\n# Totals: pass:3 fail:4 skip:0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_hold, begin),
		cmocka_unit_test_setup(some_do_not, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
