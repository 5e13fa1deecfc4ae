/*
 * The frame allocator, call by call: what it hands out, what it counts, what it refuses, and what it
 * panics about. Memory starts at 4 GiB where nothing else is asked for, so that a truncated address fails at once.
 */
#include "test/host/frame_take.h"

#define START (4 * GIB)

/* Calls that panic. */
static void wrong_put(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	frame_put(cache, size, pa);
}

#define MANY_REFS 200000 /* more than a count of 16 bits holds, three times over */

static void wrong_get(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	assert_int_equal(frame_get(cache, size, pa), OK);
}

static void wrong_alloc(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	assert_int_equal(frame_alloc(cache, size, &pa), OK);
}

static void wrong_drain(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	(void)size;
	(void)pa;
	frame_cache_drain(cache);
}

static void wrong_free_many(struct frame_cache *cache, enum frame_size size, paddr_t pa)
{
	(void)size;
	frame_free_many(cache, 1, &pa);
}

static void test_all_of_each_size(void **state)
{
	struct machine *m = machine_simple(START, 2 * GIB + 64 * MIB);
	paddr_t *held = malloc((m->size / PAGE_SIZE) * sizeof(*held));
	uint64_t total = frame_free_count(&m->frames);

	(void)state;
	assert_int_equal(total, m->frames.total);
	assert_int_equal(total * PAGE_SIZE + m->frames.metadata, m->size);
	assert_int_equal(m->frames.left_out, 0);
	/* 0.1 % at most, and a constant. */
	assert_true(m->frames.metadata <= m->size / 1000 + 64 * KIB);
	for (int round = 0; round < 2; round++) {
		size_t count = take_all(m, FRAME_1G, held);

		assert_int_equal(count, 2);
		give_all(m, FRAME_1G, held, count);
		count = take_all(m, FRAME_2M, held);
		assert_int_equal(count, 1024 + 31);
		give_all(m, FRAME_2M, held, count);
		count = take_all(m, FRAME_4K, held);
		assert_int_equal(count, total);
		give_all(m, FRAME_4K, held, count);
		assert_int_equal(frame_free_count(&m->frames), total);
	}
	free(held);
	machine_end(m);
}

static void test_bulk(void **state)
{
	struct machine *m = machine_simple(START, 64 * MIB);
	uint64_t total = frame_free_count(&m->frames);
	paddr_t *held = malloc((total + 1) * sizeof(*held));

	(void)state;
	assert_int_equal(frame_alloc_many(&m->caches[0], 0, held), OK);
	frame_free_many(&m->caches[0], 0, held);
	assert_int_equal(frame_alloc_many(&m->caches[0], total + 1, held), ERR_NO_MEMORY);
	assert_int_equal(frame_free_count(&m->frames), total);
	assert_int_equal(frame_alloc_many(&m->caches[0], total, held), OK);
	assert_int_equal(frame_free_count(&m->frames), 0);
	for (size_t i = 0; i < total; i++)
		assert_int_equal(frame_refs(&m->frames, FRAME_4K, held[i]), 1);
	frame_free_many(&m->caches[0], total, held);
	assert_int_equal(frame_free_count(&m->frames), total);
	/* In any order. */
	assert_int_equal(frame_alloc_many(&m->caches[0], 5000, held), OK);
	for (size_t i = 0; i < 2500; i++) {
		paddr_t other = held[i];

		held[i] = held[4999 - i];
		held[4999 - i] = other;
	}
	frame_free_many(&m->caches[0], 5000, held);
	assert_int_equal(frame_free_count(&m->frames), total);
	assert_panic(wrong_free_many, &m->caches[0], FRAME_4K, held[0], "freed twice");
	free(held);
	machine_end(m);
}

