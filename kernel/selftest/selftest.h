/*
 * Self-tests of the running kernel, reported in KTAP form (Linux, "The Kernel Test Anything Protocol (KTAP), version
 * 1"): a version line, the plan, a line for each test, the totals. Runs the suites it is given; knows no test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct selftest {
	const char *name;
	bool (*run)(void); /* returns whether the test passed; when not, selftest_fail() has usually said why */
};

/* Tests of one subject. The suite's name stands before theirs in the log. */
struct selftest_suite {
	const char *name;
	const struct selftest *tests;
	size_t count;
};

#define SELFTEST_SUITE(suite, list) \
	const struct selftest_suite suite##_selftests = { #suite, list, sizeof(list) / sizeof((list)[0]) }

/*
 * Say why the running test fails: the first reason is kept, cut at 127 bytes. Returns false, so that a test can return
 * it.
 */
__attribute__((format(printf, 1, 2))) bool selftest_fail(const char *format, ...);

/* Fail the test that contains this, when the condition is false. */
#define SELFTEST_CHECK(condition)                                                           \
	do {                                                                                \
		if (!(condition))                                                           \
			return selftest_fail("line %d: %s is false", __LINE__, #condition); \
	} while (0)

/*
 * Run all tests and log the results. `measure` counts free frames, which a test must give back: one that loses some
 * whenever it runs fails. Returns how many have failed.
 */
unsigned selftest_run(const struct selftest_suite *const *suites, size_t count, uint64_t (*measure)(void));
