/*
 * Locks as the debug build has them: what may be taken beside what, who holds what, and what a violation says.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/format.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/lock.h"

static struct lock timers = LOCK_INITIAL(LOCK_TIMERS), screen = LOCK_INITIAL(LOCK_SCREEN),
		   other_screen = LOCK_INITIAL(LOCK_SCREEN), log_lock = LOCK_INITIAL(LOCK_LOG), forgotten;

static jmp_buf way_out;
static char message[256];

static void keep_message(const char *format, va_list args)
{
	format_v(message, sizeof(message), format, args);
	longjmp(way_out, 1);
}

/* `doing` panics, and the message has all of these in it. */
static void expect_panic(void (*doing)(void), const char *first, const char *second)
{
	message[0] = '\0';
	if (!setjmp(way_out))
		doing();
	assert_non_null(strstr(message, first));
	assert_non_null(strstr(message, second));
}

static int setup(void **state)
{
	(void)state;
	panic_set_handler(keep_message);
	lock_check_none("a test begins");
	return 0;
}

static void locks_are_taken_in_order_and_released_in_any(void **state)
{
	uint64_t outer, inner;

	(void)state;
	outer = lock_take(&timers);
	inner = lock_take(&screen);
	lock_take_off(&log_lock);
	lock_assert_held(&timers);
	lock_assert_held(&screen);
	lock_assert_held(&log_lock);
	lock_release(&screen, inner);
	lock_release_off(&log_lock);
	lock_release(&timers, outer);
	lock_check_none("it is over");
	/* What comes between has not been taken for good. */
	lock_take_on(&screen);
	lock_release_on(&screen);
}

static void take_timers(void)
{
	(void)lock_take(&timers);
}

static void take_screen(void)
{
	(void)lock_take(&screen);
}

static void take_other_screen(void)
{
	(void)lock_take(&other_screen);
}

static void take_forgotten(void)
{
	(void)lock_take(&forgotten);
}

static void a_lock_against_the_order_names_both_places(void **state)
{
	uint64_t flags = lock_take(&screen);

	(void)state;
	expect_panic(take_timers, "test/host/test_lock.c:",
		     "takes LOCK_TIMERS, but LOCK_SCREEN was taken at test/host/test_lock.c:");
	lock_release(&screen, flags);
}

static void no_lock_is_taken_twice(void **state)
{
	uint64_t flags = lock_take(&screen);

	(void)state;
	expect_panic(take_screen, "takes LOCK_SCREEN", "LOCK_SCREEN was taken at");
	expect_panic(take_other_screen, "takes LOCK_SCREEN", "LOCK_SCREEN was taken at");
	lock_release(&screen, flags);
	expect_panic(take_forgotten, "never initialised", "test/host/test_lock.c:");
}

static void release_screen(void)
{
	lock_release_off(&screen);
}

static void want_screen(void)
{
	lock_assert_held(&screen);
}

static void sleep_now(void)
{
	lock_check_none("a task sleeps");
}

static void *take_and_release(void *ctx)
{
	(void)ctx;
	lock_take_off(&timers);
	lock_release_off(&timers);
	return NULL;
}

static void a_lock_has_one_holder(void **state)
{
	uint64_t flags;
	pthread_t thread;

	(void)state;
	expect_panic(release_screen, "LOCK_SCREEN is released by a CPU that does not hold it", "");
	expect_panic(want_screen, "wants LOCK_SCREEN held", "test_lock.c");
	flags = lock_take(&screen);
	expect_panic(sleep_now, "a task sleeps while LOCK_SCREEN is held, taken at", "test_lock.c");
	/* Another CPU's list is another's. */
	assert_int_equal(pthread_create(&thread, NULL, take_and_release, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	lock_release(&screen, flags);
}

static void a_panic_stops_the_checks(void **state)
{
	uint64_t flags = lock_take(&screen);

	(void)state;
	lock_stop_checks();
	lock_take_off(&timers);
	lock_release_off(&timers);
	lock_check_none("the page is shown");
	lock_release(&screen, flags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(locks_are_taken_in_order_and_released_in_any, setup),
		cmocka_unit_test_setup(a_lock_against_the_order_names_both_places, setup),
		cmocka_unit_test_setup(no_lock_is_taken_twice, setup),
		cmocka_unit_test_setup(a_lock_has_one_holder, setup),
		cmocka_unit_test_setup(a_panic_stops_the_checks, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