/* A frame of one size comes back as another: halves, doubles, and what lies in caches. */
static void test_sizes_share_memory(void **state)
{
	struct machine *m = machine_simple(START, GIB + 16 * MIB);
	paddr_t one, two, huge;

	(void)state;
	huge = alloc(&m->caches[0], FRAME_1G);
	assert_int_equal(frame_alloc(&m->caches[1], FRAME_1G, &one), ERR_NO_MEMORY);
	frame_free(&m->caches[0], FRAME_1G, huge);
	/* Now it lies in the slot of cache 0. */
	huge = alloc(&m->caches[1], FRAME_1G);
	frame_free(&m->caches[1], FRAME_1G, huge);
	while (frame_alloc(&m->caches[0], FRAME_2M, &two) == OK)
		if (two.raw < START + GIB)
			break;
	assert_true(two.raw < START + GIB);
	assert_int_equal(frame_alloc(&m->caches[0], FRAME_1G, &huge), ERR_NO_MEMORY);
	frame_free(&m->caches[0], FRAME_2M, two);
	huge = alloc(&m->caches[0], FRAME_1G);
	frame_free(&m->caches[0], FRAME_1G, huge);
	machine_end(m);
}

static void test_references(void **state)
{
	struct machine *m = machine_simple(START, GIB + 16 * MIB);
	struct frame_cache *cache = &m->caches[0];

	(void)state;
	for (enum frame_size size = FRAME_4K; size <= FRAME_1G; size++) {
		uint64_t free = frame_free_count(&m->frames);
		paddr_t pa = alloc(cache, size);

		assert_int_equal(frame_refs(&m->frames, size, pa), 1);
		for (unsigned refs = 2; refs <= MANY_REFS; refs++) {
			assert_int_equal(frame_get(cache, size, pa), OK);
			assert_int_equal(frame_refs(&m->frames, size, pa), refs);
		}
		for (unsigned refs = MANY_REFS; refs > 1; refs--) {
			assert_false(frame_put(cache, size, pa));
			assert_int_equal(frame_refs(&m->frames, size, pa), refs - 1);
			if (refs == 5000)
				assert_panic(frame_free, cache, size, pa, "freed with 4999 references");
		}
		assert_true(frame_put(cache, size, pa));
		assert_int_equal(frame_refs(&m->frames, size, pa), 0);
		assert_panic(wrong_put, cache, size, pa, "freed twice");
		assert_panic(wrong_get, cache, size, pa, "shared");
		assert_int_equal(frame_free_count(&m->frames), free);
	}
	assert_int_equal(frame_refs(&m->frames, FRAME_4K, paddr(~0ULL)), 0);
	assert_int_equal(frame_refs(&m->frames, FRAME_2M, paddr(START + 1)), 0);
	machine_end(m);
}

/* What counts batches of references is a frame like any other: it may be refused, and comes back. */
static void test_many_references_take_a_frame(void **state)
{
	struct machine *m = machine_simple(START, GIB + 16 * MIB);
	struct frame_cache *cache = &m->caches[0];
	paddr_t first = alloc(cache, FRAME_4K), second = alloc(cache, FRAME_4K);
	uint64_t free = frame_free_count(&m->frames);
	unsigned refs = 1;

	(void)state;
	for (frame_fail_nth(cache, 1); frame_get(cache, FRAME_4K, first) == OK; refs++)
		;
	assert_int_equal(refs, 65534);
	assert_int_equal(frame_refs(&m->frames, FRAME_4K, first), refs);
	assert_int_equal(frame_free_count(&m->frames), free);
	assert_int_equal(frame_get(cache, FRAME_4K, first), OK);
	assert_int_equal(frame_free_count(&m->frames), free - 1);
	for (unsigned i = 1; i < MANY_REFS; i++)
		assert_int_equal(frame_get(cache, FRAME_4K, second), OK);
	/* One for both: they lie in one block. */
	assert_int_equal(frame_free_count(&m->frames), free - 1);
	for (; refs; refs--)
		assert_false(frame_put(cache, FRAME_4K, first));
	assert_int_equal(frame_free_count(&m->frames), free - 1);
	for (unsigned i = 1; i < MANY_REFS; i++)
		assert_false(frame_put(cache, FRAME_4K, second));
	assert_int_equal(frame_free_count(&m->frames), free);
	assert_true(frame_put(cache, FRAME_4K, first));
	assert_true(frame_put(cache, FRAME_4K, second));
	machine_end(m);
}

