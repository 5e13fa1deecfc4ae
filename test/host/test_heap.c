/*
 * The heap call by call: sizes, alignment, krealloc, caches, the largest block, and what goes back.
 * The rules hold in the debug build too; what is told by bare sizes of blocks is left out there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/heap/heap_internal.h"
#include "test/host/heap_host.h"

static struct heap_host host;

static int start(void **state)
{
	(void)state;
	heap_host_init(&host, PAGE_SIZE_2M);
	return 0;
}

static int start_small_steps(void **state)
{
	(void)state;
	heap_host_init(&host, 64 << 10);
	return 0;
}

static int end(void **state)
{
	(void)state;
	heap_host_destroy(&host);
	return 0;
}

/* Everything has been freed: only the magazines' links stay. */
static int all_goes_back(void **state)
{
	(void)state;
	heap_check();
	heap_trim();

	struct heap_stats stats = heap_get_stats();

	assert_int_equal(stats.mapped, host.mapped);
	assert_int_equal(stats.free, 0);
	assert_int_equal(stats.mapped, stats.metadata);
	assert_int_equal(host.mapped, heap.link_pages * PAGE_SIZE);
	assert_int_equal(host.windows.count, 1);
	return end(state);
}

static void bad_arguments_to_init(void **state)
{
	struct heap_backend backend;

	(void)state;
	heap_host_init(&host, PAGE_SIZE_2M);
	backend = host.backend;
	backend.base += PAGE_SIZE;
	assert_int_equal(heap_init(&backend), ERR_RANGE);
	backend = host.backend;
	backend.size = 0;
	assert_int_equal(heap_init(&backend), ERR_RANGE);
	backend = host.backend;
	backend.step = 3 << 20;
	assert_int_equal(heap_init(&backend), ERR_RANGE);
	backend.step = PAGE_SIZE;
	assert_int_equal(heap_init(&backend), ERR_RANGE);
	host.fail_at = host.calls + 1;
	assert_int_equal(heap_init(&host.backend), ERR_NO_MEMORY);
	assert_int_equal(host.mapped, 0);
	end(state);
}

/* Every size up to 70,000 and some beyond, two blocks of each at once. */
static void every_size(void **state)
{
	(void)state;
	for (size_t size = 1; size < 6 << 20; size += size < 70000 ? 1 + size / 512 : size / 7) {
		uint8_t *a = kmalloc(size);
		uint8_t *b = kzalloc(size);

		assert_non_null(a);
		assert_non_null(b);
		assert_true(is_aligned((uintptr_t)a | (uintptr_t)b, HEAP_ALIGN));
		assert_true(kmalloc_size(a) >= size);
		for (size_t i = 0; i < size; i += 1 + size / 100)
			assert_int_equal(b[i], 0);
		memset(a, 0x11, size);
		memset(b, 0x22, size);
		assert_int_equal(a[0], 0x11);
		assert_int_equal(a[size - 1], 0x11);
		kfree(a);
		assert_int_equal(b[0], 0x22);
		assert_int_equal(b[size - 1], 0x22);
		kfree(b);
	}
}

static void no_block(void **state)
{
	(void)state;
	assert_null(kmalloc(0));
	assert_null(kmalloc(HEAP_ALLOC_MAX + 1));
	assert_null(kmalloc(SIZE_MAX));
	assert_null(kzalloc(SIZE_MAX - 100));
	assert_null(kmalloc_aligned(0, 64));
	assert_null(kmalloc_aligned(64, 0));
	assert_null(kmalloc_aligned(64, 48));
	assert_null(kmalloc_aligned(64, 2 * PAGE_SIZE_1G));
	assert_null(kmalloc_aligned(HEAP_ALLOC_MAX + 1, 64));
	kfree(NULL);
	assert_null(krealloc(NULL, 0));
}

static void every_alignment(void **state)
{
	static const size_t sizes[] = {
		1, 24, 100, 512, 513, 3000, 4096, 5000, 20000, 40000, 300000, 5 << 20, 17 << 20
	};

	(void)state;
	for (size_t align = 1; align <= PAGE_SIZE_1G; align *= 2) {
		void *blocks[sizeof(sizes) / sizeof(sizes[0])];

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			blocks[i] = kmalloc_aligned(sizes[i], align);
			assert_non_null(blocks[i]);
			assert_true(is_aligned((uintptr_t)blocks[i], align));
			memset(blocks[i], (int)i, sizes[i]);
		}
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			assert_int_equal(((uint8_t *)blocks[i])[sizes[i] - 1], i);
			kfree(blocks[i]);
		}
	}
}

#if !DEBUG
static void powers_of_two_are_aligned(void **state)
{
	void *blocks[100];

	(void)state;
	for (size_t size = 1024; size <= 4096; size *= 2) {
		for (size_t i = 0; i < 100; i++) {
			blocks[i] = kmalloc(size);
			assert_true(is_aligned((uintptr_t)blocks[i], size));
		}
		for (size_t i = 0; i < 100; i++)
			kfree(blocks[i]);
	}
}

