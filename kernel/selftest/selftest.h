/*
 * Self-tests of the running kernel, reported in KTAP form (Linux, "The Kernel Test Anything Protocol (KTAP), version
 * 1"): a version line, the plan, a line for each test, the totals. The caller passes the suites; selftests.c has the
 * list of all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct selftest {
	const char *name;
	bool (*run)(void); /* returns whether the test passed; a test that fails may give a reason by selftest_fail() */
};

/* Tests of one subject. In the log the suite's name precedes each test's name. */
struct selftest_suite {
	const char *name;
	const struct selftest *tests;
	size_t count;
};

#define SELFTEST_SUITE(suite, list) \
	const struct selftest_suite suite##_selftests = { #suite, list, sizeof(list) / sizeof((list)[0]) }

/*
 * Give the reason for which the running test fails. The log shows the first reason, cut at 127 bytes. Returns false, so
 * that a test can end with `return selftest_fail(…)`.
 */
__attribute__((format(printf, 1, 2))) bool selftest_fail(const char *format, ...);

/* Make the function return selftest_fail(), with the line's number, when the condition is false. */
#define SELFTEST_CHECK(condition)                                                           \
	do {                                                                                \
		if (!(condition))                                                           \
			return selftest_fail("line %d: %s is false", __LINE__, #condition); \
	} while (0)

/*
 * Run all tests of the suites and log the results. `measure` returns the number of free frames, which each test must
 * leave as it was: a test that changes it in two runs fails. Returns how many tests have failed.
 */
unsigned selftest_run(const struct selftest_suite *const *suites, size_t count, uint64_t (*measure)(void));