/* Each wrong free names its frame. */
static void test_wrong_frees(void **state)
{
	struct machine *m = machine_simple(START, 3 * GIB);
	struct frame_cache *cache = &m->caches[0];
	paddr_t small = alloc(cache, FRAME_4K), large = alloc(cache, FRAME_2M), huge = alloc(cache, FRAME_1G);
	char number[32];

	(void)state;
	for (enum frame_size size = FRAME_4K; size <= FRAME_1G; size++) {
		paddr_t wrong[] = { paddr(0),
				    paddr(START - PAGE_SIZE),
				    paddr(START + m->size),
				    paddr(~0ULL << 12),
				    paddr(1ULL << 44),
				    paddr_add(small, 1),
				    paddr_add(large, PAGE_SIZE),
				    paddr_add(huge, PAGE_SIZE),
				    paddr_add(huge, PAGE_SIZE_2M),
				    paddr_add(small, 2048),
				    paddr(START + m->size - PAGE_SIZE),
				    size == FRAME_4K ? large : small,
				    size == FRAME_1G ? large : huge };

		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			snprintf(number, sizeof(number), "frame %#lx freed", (unsigned long)wrong[i].raw);
			assert_panic(frame_free, cache, size, wrong[i], number);
			assert_int_equal(frame_refs(&m->frames, size, wrong[i]), 0);
		}
	}
	/* Twice: while it is in the cache, when it is in the pool, and by another CPU. */
	frame_free(cache, FRAME_4K, small);
	frame_free(cache, FRAME_2M, large);
	frame_free(cache, FRAME_1G, huge);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MACHINE_CACHES; i++) {
			assert_panic(frame_free, &m->caches[i], FRAME_4K, small, "freed twice");
			assert_panic(frame_free, &m->caches[i], FRAME_2M, large, "freed twice");
			assert_panic(frame_free, &m->caches[i], FRAME_1G, huge, "freed twice");
		}
		frame_cache_drain(cache);
	}
	machine_end(m);
}

/* Two CPUs that free one frame in the same instant: the count is back at 1 before the second looks. */
static void test_double_free_in_one_instant(void **state)
{
	(void)state;
	for (int first_drains = 0; first_drains < 2; first_drains++) {
		struct machine *m = machine_simple(START, 64 * MIB);
		paddr_t pa = alloc(&m->caches[0], FRAME_4K), other;
		uint16_t *refs = m->caches[0].top->refs;

		frame_free(&m->caches[0], FRAME_4K, pa);
		*refs = 1;
		frame_free(&m->caches[1], FRAME_4K, pa);
		if (first_drains) {
			frame_cache_drain(&m->caches[0]);
			assert_panic(wrong_drain, &m->caches[1], FRAME_4K, pa, "freed twice");
		} else {
			other = alloc(&m->caches[0], FRAME_4K);
			assert_int_equal(other.raw, pa.raw);
			assert_panic(wrong_alloc, &m->caches[1], FRAME_4K, pa, "handed out");
		}
		machine_end(m);
	}
}

/* Something of everything; on error it gives back all that it took. */
static enum status scenario(struct machine *m)
{
	struct frame_cache *cache = &m->caches[0];
	paddr_t small, low, large, many[10];
	enum status status = frame_alloc(cache, FRAME_4K, &small);

	if (status != OK)
		return status;
	status = frame_alloc_low(cache, &low);
	if (status != OK)
		goto free_small;
	status = frame_alloc_many(cache, 10, many);
	if (status != OK)
		goto free_low;
	status = frame_alloc(cache, FRAME_2M, &large);
	if (status != OK)
		goto free_many;
	frame_free(cache, FRAME_2M, large);
	status = frame_alloc(cache, FRAME_1G, &large);
	if (status == OK)
		frame_free(cache, FRAME_1G, large);
free_many:
	frame_free_many(cache, 10, many);
free_low:
	frame_free(cache, FRAME_4K, low);
free_small:
	frame_free(cache, FRAME_4K, small);
	return status;
}