/* Internal waste: at most 15 bytes up to 512, an eighth above, less than a page from 32 KiB on. */
static void little_is_wasted(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 100000; size++) {
		void *block = kmalloc(size);
		size_t waste = kmalloc_size(block) - size;

		assert_true(waste <= (size <= SMALL_FINE_MAX ? 15 : size <= SMALL_MAX ? size / 8 : PAGE_SIZE - 1));
		kfree(block);
	}
}
#endif

static void fill(uint8_t *block, size_t size)
{
	for (size_t i = 0; i < size; i++)
		block[i] = (uint8_t)(i * 7);
}

static void check_filled(const uint8_t *block, size_t size)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(block[i], (uint8_t)(i * 7));
}

static void krealloc_keeps_the_content(void **state)
{
	static const size_t sizes[] = { 1,     16,     17,      500,     4096,          4097,   32768,
					32769, 200000, 1 << 20, 4 << 20, (4 << 20) + 1, 9 << 20 };
	const size_t count = sizeof(sizes) / sizeof(sizes[0]);

	(void)state;
	for (size_t from = 0; from < count; from++) {
		for (size_t to = 0; to < count; to++) {
			uint8_t *block = krealloc(NULL, sizes[from]);

			assert_non_null(block);
			fill(block, sizes[from]);
			block = krealloc(block, sizes[to]);
			assert_non_null(block);
			assert_true(kmalloc_size(block) >= sizes[to]);
			check_filled(block, sizes[from] < sizes[to] ? sizes[from] : sizes[to]);
			assert_null(krealloc(block, 0));
		}
	}
}

static void krealloc_that_fails_changes_nothing(void **state)
{
	uint8_t *block = kmalloc(100000);

	(void)state;
	fill(block, 100000);
	assert_null(krealloc(block, HEAP_ALLOC_MAX + 1));
	host.fail_above = host.mapped;
	assert_null(krealloc(block, 64 << 20));
	check_filled(block, 100000);
	host.fail_above = 0;
	kfree(block);
}

static void one_gibibyte(void **state)
{
	uint64_t before = host.mapped;
	uint8_t *block = kmalloc(HEAP_ALLOC_MAX);

	(void)state;
	assert_non_null(block);
	for (uint64_t at = 0; at < HEAP_ALLOC_MAX; at += 16 << 20)
		block[at] = (uint8_t)(at >> 24);
	block[HEAP_ALLOC_MAX - 1] = 0x5a;
	for (uint64_t at = 0; at < HEAP_ALLOC_MAX; at += 16 << 20)
		assert_int_equal(block[at], (uint8_t)(at >> 24));
	block = krealloc(block, 5 << 20);
	assert_non_null(block);
	assert_int_equal(block[0], 0);
	kfree(block);
#if !DEBUG
	assert_int_equal(host.mapped, before);
#else
	(void)before;
#endif
}

static void caches(void **state)
{
	static const struct {
		size_t size, align;
	} kinds[] = { { 1, 1 }, { 40, 8 }, { 88, 16 }, { 200, 64 }, { 1000, 8 }, { 4096, 4096 }, { 32768, 4096 } };

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct cache c, again;
		uint8_t *objects[200];

		assert_int_equal(cache_init(&c, "kind", kinds[k].size, kinds[k].align), OK);
		assert_int_equal(cache_init(&again, "again", kinds[k].size, kinds[k].align), OK);
		assert_int_equal(c.size_class, again.size_class);
		for (size_t i = 0; i < 200; i++) {
			objects[i] = cache_alloc(i % 2 ? &c : &again);
			assert_non_null(objects[i]);
			assert_true(is_aligned((uintptr_t)objects[i], kinds[k].align));
			memset(objects[i], (int)i, kinds[k].size);
		}
		for (size_t i = 0; i < 200; i++) {
			assert_int_equal(objects[i][0], i);
			assert_int_equal(objects[i][kinds[k].size - 1], i);
			if (i % 3)
				cache_free(&c, objects[i]);
			else
				kfree(objects[i]);
		}
		cache_free(&c, NULL);
	}
}

static void cache_limits(void **state)
{
	struct cache c;
	enum status status = OK;
	size_t made = 0;

	(void)state;
	assert_int_equal(cache_init(&c, "x", 0, 16), ERR_RANGE);
	assert_int_equal(cache_init(&c, "x", 32769, 16), ERR_RANGE);
	assert_int_equal(cache_init(&c, "x", 16, 24), ERR_RANGE);
	assert_int_equal(cache_init(&c, "x", 16, 8192), ERR_RANGE);
	for (size_t size = 16; status == OK; size += 16, made++)
		status = cache_init(&c, "x", size, 16);
	assert_int_equal(status, ERR_NO_MEMORY);
	assert_int_equal(made - 1, HEAP_CACHES);
}

static void add_class(void *ctx, const struct heap_class_stats *stats)
{
	*(uint64_t *)ctx += stats->used;
}

/* Filled and freed in a random-like order: most goes back at the tick, and the rest with heap_trim. */
static void memory_goes_back(void **state)
{
	enum { COUNT = 60000 };
	static void *blocks[COUNT];
	uint64_t used = 0;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		blocks[i] = kmalloc(16 + i * 37 % 1000);
		assert_non_null(blocks[i]);
	}
	for (size_t i = 0; i < COUNT; i++)
		kfree(blocks[i * 7919 % COUNT]);
	heap_visit_classes(add_class, &used);
	assert_true(used > 0);
	heap_tick();
