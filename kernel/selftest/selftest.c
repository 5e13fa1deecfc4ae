/*
 * Runs self-tests, as selftest.h says. One test runs at a time.
 */
#include "kernel/selftest/selftest.h"

#include <stdarg.h>

#include "kernel/lib/format.h"
#include "kernel/lib/log.h"

static char reason[128]; /* why the running test fails; empty: not said. Guard: the test that runs */

bool selftest_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!reason[0])
		format_v(reason, sizeof(reason), format, args);
	va_end(args);
	return false;
}

/*
 * Run a test and check that it has given all frames back. A test that changed the count runs once more: a structure
 * that the kernel allocates at its first use and keeps for good costs frames only once, a leak costs frames in each
 * run.
 */
static bool run(const struct selftest *test, uint64_t (*measure)(void))
{
	uint64_t before, after = 0;

	reason[0] = '\0';
	for (int round = 0; round < 2; round++) {
		before = measure();
		if (!test->run())
			return false;
		after = measure();
		if (after == before)
			return true;
	}
	return selftest_fail("%llu frames free before, %llu after", (unsigned long long)before,
			     (unsigned long long)after);
}

unsigned selftest_run(const struct selftest_suite *const *suites, size_t count, uint64_t (*measure)(void))
{
	unsigned planned = 0, done = 0, failed = 0;

	for (size_t i = 0; i < count; i++)
		planned += suites[i]->count;
	log_info("KTAP version 1\n1..%u\n", planned);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < suites[i]->count; k++) {
			const struct selftest *test = &suites[i]->tests[k];
			bool good = run(test, measure);

			failed += !good;
			log_info("%s %u %s: %s%s%s\n", good ? "ok" : "not ok", ++done, suites[i]->name, test->name,
				 good || !reason[0] ? "" : " # ", good ? "" : reason);
		}
	}
	log_info("# Totals: pass:%u fail:%u skip:0\n", done - failed, failed);
	return failed;
}