static void test_nth_failure(void **state)
{
	struct machine *m = machine_new();
	uint64_t free;

	(void)state;
	machine_range(m, MIB, 64 * MIB, MEM_USABLE);
	machine_range(m, 4 * GIB, 6 * GIB, MEM_USABLE);
	machine_start(m);
	free = frame_free_count(&m->frames);
	for (uint64_t n = 1; n <= 14; n++) {
		assert_int_equal(frame_fail_nth(&m->caches[0], n), 0);
		assert_int_equal(scenario(m), ERR_NO_MEMORY);
		assert_int_equal(frame_free_count(&m->frames), free);
	}
	assert_int_equal(frame_fail_nth(&m->caches[0], 17), 0);
	assert_int_equal(scenario(m), OK);
	assert_int_equal(frame_fail_nth(&m->caches[0], 0), 3);
	assert_int_equal(scenario(m), OK);
	assert_int_equal(frame_free_count(&m->frames), free);
	machine_end(m);
}

/* Frames in other CPUs' caches: they are counted, and can be had when their CPU gives them back. */
static void test_other_caches(void **state)
{
	struct machine *m = machine_simple(START, 16 * MIB);
	paddr_t *held = malloc(m->frames.total * sizeof(*held)), large, pa;
	size_t count = 0;

	(void)state;
	pa = alloc(&m->caches[1], FRAME_4K);
	large = alloc(&m->caches[1], FRAME_2M);
	frame_free(&m->caches[1], FRAME_2M, large);
	while (frame_alloc(&m->caches[0], FRAME_4K, &held[count]) == OK)
		count++;
	assert_int_equal(frame_free_count(&m->frames), 512 + FRAME_CACHE_FRAMES / 2 - 1);
	frame_free(&m->caches[1], FRAME_4K, pa);
	frame_cache_drain(&m->caches[1]);
	while (frame_alloc(&m->caches[0], FRAME_4K, &held[count]) == OK)
		count++;
	assert_int_equal(count, m->frames.total);
	free(held);
	machine_end(m);
}

/* Issue 3: fill to 90 %, free runs down to 50 %, churn; how much of the free memory can be had in 2 MiB frames? */
static void test_fragmentation(void **state)
{
	struct machine *m = machine_simple(START, 2 * GIB);
	struct frame_cache *cache = &m->caches[0];
	uint64_t total = m->frames.total, free_frames, blocks = 0;
	struct random random = random_start("frame: fragmentation");
	paddr_t *held = malloc(total * sizeof(*held)), pa;
	size_t count = total / 10 * 9;

	(void)state;
	assert_int_equal(frame_alloc_many(cache, count, held), OK);
	while (count > total / 2) {
		size_t run = 64 + random_below(&random, 4033);
		size_t at = random_below(&random, count - run);

		frame_free_many(cache, run, &held[at]);
		memmove(&held[at], &held[at + run], (count - at - run) * sizeof(*held));
		count -= run;
	}
	for (int churn = 0; churn < 10; churn++) {
		for (size_t i = 0; i < total / 10; i++) {
			size_t at = random_below(&random, count);

			frame_free(cache, FRAME_4K, held[at]);
			held[at] = held[--count];
		}
		assert_int_equal(frame_alloc_many(cache, total / 10, &held[count]), OK);
		count += total / 10;
	}
	free_frames = frame_free_count(&m->frames);
	while (frame_alloc(cache, FRAME_2M, &pa) == OK)
		blocks++;
	assert_true(blocks * 512 * 4 >= free_frames * 3);
	free(held);
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_each_size),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_sizes_share_memory),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_many_references_take_a_frame),
		cmocka_unit_test(test_wrong_frees),
		cmocka_unit_test(test_double_free_in_one_instant),
		cmocka_unit_test(test_nth_failure),
		cmocka_unit_test(test_other_caches),
		cmocka_unit_test(test_fragmentation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
