/*
 * Advisory locks: ranges are cut and replaced, others are refused, and out of memory changes nothing.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/file_lock.h"

static int start(void **state)
{
	(void)state;
	fs_start();
	return 0;
}

static int end(void **state)
{
	(void)state;
	fs_end();
	return 0;
}

static const char me, other;

static int set(struct node *node, const void *owner, enum file_lock_type type, uint64_t first, uint64_t last)
{
	const struct file_lock wanted = {
		.kind = LOCK_RECORD, .type = type, .first = first, .last = last, .owner = owner
	};

	return file_lock_set(node, &wanted);
}

static void the_middle_is_cut_out(void **state)
{
	struct node node = { 0 };

	(void)state;
	assert_int_equal(set(&node, &me, LOCK_EXCLUSIVE, 0, UINT64_MAX), 0);
	assert_int_equal(set(&node, &other, LOCK_SHARED, 10, 19), -EAGAIN);
	assert_int_equal(set(&node, &me, LOCK_NONE, 10, 19), 0);
	assert_int_equal(set(&node, &other, LOCK_EXCLUSIVE, 9, 9), -EAGAIN);
	assert_int_equal(set(&node, &other, LOCK_EXCLUSIVE, 20, 20), -EAGAIN);
	assert_int_equal(set(&node, &other, LOCK_EXCLUSIVE, 10, 19), 0);
	file_lock_drop(&node, LOCK_RECORD, &me);
	assert_int_equal(set(&node, &other, LOCK_EXCLUSIVE, 0, 9), 0);
	file_lock_drop(&node, LOCK_RECORD, &other);
	assert_null(node.locks);
}

static void no_memory_changes_nothing(void **state)
{
	struct node node = { 0 };

	(void)state;
	assert_int_equal(set(&node, &me, LOCK_SHARED, 0, 9), 0);
	for (uint64_t n = 1; n <= 2; n++) {
		fs_heap_fail_in = n;
		assert_int_equal(set(&node, &me, LOCK_EXCLUSIVE, 3, 5), -ENOMEM);
		fs_heap_fail_in = 0;
		assert_int_equal(node.locks->type, LOCK_SHARED);
		assert_int_equal(node.locks->last, 9);
		assert_null(node.locks->next);
	}
	file_lock_drop(&node, LOCK_RECORD, &me);
}

static void letting_go_needs_no_memory(void **state)
{
	struct node node = { 0 };

	(void)state;
	assert_int_equal(set(&node, &me, LOCK_SHARED, 0, 9), 0);
	assert_int_equal(set(&node, &me, LOCK_EXCLUSIVE, 5, 20), 0);
	fs_heap_fail_in = 1;
	assert_int_equal(set(&node, &me, LOCK_NONE, 5, 20), 0);
	fs_heap_fail_in = 0;
	assert_int_equal(node.locks->last, 4);
	assert_null(node.locks->next);
	file_lock_drop(&node, LOCK_RECORD, &me);
}

static struct file_lock_wait *last_woken;
static unsigned wakes;

static void note_wake(struct file_lock_wait *wait)
{
	last_woken = wait;
	wakes++;
}

/* Only those are woken that wait for the range, of the node, and for a lock of the kind. */
static void waits_are_woken_by_range(void **state)
{
	struct node node = { 0 }, elsewhere = { 0 };
	const struct file_lock low = {
		.kind = LOCK_RECORD, .type = LOCK_EXCLUSIVE, .first = 0, .last = 9, .owner = &other
	};
	const struct file_lock high = {
		.kind = LOCK_RECORD, .type = LOCK_SHARED, .first = 20, .last = 29, .owner = &other
	};
	const struct file_lock whole = { .kind = LOCK_WHOLE, .type = LOCK_SHARED, .last = UINT64_MAX, .owner = &other };
	struct file_lock_wait waits[4] = { [0 ... 3] = { .wake = note_wake } };

	(void)state;
	assert_int_equal(set(&node, &me, LOCK_EXCLUSIVE, 0, 100), 0);
	file_lock_wait_start(&waits[0], &node, &low);
	file_lock_wait_start(&waits[1], &node, &high);
	file_lock_wait_start(&waits[2], &node, &whole);
	file_lock_wait_start(&waits[3], &elsewhere, &low);
	wakes = 0;
	assert_int_equal(set(&node, &me, LOCK_NONE, 10, 19), 0);
	assert_int_equal(wakes, 0);
	assert_int_equal(set(&node, &me, LOCK_NONE, 9, 9), 0);
	assert_int_equal(wakes, 1);
	assert_ptr_equal(last_woken, &waits[0]);
	assert_int_equal(set(&node, &me, LOCK_SHARED, 29, 40), 0);
	assert_int_equal(wakes, 2);
	assert_ptr_equal(last_woken, &waits[1]);
	file_lock_wait_end(&waits[1]);
	file_lock_drop(&node, LOCK_RECORD, &me);
	assert_int_equal(wakes, 3);
	assert_ptr_equal(last_woken, &waits[0]);
	file_lock_wait_end(&waits[0]);
	file_lock_wait_end(&waits[2]);
	file_lock_wait_end(&waits[3]);
	assert_null(node.locks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_middle_is_cut_out, start, end),
		cmocka_unit_test_setup_teardown(no_memory_changes_nothing, start, end),
		cmocka_unit_test_setup_teardown(letting_go_needs_no_memory, start, end),
		cmocka_unit_test_setup_teardown(waits_are_woken_by_range, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