#if !DEBUG
	/* The quarantine's blocks would hold many pages. */
	assert_true(host.mapped < host.most / 4);
#endif
	heap_trim();
	assert_int_equal(host.mapped, heap.link_pages * PAGE_SIZE);
	used = 0;
	heap_visit_classes(add_class, &used);
	assert_int_equal(used, 0);
}

/* Blocks that lie alone keep their slabs, and no free page around them; the heap grows into the holes afterwards. */
static void blocks_alone_keep_no_free_pages(void **state)
{
	enum { COUNT = 20000, KEPT = 997 };
	static void *blocks[COUNT];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT; i++) {
			if (!blocks[i])
				blocks[i] = kmalloc(16 + i * 37 % 1000);
			assert_non_null(blocks[i]);
			fill(blocks[i], 16);
		}
		for (size_t i = 0; i < COUNT; i++) {
			if (i % KEPT == 0)
				continue;
			kfree(blocks[i]);
			blocks[i] = NULL;
		}
		heap_trim();
		assert_int_equal(heap_get_stats().free, 0);
		assert_int_equal(heap_get_stats().mapped, host.mapped);
	}
	for (size_t i = 0; i < COUNT; i += KEPT) {
		check_filled(blocks[i], 16);
		kfree(blocks[i]);
	}
}

/* Shrinking makes a run's tail available, and growing takes what follows. */
static void runs_grow_and_shrink_in_place(void **state)
{
	uint8_t *block = heap_raw_alloc_aligned(2 << 20, 1);

	(void)state;
	assert_ptr_equal(heap_raw_realloc(block, 1 << 20), block);
	assert_int_equal(heap_raw_size(block), 1 << 20);
	assert_ptr_equal(heap_raw_realloc(block, 2 << 20), block);
	assert_int_equal(heap_raw_size(block), 2 << 20);
	heap_raw_free(block);
}

/* Each third allocation fails, of whatever kind; none when that is taken back. */
static void every_third_fails(void **state)
{
	static const size_t sizes[] = { 1, 64, 4096, 32 << 10, 33 << 10, 4 << 20, 5 << 20 };
	const size_t count = sizeof(sizes) / sizeof(sizes[0]);
	void *first, *second;

	(void)state;
	/* So that there are magazines, which must not hide a failure. */
	heap_raw_free(heap_raw_alloc_aligned(64, 1));
	heap_fail_every(3);
	for (size_t i = 0; i < 12 * count; i++) {
		void *block = heap_raw_alloc_aligned(sizes[i % count], i % 2 ? 1 : PAGE_SIZE);

		assert_int_equal(block == NULL, i % 3 == 2);
		heap_raw_free(block);
	}
	assert_int_equal(heap_fail_nth(2), 3);
	first = heap_raw_alloc_aligned(64, 1);
	assert_non_null(first);
	assert_null(heap_raw_alloc_aligned(64, 1));
	second = heap_raw_alloc_aligned(64, 1);
	assert_non_null(second);
	assert_int_equal(heap_fail_nth(0), 0);
	heap_raw_free(first);
	heap_raw_free(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_arguments_to_init),
		cmocka_unit_test_setup_teardown(every_size, start, all_goes_back),
		cmocka_unit_test_setup_teardown(every_size, start_small_steps, all_goes_back),
		cmocka_unit_test_setup_teardown(no_block, start, all_goes_back),
		cmocka_unit_test_setup_teardown(every_alignment, start, all_goes_back),
		cmocka_unit_test_setup_teardown(every_alignment, start_small_steps, all_goes_back),
#if !DEBUG
		cmocka_unit_test_setup_teardown(powers_of_two_are_aligned, start, all_goes_back),
		cmocka_unit_test_setup_teardown(little_is_wasted, start, all_goes_back),
#endif
		cmocka_unit_test_setup_teardown(krealloc_keeps_the_content, start, all_goes_back),
		cmocka_unit_test_setup_teardown(krealloc_keeps_the_content, start_small_steps, all_goes_back),
		cmocka_unit_test_setup_teardown(krealloc_that_fails_changes_nothing, start, all_goes_back),
		cmocka_unit_test_setup_teardown(one_gibibyte, start, all_goes_back),
		cmocka_unit_test_setup_teardown(caches, start, all_goes_back),
		cmocka_unit_test_setup_teardown(cache_limits, start, all_goes_back),
		cmocka_unit_test_setup_teardown(memory_goes_back, start, all_goes_back),
		cmocka_unit_test_setup_teardown(memory_goes_back, start_small_steps, all_goes_back),
		cmocka_unit_test_setup_teardown(blocks_alone_keep_no_free_pages, start_small_steps, all_goes_back),
		cmocka_unit_test_setup_teardown(runs_grow_and_shrink_in_place, start, all_goes_back),
		cmocka_unit_test_setup_teardown(every_third_fails, start, all_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
