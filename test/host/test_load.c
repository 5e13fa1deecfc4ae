/*
 * The load averages follow the number of active tasks as an exponential does, whatever the moments they are told at.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/task/load_average.h"

#define SECOND 1000000000ULL

static const double minutes[3] = { 1, 5, 15 };

/* That each average is what `before` became in `seconds` with `active` tasks; the true curve, in steps of five seconds. */
static void expect(const double before[3], double seconds, double active)
{
	for (int i = 0; i < 3; i++) {
		double rest = exp(-seconds / (60 * minutes[i]));
		double wanted = before[i] * rest + active * (1 - rest), saw = (double)load_averages[i] / LOAD_ONE;

		if (fabs(saw - wanted) > 0.02)
			fail_msg("average %d: expected %f, saw %f", i, wanted, saw);
	}
}

static void get(double ret[3])
{
	for (int i = 0; i < 3; i++)
		ret[i] = (double)load_averages[i] / LOAD_ONE;
}

static void averages_follow(void **state)
{
	static const struct {
		unsigned seconds, active;
	} phases[] = { { 5, 0 }, { 60, 1 }, { 300, 3 }, { 900, 0 }, { 3600, 2 }, { 86400, 0 }, { 60, 5 } };
	uint64_t now = 0;
	double before[3];

	(void)state;
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		uint64_t end = now + phases[i].seconds * SECOND;

		get(before);
		/* In every second phase told every 700 ms, else once at its end. */
		while (i % 2 && now + SECOND < end) {
			now += 700000000;
			load_sample(now, phases[i].active);
		}
		now = end;
		load_sample(now, phases[i].active);
		expect(before, phases[i].seconds, phases[i].active);
	}
}

/* It gets there: idle long enough is 0.00, and one task is 1.00. */
static void averages_arrive(void **state)
{
	(void)state;
	load_sample(load_next_ns + 100000 * SECOND, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(load_averages[i], LOAD_ONE);
	load_sample(load_next_ns + 100000 * SECOND, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(load_averages[i], 0);
}

/* However many tasks there are: nothing overflows, and the averages neither jump nor stop short. */
static void averages_of_many(void **state)
{
	static const unsigned many[] = { 65535, 65536, 70000, 4000000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		double before[3];

		get(before);
		load_sample(load_next_ns + 295 * SECOND, many[i]);
		for (int n = 0; n < 3; n++) {
			double rest = exp(-300 / (60 * minutes[n])), saw = (double)load_averages[n] / LOAD_ONE;

			assert_true(fabs(saw / (before[n] * rest + many[i] * (1 - rest)) - 1) < 0.0001);
		}
		/* One step of many intervals leaves a part in 10^10 of what was before. */
		for (int n = 0; n < 3; n++)
			load_sample(load_next_ns + 100000 * SECOND, many[i]);
		for (int n = 0; n < 3; n++)
			assert_int_equal(load_averages[n], many[i] * LOAD_ONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(averages_follow),
		cmocka_unit_test(averages_arrive),
		cmocka_unit_test(averages_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
