/* The radix tree beside a plain array, and with no memory at each allocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/radix.h"
#include "test/host/random.h"

#define MODEL 70000U /* numbers of the model: three levels */

static size_t allocated;
static int64_t allowed = -1; /* allocations until one fails; -1: none does */

static void *take(size_t size)
{
	if (allowed == 0)
		return NULL;
	if (allowed > 0)
		allowed--;
	allocated++;
	return calloc(1, size);
}

static void give(void *memory)
{
	allocated--;
	free(memory);
}

static struct radix empty_tree(void)
{
	return (struct radix){ .alloc = take, .free = give };
}

static char items[MODEL + 1];
static bool model[MODEL];

static uint32_t model_next(uint32_t number)
{
	while (number < MODEL && !model[number])
		number++;
	return number;
}

static uint32_t model_free(uint32_t number)
{
	while (number < MODEL && model[number])
		number++;
	return number;
}

static void check_last(const struct radix *tree)
{
	uint32_t last = MODEL, expected = MODEL;
	void *found = radix_last(tree, &last);

	while (expected && !model[expected - 1])
		expected--;
	assert_ptr_equal(found, expected ? &items[expected - 1] : NULL);
	assert_int_equal(last, expected ? expected - 1 : MODEL);
}

static void check_around(const struct radix *tree, uint32_t number)
{
	uint32_t next = number, expected = model_next(number);
	void *found = radix_next(tree, &next);

	assert_ptr_equal(radix_find(tree, number), model[number] ? &items[number] : NULL);
	assert_ptr_equal(found, expected < MODEL ? &items[expected] : NULL);
	assert_int_equal(next, expected < MODEL ? expected : number);
	assert_int_equal(radix_next_free(tree, number), model_free(number));
}

static void flip(struct radix *tree, uint32_t number)
{
	if (model[number])
		assert_ptr_equal(radix_remove(tree, number), &items[number]);
	else
		assert_int_equal(radix_insert(tree, number, &items[number]), OK);
	model[number] = !model[number];
}

static void clear(struct radix *tree)
{
	for (uint32_t number = 0; number < MODEL; number++)
		if (model[number])
			flip(tree, number);
	assert_int_equal(allocated, 0);
}

/* Runs of numbers come and go, so that nodes fill up and empty. */
static void test_random(void **state)
{
	struct radix tree = empty_tree();
	struct random random = random_start("test_radix");

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t start = (uint32_t)random_below(&random, MODEL), length = (uint32_t)random_below(&random, 300);

		for (uint32_t number = start; number < start + length && number < MODEL; number++)
			if (random_below(&random, 16))
				flip(&tree, number);
		check_around(&tree, (uint32_t)random_below(&random, MODEL));
		check_around(&tree, start);
		check_last(&tree);
	}
	clear(&tree);
}

static void test_full(void **state)
{
	struct radix tree = empty_tree();
	uint32_t none = 5000;

	(void)state;
	for (uint32_t number = 0; number < 4096; number++)
		flip(&tree, number);
	assert_int_equal(radix_next_free(&tree, 0), 4096);
	assert_int_equal(radix_next_free(&tree, 9), 4096);
	assert_null(radix_next(&tree, &none));
	assert_int_equal(none, 5000);
	flip(&tree, 4095);
	assert_int_equal(radix_next_free(&tree, 9), 4095);
	flip(&tree, 70);
	assert_int_equal(radix_next_free(&tree, 9), 70);
	assert_int_equal(radix_next_free(&tree, 71), 4095);
	radix_replace(&tree, 71, &items[1]);
	assert_ptr_equal(radix_find(&tree, 71), &items[1]);
	assert_ptr_equal(radix_find(&tree, 72), &items[72]);
	radix_replace(&tree, 71, &items[71]);
	clear(&tree);
}

static void test_largest(void **state)
{
	static const uint32_t numbers[] = { 0, 63, 64, 4095, 1U << 24, 1U << 30, UINT32_MAX - 1, UINT32_MAX };
	struct radix tree = empty_tree();
	uint32_t next = (1U << 30) + 1;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		assert_int_equal(radix_insert(&tree, numbers[i], &items[i]), OK);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		assert_ptr_equal(radix_find(&tree, numbers[i]), &items[i]);
	assert_ptr_equal(radix_next(&tree, &next), &items[6]);
	assert_int_equal(next, UINT32_MAX - 1);
	assert_int_equal(radix_next_free(&tree, 1U << 30), (1U << 30) + 1);
	assert_ptr_equal(radix_last(&tree, &next), &items[7]);
	assert_int_equal(next, UINT32_MAX);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		assert_ptr_equal(radix_remove(&tree, numbers[i]), &items[i]);
	assert_int_equal(allocated, 0);
}

/* An insertion that fails, at whichever allocation, leaves what was there, and no node without entries. */
static void test_no_memory(void **state)
{
	static const uint32_t numbers[] = { 3, 100, 5000, 1U << 31 };

	(void)state;
	for (size_t first = 0; first < 2; first++)
		for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
			struct radix tree = empty_tree();
			enum status status = ERR_NO_MEMORY;

			if (first)
				assert_int_equal(radix_insert(&tree, 7, &items[7]), OK);
			for (int64_t n = 0; status == ERR_NO_MEMORY; n++) {
				uint32_t next = 0;

				allowed = n;
				status = radix_insert(&tree, numbers[i], &items[i]);
				allowed = -1;
				if (status == OK)
					break;
				assert_int_equal(status, ERR_NO_MEMORY);
				assert_null(radix_find(&tree, numbers[i]));
				assert_ptr_equal(radix_next(&tree, &next), first ? &items[7] : NULL);
				assert_int_equal(radix_next_free(&tree, 7), first ? 8 : 7);
				assert_int_equal(radix_next_free(&tree, numbers[i]), numbers[i]);
			}
			assert_ptr_equal(radix_remove(&tree, numbers[i]), &items[i]);
			if (first)
				assert_ptr_equal(radix_remove(&tree, 7), &items[7]);
			assert_int_equal(allocated, 0);
		}
}

/* One entry that comes and goes uses the same node again. */
static void test_spare(void **state)
{
	struct radix tree = empty_tree();

	(void)state;
	assert_int_equal(radix_insert(&tree, 1, &items[1]), OK);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(radix_insert(&tree, 200, &items[2]), OK);
		radix_remove(&tree, 200);
		assert_int_equal(allocated, 3);
	}
	radix_remove(&tree, 1);
	assert_int_equal(allocated, 0);

	tree.keeps_spare = true;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(radix_insert(&tree, 1, &items[1]), OK);
		radix_remove(&tree, 1);
		assert_int_equal(allocated, 1);
	}
	radix_destroy(&tree);
	assert_int_equal(allocated, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),    cmocka_unit_test(test_full),  cmocka_unit_test(test_largest),
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_spare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
