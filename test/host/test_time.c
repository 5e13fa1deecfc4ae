/*
 * Sums of times: nothing wraps, whatever a program asks for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/lib/time.h"
#include "test/host/random.h"

typedef unsigned __int128 wide_t;

static uint64_t saturated(wide_t ns)
{
	return ns > TIME_MOST_NS ? TIME_MOST_NS : (uint64_t)ns;
}

/* Of every size, and the edges. */
static uint64_t some_time(struct random *r)
{
	static const uint64_t edges[] = { 0, 1, TIME_MOST_NS - 1, TIME_MOST_NS, TIME_NEVER, 1ULL << 63 };
	uint64_t n = random_below(r, 70);

	return n < 6 ? edges[n] : random_next(r) >> (n - 6);
}

static void sums_saturate(void **state)
{
	struct random r = random_start("test_time");

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t a = some_time(&r), b = some_time(&r), c = some_time(&r);

		assert_int_equal(time_add(a, b), saturated((wide_t)a + b));
		/* 2^64 * 2^64 + 2^64 is more than the wide one holds. */
		b >>= 1;
		assert_int_equal(time_add_times(a, b, c), saturated((wide_t)b * c + a));
	}
}

static void the_next_time_is_the_first_after_now(void **state)
{
	struct random r = random_start("test_time");

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t at = some_time(&r), interval = some_time(&r) | 1, now = some_time(&r);
		uint64_t next = time_next(at, interval, now);

		if (now < at) {
			assert_int_equal(next, at);
			continue;
		}
		assert_int_equal(next, saturated(at + ((wide_t)(now - at) / interval + 1) * interval));
		assert_true(next > now || next == TIME_MOST_NS);
		assert_int_equal(time_intervals(at, interval, now), (now - at) / interval);
	}
	assert_int_equal(time_intervals(5, 1, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_saturate),
		cmocka_unit_test(the_next_time_is_the_first_after_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
