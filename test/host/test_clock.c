/*
 * The arithmetic of time: ratios against 128-bit division, dates against the C library, the CMOS clock against a model.
 * The driver's source is compiled into this file with its port accesses turned to the model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/arch/cpu.h"
#include "kernel/irq/scale.h"
#include "test/host/random.h"

static uint8_t model_in(uint16_t port);
static void model_out(uint16_t port, uint8_t value);

#define cpu_in8  model_in
#define cpu_out8 model_out
#include "kernel/irq/rtc.c"
#undef cpu_in8
#undef cpu_out8

/* ---- ratios ---- */

static void ratios_are_exact(void **state)
{
	static const uint64_t rates[] = { 1,          3,          1000,       1193182,    14318180,
					  24000000,   999999999,  1000000000, 1000000001, 2419200000,
					  3700000000, 6000000000, 1ULL << 40, INT64_MAX };
	struct random r = random_start("test_clock");

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct scale s = scale_make(1000000000, rates[i]);

		for (int n = 0; n < 2000; n++) {
			/* Of every size; 2^62 ticks are 48 years at 3 GHz. */
			uint64_t value = random_next(&r) >> (2 + random_below(&r, 62));
			unsigned __int128 exact = (unsigned __int128)value * 1000000000 / rates[i];
			uint64_t got = scale_apply(s, value);

			if (exact > UINT64_MAX) {
				assert_true(got >= UINT64_MAX - 1);
				continue;
			}
			assert_true(got <= (uint64_t)exact);
			/* Less by one at the most, but for what is so large that the multiplier's error shows. */
			assert_true((uint64_t)exact - got <= 1 + ((uint64_t)exact >> 60));
		}
	}
}

/* A deadline's tick is the first at which the clock says it, so that no interrupt comes early. */
static void deadlines_are_the_first_tick(void **state)
{
	struct random r = random_start("test_clock");

	(void)state;
	for (int n = 0; n < 20000; n++) {
		uint64_t rate = 1000000 + random_below(&r, 6000000000);
		struct scale to_ns = scale_make(1000000000, rate), to_ticks = scale_make(rate, 1000000000);
		uint64_t ns = random_next(&r) >> (4 + random_below(&r, 60));
		uint64_t ticks = scale_invert(to_ns, to_ticks, ns);

		assert_true(scale_apply(to_ns, ticks) >= ns);
		assert_true(ticks == 0 || scale_apply(to_ns, ticks - 1) < ns);
	}
	assert_int_equal(scale_invert(scale_make(1, 4), scale_make(4, 1), UINT64_MAX), UINT64_MAX);
}

static void scales_do_not_wrap(void **state)
{
	(void)state;
	assert_int_equal(scale_apply(scale_make(4, 1), UINT64_MAX / 2), UINT64_MAX);
	assert_int_equal(scale_apply(scale_make(1, 1), UINT64_MAX), UINT64_MAX);
	assert_int_equal(scale_apply((struct scale){ 0 }, UINT64_MAX), 0);
	assert_int_equal(scale_apply(scale_make(0, 5), UINT64_MAX), 0);
}

/* ---- dates ---- */

static void dates_are_the_c_librarys(void **state)
{
	struct random r = random_start("test_clock");

	(void)state;
	for (int n = 0; n < 20000; n++) {
		/* Each day around the turns of centuries is too dear: random ones up to the year 9999. */
		uint64_t seconds = random_below(&r, 253402300800);
		time_t t = (time_t)seconds;
		struct rtc_date d = rtc_date(seconds);
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(d.year, tm.tm_year + 1900);
		assert_int_equal(d.month, tm.tm_mon + 1);
		assert_int_equal(d.day, tm.tm_mday);
		assert_int_equal(d.hour, tm.tm_hour);
		assert_int_equal(d.minute, tm.tm_min);
		assert_int_equal(d.second, tm.tm_sec);
		assert_int_equal(days_from_date(d.year, d.month, d.day), seconds / DAY_SECONDS);
	}
}

/* ---- registers ---- */

static void expect_date(struct rtc_registers registers, uint64_t expected)
{
	uint64_t seconds = 0;

	assert_int_equal(rtc_decode(&registers, &seconds), OK);
	assert_int_equal(seconds, expected);
}

static void expect_none(struct rtc_registers registers)
{
	uint64_t seconds = 7;

	assert_int_equal(rtc_decode(&registers, &seconds), ERR_FORMAT);
	assert_int_equal(seconds, 7);
}

#define H24    STATUS_B_24_HOURS
#define BINARY STATUS_B_BINARY

static void registers_are_decoded(void **state)
{
	(void)state;
	/* second, minute, hour, day, month, year, century, status B; expected: date -u +%s */
	expect_date((struct rtc_registers){ 0x56, 0x34, 0x12, 0x23, 0x11, 0x26, 0x20, H24 }, 1795437296);
	expect_date((struct rtc_registers){ 56, 34, 12, 23, 11, 26, 20, H24 | BINARY }, 1795437296);
	/* 12 hours: 12 is 0, the high bit the afternoon. */
	expect_date((struct rtc_registers){ 0, 0, 0x12, 0x01, 0x01, 0x00, 0x20, 0 }, 946684800);
	expect_date((struct rtc_registers){ 0, 0, 0x92, 0x01, 0x01, 0x00, 0x20, 0 }, 946684800 + 12 * 3600);
	expect_date((struct rtc_registers){ 0, 0, 0x91, 0x01, 0x01, 0x00, 0x20, 0 }, 946684800 + 23 * 3600);
	expect_date((struct rtc_registers){ 0, 0, 0x80 | 11, 1, 1, 0, 20, BINARY }, 946684800 + 23 * 3600);
	/* No century, or a register that is something else's. */
	expect_date((struct rtc_registers){ 0, 0, 0, 0x01, 0x01, 0x70, 0, H24 }, 0);
	expect_date((struct rtc_registers){ 0, 0, 0, 0x01, 0x01, 0x69, 0, H24 }, 3124224000);
	expect_date((struct rtc_registers){ 0, 0, 0, 0x01, 0x01, 0x00, 0x80, H24 }, 946684800);
	/* Leap days, and the next century. */
	expect_date((struct rtc_registers){ 0, 0, 0, 0x29, 0x02, 0x00, 0x20, H24 }, 951782400);
	expect_date((struct rtc_registers){ 0, 0, 0, 0x01, 0x03, 0x00, 0x21, H24 }, 4107542400);
}

