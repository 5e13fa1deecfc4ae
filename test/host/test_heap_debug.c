/*
 * The debug build's heap: each kind of damage is caught and named, with the address and who allocated and freed the
 * block. Calls heap_debug_* directly, so that it tests the same whatever this build is.
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

/* Owners are addresses of code; any will do. */
#define ALICE ((const void *)0xffffffff80001000)
#define BOB   ((const void *)0xffffffff80002000)

static struct heap_host host;
static jmp_buf panic_return;
static char panic_text[256];

static void catch_panic(const char *format, va_list args)
{
	vsnprintf(panic_text, sizeof(panic_text), format, args);
	longjmp(panic_return, 1);
}

static int start(void **state)
{
	(void)state;
	panic_set_handler(catch_panic);
	heap_host_init(&host, 64 << 10);
	return 0;
}

static int end(void **state)
{
	(void)state;
	heap_host_destroy(&host);
	return 0;
}

static void assert_says(const char *text)
{
	if (!strstr(panic_text, text))
		fail_msg("\"%s\" does not say \"%s\"", panic_text, text);
}

static void assert_says_address(const void *p)
{
	char text[32];

	snprintf(text, sizeof(text), "%p", p);
	assert_says(text);
}

/* `call` must panic, naming the damage and the block; panic_text has the rest. */
#define assert_panics(call, text, block)                 \
	do {                                             \
		panic_text[0] = 0;                       \
		if (setjmp(panic_return) == 0) {         \
			call;                            \
			fail_msg("no panic: %s", #call); \
		}                                        \
		assert_says(text);                       \
		assert_says_address(block);              \
	} while (0)

static void good_use_is_let_alone(void **state)
{
	(void)state;
	if (setjmp(panic_return))
		fail_msg("%s", panic_text);
	for (size_t align = 1; align <= 4 << 20; align *= 2) {
		for (size_t size = 1; size < 10 << 20; size = size * 3 + 1) {
			uint8_t *block = heap_debug_alloc(size, align, ALICE);

			assert_non_null(block);
			assert_true(is_aligned((uintptr_t)block, align));
			assert_int_equal(heap_debug_size(block), size);
			memset(block, 1, size);
			block = heap_debug_realloc(block, size + 5, BOB);
			assert_int_equal(block[size - 1], 1);
			heap_debug_free(block, BOB);
		}
		heap_debug_check();
	}
	heap_debug_flush();
	heap_trim();
	assert_int_equal(heap_get_stats().mapped, heap_get_stats().metadata);
}

static void a_double_free(void **state)
{
	void *block = heap_debug_alloc(100, 16, ALICE);

	(void)state;
	heap_debug_free(block, BOB);
	assert_panics(heap_debug_free(block, ALICE), "freed already", block);
	assert_says_address(ALICE);
	assert_says_address(BOB);
	assert_panics((void)heap_debug_realloc(block, 5, ALICE), "freed already", block);
}

static void a_free_of_no_block(void **state)
{
	uint8_t *block = heap_debug_alloc(100, 16, ALICE);
	uint8_t mine[256];

	(void)state;
	memset(block, 0, 100);
	assert_panics(heap_debug_free(block + 64, BOB), "not a block", block + 64);
	assert_panics(heap_debug_free(block + 3, BOB), "not a block", block + 3);
	assert_panics(heap_debug_free(mine + 128, BOB), "not a block", mine + 128);
}

static void an_overrun(void **state)
{
	(void)state;
	for (volatile size_t size = 1; size < 3 << 20; size = size * 5 + 3) {
		uint8_t *block = heap_debug_alloc(size, 16, ALICE);

		/* The very next byte. */
		block[size] = 0;
		assert_panics(heap_debug_free(block, BOB), "overrun", block);
		assert_says_address(ALICE);
		block[size] = 0xb5;
		block[size + 15] = 0;
		assert_panics(heap_debug_free(block, BOB), "overrun", block);
		block[size + 15] = 0xb5;
		heap_debug_free(block, BOB);
	}
}

static void an_underrun(void **state)
{
	uint8_t *block = heap_debug_alloc(100, 16, ALICE);

	(void)state;
	block[-1] = 0;
	assert_panics(heap_debug_free(block, BOB), "underrun", block);
}

static void a_check_finds_damage_before_kfree(void **state)
{
	uint8_t *block = heap_debug_alloc(100, 16, ALICE);

	(void)state;
	heap_debug_check();
	block[100] = 0;
	assert_panics(heap_debug_check(), "overrun", block);
}

static void a_use_after_free(void **state)
{
	uint8_t *block = heap_debug_alloc(100, 16, ALICE);

	(void)state;
	memset(block, 0, 100);
	heap_debug_free(block, BOB);
	/* A reader finds no old value. */
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(block[i], 0xdd);
	block[42] = 0;
	assert_panics(heap_debug_check(), "use after free", block);
}

/* The quarantine keeps a block for a while, and finds the write when it lets go. */
static void a_use_after_free_is_found_in_time(void **state)
{
	uint8_t *volatile block = heap_debug_alloc(100, 16, ALICE);
	volatile size_t frees = 0;

	(void)state;
	heap_debug_free(block, BOB);
	block[42] = 0;
	panic_text[0] = 0;
	if (setjmp(panic_return) == 0) {
		for (; frees < 100000; frees++) {
			void *other = heap_debug_alloc(100, 16, BOB);

			assert_ptr_not_equal(other, block);
			heap_debug_free(other, BOB);
		}
	}
	assert_says("use after free");
	assert_says_address(block);
	assert_says_address(ALICE);
	assert_says_address(BOB);
	assert_says("byte 42");
	assert_true(frees > 100);
}

struct owners {
	uint64_t alice_count, alice_bytes, bob_count, bob_bytes, others;
};

static void see_owner(void *ctx, const void *owner, uint64_t count, uint64_t bytes)
{
	struct owners *owners = ctx;

	if (owner == ALICE) {
		owners->alice_count += count;
		owners->alice_bytes += bytes;
	} else if (owner == BOB) {
		owners->bob_count += count;
		owners->bob_bytes += bytes;
	} else {
		owners->others += count;
	}
}

static void the_report_counts_by_owner(void **state)
{
	struct owners owners = { 0 };
	void *freed = heap_debug_alloc(1000, 16, ALICE);

	(void)state;
	for (size_t i = 0; i < 10; i++)
		assert_non_null(heap_debug_alloc(100, 16, ALICE));
	for (size_t i = 0; i < 3; i++)
		assert_non_null(heap_debug_alloc(5000, 4096, BOB));
	heap_debug_free(freed, BOB);
	heap_debug_report(see_owner, &owners);
	assert_int_equal(owners.alice_count, 10);
	assert_int_equal(owners.alice_bytes, 1000);
	assert_int_equal(owners.bob_count, 3);
	assert_int_equal(owners.bob_bytes, 15000);
	assert_int_equal(owners.others, 0);

	/* More owners than the table has: none is lost. */
	for (uintptr_t i = 1; i <= 300; i++)
		assert_non_null(heap_debug_alloc(10, 16, (void *)i));
	owners = (struct owners){ 0 };
	heap_debug_report(see_owner, &owners);
	assert_int_equal(owners.alice_count + owners.bob_count + owners.others, 313);
}

/* ---- what the plain heap notices, debug build or not ---- */

static void the_plain_heap_refuses_what_is_no_block(void **state)
{
	char *run = heap_raw_alloc_aligned(100000, 1);
	void *small = heap_raw_alloc_aligned(100, 1);
	void *inside;
	void *twice[2] = { small, small };

	(void)state;
	assert_panics(heap_raw_free(run + 8), "is not a block", run + 8);
	assert_panics(heap_raw_free(run + PAGE_SIZE), "is not a block", run + PAGE_SIZE);
	assert_panics((void)heap_raw_size(run + 3 * PAGE_SIZE), "is not a block", run + 3 * PAGE_SIZE);
	assert_panics(slab_give(class_of_size(100), twice, 2), "freed twice", small);

	/* The panic came with the class's lock held; another class has its own. */
	inside = (char *)heap_raw_alloc_aligned(200, 1) + 16;
	assert_panics(slab_give(class_of_size(200), &inside, 1), "is not the start of a block", inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good_use_is_let_alone, start, end),
		cmocka_unit_test_setup_teardown(a_double_free, start, end),
		cmocka_unit_test_setup_teardown(a_free_of_no_block, start, end),
		cmocka_unit_test_setup_teardown(an_overrun, start, end),
		cmocka_unit_test_setup_teardown(an_underrun, start, end),
		cmocka_unit_test_setup_teardown(a_check_finds_damage_before_kfree, start, end),
		cmocka_unit_test_setup_teardown(a_use_after_free, start, end),
		cmocka_unit_test_setup_teardown(a_use_after_free_is_found_in_time, start, end),
		cmocka_unit_test_setup_teardown(the_report_counts_by_owner, start, end),
		cmocka_unit_test_setup_teardown(the_plain_heap_refuses_what_is_no_block, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
