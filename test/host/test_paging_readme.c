/*
 * The example in paging/README.md, as it stands there, does what it says. The Makefile cuts it out of
 * the text with scripts/readme-example, and the compiler reads it before this file (-include).
 */
#include "test/host/paging_expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define VA     0xffff900000000000ULL
#define DEVICE 0xfe000000ULL

static void test_example(void **state)
{
	struct space s;

	(void)state;
	for (int i = 0; i < 8; i++) {
		paddr_t pa;

		assert_int_equal(arena_ops.alloc(&arena, &pa), OK);
		frames_give(pa, 1);
	}
	assert_int_equal(map_device(&s, arena_direct(&arena), VA, paddr(DEVICE)), OK);
	assert_int_equal(s.tables, 3);
	assert_int_equal(frame_count, 8 - 4);
	expect_mappings_beside(&s, frame_count, { VA, DEVICE, K4, 1, PROT_UC },
			       { VA + K4, DEVICE + K4, K4, 511, PROT_W | PROT_UC },
			       { VA + M2, DEVICE + M2, M2, 7, PROT_W | PROT_UC });
	space_clear(&s, 0, 512);
	assert_int_equal(frame_count, 8);
	/* Without a frame left it says so. */
	while (frame_count)
		arena_ops.free(&arena, frames[--frame_count]);
	assert_int_equal(map_device(&s, arena_direct(&arena), VA, paddr(DEVICE)), ERR_NO_MEMORY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_example, fresh_arena, check_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
