/*
 * Memory that is taken out of the allocator for ever: in one piece, never handed out again, and given back in part.
 */
#include "test/host/frame_take.h"

#include "kernel/mm/frame/frame_withdraw.h"

/* All that can be allocated lies outside [start, end), and is as much as the count of free frames says. */
static void expect_left_alone(struct machine *m, uint64_t start, uint64_t end)
{
	uint64_t count = 0, most = frame_free_count(&m->frames);
	paddr_t *held = malloc(most * sizeof(*held)), pa;

	for (; frame_alloc(&m->caches[0], FRAME_4K, &pa) == OK; count++) {
		assert_true(count < most && (pa.raw < start || pa.raw >= end));
		held[count] = pa;
	}
	assert_int_equal(count, most);
	frame_free_many(&m->caches[0], count, held);
	free(held);
}

static void test_exactly_what_is_asked_for(void **state)
{
	static const uint64_t sizes[] = {
		1, PAGE_SIZE, PAGE_SIZE + 1, PAGE_SIZE_2M - 1, PAGE_SIZE_2M, 5 * PAGE_SIZE_2M, 9 * MIB + 5
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct machine *m = machine_simple(4 * GIB - 16 * MIB, 48 * MIB);
		uint64_t frames = align_up(sizes[i], PAGE_SIZE) / PAGE_SIZE, free, total, added;
		paddr_t pa, taken = alloc(&m->caches[0], FRAME_4K);

		frame_free(&m->caches[0], FRAME_4K, taken);
		free = frame_free_count(&m->frames);
		total = m->frames.total;
		assert_int_equal(frame_withdraw(&m->caches[0], sizes[i], &pa), OK);
		assert_true(is_aligned(pa.raw, PAGE_SIZE));
		assert_int_equal(frame_free_count(&m->frames), free - frames);
		assert_int_equal(m->frames.total, total - frames);
		assert_int_equal(frame_refs(&m->frames, FRAME_4K, pa), 0);
		memset(m->memory + (pa.raw - m->start), 0xff, sizes[i]);
		expect_left_alone(m, pa.raw, pa.raw + frames * PAGE_SIZE);
		assert_int_equal(frame_refs(&m->frames, FRAME_4K, pa), 0);
		/* And back, as if the loader had had it. */
		assert_int_equal(frame_add_range(&m->frames, pa, paddr_add(pa, frames * PAGE_SIZE), &added), OK);
		assert_int_equal(added, frames);
		assert_int_equal(frame_free_count(&m->frames), free);
		expect_left_alone(m, 0, 0);
		machine_end(m);
	}
}

static void test_across_regions_and_whole_ones(void **state)
{
	struct machine *m = machine_simple(4 * GIB, 3 * GIB);
	paddr_t pa;

	(void)state;
	assert_int_equal(frame_withdraw(&m->caches[0], 2 * GIB + MIB, &pa), OK);
	assert_true(pa.raw >= 4 * GIB && pa.raw + 2 * GIB + MIB <= 7 * GIB);
	expect_left_alone(m, pa.raw, pa.raw + 2 * GIB + MIB);
	machine_end(m);
}

static void test_refused(void **state)
{
	struct machine *m = machine_new();
	uint64_t free;
	paddr_t pa = paddr(1), held[8];
	size_t count = 0;

	(void)state;
	/* 32 MiB, but never more than 8 in one piece. */
	for (uint64_t at = 4 * GIB; at < 4 * GIB + 64 * MIB; at += 16 * MIB)
		machine_range(m, at, at + 8 * MIB, MEM_USABLE);
	machine_start(m);
	free = frame_free_count(&m->frames);
	assert_int_equal(frame_withdraw(&m->caches[0], 9 * MIB, &pa), ERR_NO_MEMORY);
	assert_int_equal(frame_withdraw(&m->caches[0], UINT64_MAX, &pa), ERR_NO_MEMORY);
	assert_int_equal(frame_withdraw(&m->caches[0], 0, &pa), ERR_RANGE);
	assert_int_equal(pa.raw, 1);
	assert_int_equal(frame_free_count(&m->frames), free);
	assert_int_equal(frame_withdraw(&m->caches[0], 8 * MIB, &pa), OK);
	/* Blocks with a frame that is handed out are in the way. */
	for (; count < 8 && frame_withdraw(&m->caches[0], PAGE_SIZE_2M, &pa) == OK; count++) {
		if (frame_alloc(&m->caches[0], FRAME_2M, &held[count]) != OK)
			break;
		assert_int_not_equal(held[count].raw, pa.raw);
	}
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exactly_what_is_asked_for),
		cmocka_unit_test(test_across_regions_and_whole_ones),
		cmocka_unit_test(test_refused),
	};

	panic_set_handler(print_panic);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
