/*
 * What the boot log says of memory that is not used: a line for each kind, with all of that kind together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/report/left_out.h"
#include "test/host/printed.h"

struct descriptor {
	uint64_t type, start, unused, pages, attribute, beyond;
};

static void each_kind(void **state)
{
	static const struct descriptor map[] = {
		{ 7, 0x100000, 0, 256, 0xf, 0 },
		{ 7, 0x200000, 0, 256, 0x4000f, 0 },
		{ 7, 0x300000, 0, 256, 0x4000f, 0 },
		{ 14, 0x400000, 0, 1, 0xf, 0 },
		{ 15, 0x500000, 0, 2, 0xf, 0 },
		{ 7, 0x600000, 0, 3, 1, 0 },
		{ 4, 0x700000, 0, 4, 0x800000000000000f, 0 },
		{ 7, 1ULL << 46, 0, 5, 0xf, 0 },
		{ 7, 1ULL << 45, 0, 6, 0xf, 0 },
		/* No RAM by its type, and RAM as usual. */
		{ 0, 0x800000, 0, 7, 1, 0 },
		{ 11, 1ULL << 50, 0, 7, 0x8000000000000001, 0 },
		{ 3, 0x900000, 0, 7, 0, 0 },
	};

	(void)state;
	printed_clear();
	left_out_print(printed_keep, map, sizeof(map), sizeof(map[0]), 46);
	assert_string_equal(printed, "memory: 2 MiB left out: for special purposes\n"
				     "memory: 4 KiB left out: persistent\n"
				     "memory: 8 KiB left out: not accepted by this guest\n"
				     "memory: 12 KiB left out: that must not be cached\n"
				     "memory: 16 KiB left out: of boot services, which runtime services go on using\n"
				     "memory: 20 KiB left out: beyond the CPU's physical addresses\n"
				     "memory: 24 KiB left out: above 16 TiB, where the direct map ends\n");
	printed_clear();
	left_out_print(printed_keep, map, sizeof(map[0]) - 1, sizeof(map[0]), 46);
	left_out_print(printed_keep, map, sizeof(map), 8, 46);
	assert_string_equal(printed, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_kind) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