static void nonsense_is_refused(void **state)
{
	static const struct rtc_registers sound = { 0x56, 0x34, 0x12, 0x23, 0x11, 0x26, 0x20, H24 };
	struct rtc_registers r;

	(void)state;
#define EXPECT_NONE(field, value) (r = sound, r.field = (value), expect_none(r))
	EXPECT_NONE(second, 0x61);
	EXPECT_NONE(second, 0x0a);
	EXPECT_NONE(minute, 0x60);
	EXPECT_NONE(hour, 0x24);
	EXPECT_NONE(day, 0);
	EXPECT_NONE(day, 0x31);
	EXPECT_NONE(month, 0);
	EXPECT_NONE(month, 0x13);
	EXPECT_NONE(year, 0xff);
	EXPECT_NONE(century, 0x19); /* 1926 */
	expect_none((struct rtc_registers){ 0, 0, 0x13, 0x01, 0x01, 0x00, 0x20, 0 });
	expect_none((struct rtc_registers){ 0, 0, 0x00, 0x01, 0x01, 0x00, 0x20, 0 });
	expect_none((struct rtc_registers){ 0, 0, 0, 0x29, 0x02, 0x26, 0x20, H24 });
	expect_none((struct rtc_registers){ 0, 0, 0, 0x29, 0x02, 0x00, 0x21, H24 });
	memset(&r, 0xff, sizeof(r));
	expect_none(r);
}

/* ---- the CMOS: a second passes after so many reads, and while it does the clock says that it updates ---- */

static uint8_t cells[128];
static uint8_t selected;
static unsigned reads, tick_at, updating;
static unsigned updates; /* how many looks each reading of the seconds makes the next update last; 0: there is none */

static void model_out(uint16_t port, uint8_t value)
{
	assert_int_equal(port, CMOS_INDEX);
	assert_false(value & 0x80);
	selected = value;
}

static uint8_t model_in(uint16_t port)
{
	assert_int_equal(port, CMOS_DATA);
	if (++reads == tick_at) {
		/* 23:59:59 on the last day of 1999: every register changes. */
		cells[CMOS_SECOND] = cells[CMOS_MINUTE] = cells[CMOS_HOUR] = cells[CMOS_YEAR] = 0;
		cells[CMOS_DAY] = cells[CMOS_MONTH] = 0x01;
		cells[0x32] = 0x20;
	}
	if (selected == CMOS_SECOND && updates)
		updating = updates;
	if (selected == CMOS_STATUS_A)
		return updating && updating-- ? STATUS_A_UPDATING : 0;
	return cells[selected];
}

static void start_model(unsigned at)
{
	memset(cells, 0, sizeof(cells));
	cells[CMOS_SECOND] = cells[CMOS_MINUTE] = 0x59;
	cells[CMOS_HOUR] = 0x23;
	cells[CMOS_DAY] = 0x31;
	cells[CMOS_MONTH] = 0x12;
	cells[CMOS_YEAR] = 0x99;
	cells[0x32] = 0x19;
	cells[CMOS_STATUS_B] = H24;
	reads = 0;
	tick_at = at;
	updating = updates = 0;
}

/* Wherever the second falls, the time is one of the two. */
static void a_torn_reading_is_not_believed(void **state)
{
	(void)state;
	for (unsigned at = 1; at < 40; at++) {
		uint64_t seconds;

		start_model(at);
		assert_int_equal(rtc_read(0x32, &seconds), OK);
		assert_true(seconds == 946684799 || seconds == 946684800);
	}
}

static void an_update_is_waited_for(void **state)
{
	uint64_t seconds = 7;

	(void)state;
	start_model(0);
	updating = 100;
	assert_int_equal(rtc_read(0x32, &seconds), OK);
	assert_int_equal(seconds, 946684799);
	/* No clock: everything reads as ones, for ever updating. */
	updating = UINT32_MAX;
	seconds = 7;
	assert_int_equal(rtc_read(0x32, &seconds), ERR_NOT_FOUND);
	assert_int_equal(seconds, 7);
}

/* A clock that updates again after each reading is not waited for longer than one that never stops. */
static void all_updates_together_are_bounded(void **state)
{
	uint64_t seconds;

	(void)state;
	start_model(0);
	updates = MOST_LOOKS - 1;
	updating = updates;
	assert_int_equal(rtc_read(0x32, &seconds), ERR_NOT_FOUND);
	assert_in_range(reads, MOST_LOOKS, MOST_LOOKS + MOST_READING * sizeof(struct rtc_registers));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ratios_are_exact),
		cmocka_unit_test(deadlines_are_the_first_tick),
		cmocka_unit_test(scales_do_not_wrap),
		cmocka_unit_test(dates_are_the_c_librarys),
		cmocka_unit_test(registers_are_decoded),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(a_torn_reading_is_not_believed),
		cmocka_unit_test(an_update_is_waited_for),
		cmocka_unit_test(all_updates_together_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
