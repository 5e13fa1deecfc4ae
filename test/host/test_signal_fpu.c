/*
 * FPU state on the way to and from a signal frame: what the CPU left out is filled in, and nothing comes back that
 * XRSTOR would fault on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/fpu.h"
#include "kernel/task/signal_fpu.h"

#define SIZE       832 /* x87, SSE, AVX */
#define COMPONENTS 7ULL
#define MXCSR_MASK 0xffffU

static uint8_t area[SIZE];

static uint64_t word(size_t at)
{
	uint64_t value;

	memcpy(&value, area + at, sizeof(value));
	return value;
}

static void set_word(size_t at, uint64_t value)
{
	memcpy(area + at, &value, sizeof(value));
}

/* Everything holds rubbish but the header, which says that `present` is there. */
static void start(uint64_t present)
{
	memset(area, 0xa5, sizeof(area));
	memset(area + FPU_XSTATE_BV, 0, FPU_HEADER_END - FPU_XSTATE_BV);
	set_word(FPU_XSTATE_BV, present);
}

static void expect_bytes(size_t from, size_t to, uint8_t value)
{
	for (size_t at = from; at < to; at++)
		assert_int_equal(area[at], value);
}

static void what_is_there_stays(void **state)
{
	(void)state;
	start(7);
	fpu_frame_prepare(area, SIZE, COMPONENTS);
	expect_bytes(0, FPU_FRAME_WORDS, 0xa5);
	assert_int_equal(word(FPU_XSTATE_BV), 7);
	expect_bytes(FPU_HEADER_END, SIZE, 0xa5);
}

static void what_is_not_there_is_reset(void **state)
{
	(void)state;
	start(4);
	fpu_frame_prepare(area, SIZE, COMPONENTS);
	assert_int_equal(area[0], 0x7f);
	assert_int_equal(area[1], 0x03);
	expect_bytes(2, FPU_MXCSR, 0);
	/* MXCSR is neither's. */
	expect_bytes(FPU_MXCSR, FPU_MXCSR_MASK + 4, 0xa5);
	expect_bytes(FPU_MXCSR_MASK + 4, 416, 0);
	expect_bytes(416, FPU_FRAME_WORDS, 0xa5);
	assert_int_equal(word(FPU_XSTATE_BV), 7);
}

static void words_are_linuxs(void **state)
{
	struct fpu_frame_words words;

	(void)state;
	start(7);
	fpu_frame_prepare(area, SIZE, COMPONENTS);
	memcpy(&words, area + 464, sizeof(words));
	assert_int_equal(words.magic1, 0x46505853);
	assert_int_equal(words.extended_size, SIZE + 4);
	assert_int_equal(words.features, COMPONENTS);
	assert_int_equal(words.size, SIZE);
	assert_true(fpu_frame_is_extended(area, SIZE));
	assert_true(fpu_frame_check(area, true, COMPONENTS, MXCSR_MASK));
}

static void without_a_header_there_are_none(void **state)
{
	(void)state;
	start(7);
	fpu_frame_prepare(area, FPU_LEGACY_SIZE, 3);
	expect_bytes(0, FPU_FRAME_WORDS, 0xa5);
	expect_bytes(FPU_FRAME_WORDS, FPU_LEGACY_SIZE, 0);
	assert_false(fpu_frame_is_extended(area, FPU_LEGACY_SIZE));
}

static void other_words_are_not_believed(void **state)
{
	static const size_t offsets[] = { 464, 464 + 4, 464 + 16 };

	(void)state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		start(7);
		fpu_frame_prepare(area, SIZE, COMPONENTS);
		memset(area + offsets[i], 0, 4);
		assert_false(fpu_frame_is_extended(area, SIZE));
	}
}

static void legacy_gets_a_header(void **state)
{
	(void)state;
	memset(area, 0xa5, sizeof(area));
	fpu_frame_set_legacy(area, SIZE);
	expect_bytes(0, FPU_LEGACY_SIZE, 0xa5);
	assert_int_equal(word(FPU_XSTATE_BV), 3);
	expect_bytes(FPU_XCOMP_BV, SIZE, 0);
	assert_true(fpu_frame_check(area, true, COMPONENTS, MXCSR_MASK));
}

static void each_bad_header_bit_is_refused(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < (FPU_HEADER_END - FPU_XSTATE_BV) * 8; bit++) {
		bool good = bit < 3;

		start(0);
		area[FPU_XSTATE_BV + bit / 8] |= (uint8_t)(1 << bit % 8);
		assert_int_equal(fpu_frame_check(area, true, COMPONENTS, MXCSR_MASK), good);
		/* Where the CPU has no XSAVE these bytes are no header. */
		assert_true(fpu_frame_check(area, false, COMPONENTS, MXCSR_MASK));
	}
}

static void mxcsr_loses_reserved_bits(void **state)
{
	uint32_t mxcsr = 0xffffffff;

	(void)state;
	start(7);
	memcpy(area + FPU_MXCSR, &mxcsr, sizeof(mxcsr));
	assert_true(fpu_frame_check(area, true, COMPONENTS, 0xffbf));
	memcpy(&mxcsr, area + FPU_MXCSR, sizeof(mxcsr));
	assert_int_equal(mxcsr, 0xffbf);
	expect_bytes(0, FPU_MXCSR, 0xa5);
	expect_bytes(FPU_MXCSR + 4, FPU_LEGACY_SIZE, 0xa5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_stays),
		cmocka_unit_test(what_is_not_there_is_reset),
		cmocka_unit_test(words_are_linuxs),
		cmocka_unit_test(without_a_header_there_are_none),
		cmocka_unit_test(other_words_are_not_believed),
		cmocka_unit_test(legacy_gets_a_header),
		cmocka_unit_test(each_bad_header_bit_is_refused),
		cmocka_unit_test(mxcsr_loses_reserved_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
