/*
 * Advisory locks: ranges are cut and replaced, others are refused, and out of memory changes nothing.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/file_lock.h"
#include "test/host/random.h"

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
		.kind = LOCK_RECORD, .type = type, .range = { .first = first, .last = last }, .owner = owner
	};

	return file_lock_set(node, &wanted);
}

/* Check that whoever is neither owner finds the lock [first, last] of the type at its first byte. */
static void expect_lock(const struct node *node, enum file_lock_type type, uint64_t first, uint64_t last)
{
	const struct file_lock wanted = {
		.kind = LOCK_RECORD, .type = LOCK_EXCLUSIVE, .range = { .first = first, .last = first }, .owner = node
	};
	const struct file_lock *found = file_lock_conflict(node, &wanted);

	assert_non_null(found);
	assert_int_equal(found->type, type);
	assert_int_equal(found->range.first, first);
	assert_int_equal(found->range.last, last);
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
	file_locks_free(node.locks);
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
		expect_lock(&node, LOCK_SHARED, 0, 9);
	}
	file_lock_drop(&node, LOCK_RECORD, &me);
	file_locks_free(node.locks);
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
	expect_lock(&node, LOCK_SHARED, 0, 4);
	assert_int_equal(set(&node, &other, LOCK_EXCLUSIVE, 5, UINT64_MAX), 0);
	file_lock_drop(&node, LOCK_RECORD, &other);
	file_lock_drop(&node, LOCK_RECORD, &me);
	file_locks_free(node.locks);
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
		.kind = LOCK_RECORD, .type = LOCK_EXCLUSIVE, .range = { .first = 0, .last = 9 }, .owner = &other
	};
	const struct file_lock high = {
		.kind = LOCK_RECORD, .type = LOCK_SHARED, .range = { .first = 20, .last = 29 }, .owner = &other
	};
	const struct file_lock whole = {
		.kind = LOCK_WHOLE, .type = LOCK_SHARED, .range.last = UINT64_MAX, .owner = &other
	};
	struct file_lock_wait waits[4] = { [0 ... 3] = { .wake = note_wake } };

	(void)state;
	assert_int_equal(set(&node, &me, LOCK_EXCLUSIVE, 0, 100), 0);
	assert_int_equal(set(&elsewhere, &me, LOCK_EXCLUSIVE, 0, 100), 0);
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
	file_lock_drop(&elsewhere, LOCK_RECORD, &me);
	file_locks_free(elsewhere.locks);
	file_locks_free(node.locks);
}

#define BYTES  40
#define OWNERS 4

/* What each owner has locked: a type for each byte. */
static enum file_lock_type model[OWNERS][BYTES];
static const char owners[OWNERS];

/* Return whether the model lets an owner set the lock. */
static bool model_allows(size_t owner, enum file_lock_type type, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < OWNERS; i++)
		for (uint64_t byte = first; byte <= last && i != owner; byte++)
			if (type != LOCK_NONE && model[i][byte] != LOCK_NONE &&
			    (type == LOCK_EXCLUSIVE || model[i][byte] == LOCK_EXCLUSIVE))
				return false;
	return true;
}

/*
 * Check what somebody else finds at a byte: nothing, when nobody has locked it; or a lock of one who has, as long as his
 * bytes of the type go on to both sides, and no other one's starts before it.
 */
static void check_byte(const struct node *node, uint64_t byte)
{
	const struct file_lock wanted = {
		.kind = LOCK_RECORD, .type = LOCK_EXCLUSIVE, .range = { .first = byte, .last = byte }, .owner = node
	};
	const struct file_lock *found = file_lock_conflict(node, &wanted);
	uint64_t lowest = UINT64_MAX;

	for (size_t i = 0; i < OWNERS; i++) {
		uint64_t first = byte, last = byte;

		if (model[i][byte] == LOCK_NONE)
			continue;
		while (first && model[i][first - 1] == model[i][byte])
			first--;
		while (last + 1 < BYTES && model[i][last + 1] == model[i][byte])
			last++;
		lowest = first < lowest ? first : lowest;
		assert_non_null(found);
		if (found->owner != &owners[i])
			continue;
		assert_int_equal(found->type, model[i][byte]);
		assert_int_equal(found->range.first, first);
		assert_int_equal(found->range.last, last);
	}
	assert_int_equal(found ? found->range.first : UINT64_MAX, lowest);
}

static void drop_owner(struct node *node, size_t owner)
{
	file_lock_drop(node, LOCK_RECORD, &owners[owner]);
	for (uint64_t byte = 0; byte < BYTES; byte++)
		model[owner][byte] = LOCK_NONE;
}

/* Random locks of four owners, beside a model of single bytes. */
static void locks_are_those_of_the_model(void **state)
{
	struct random random = random_start("test_fs_lock");
	struct node node = { 0 };

	(void)state;
	for (size_t i = 0; i < OWNERS; i++)
		for (size_t byte = 0; byte < BYTES; byte++)
			model[i][byte] = LOCK_NONE;
	for (unsigned round = 0; round < 20000; round++) {
		size_t owner = random_below(&random, OWNERS);
		uint64_t first = random_below(&random, BYTES), last = first + random_below(&random, BYTES - first);
		enum file_lock_type type = (enum file_lock_type)random_below(&random, 3);
		bool allowed;

		if (!random_below(&random, 50) && node.locks)
			drop_owner(&node, random_below(&random, OWNERS));
		allowed = model_allows(owner, type, first, last);
		assert_int_equal(set(&node, &owners[owner], type, first, last), allowed ? 0 : -EAGAIN);
		for (uint64_t byte = first; byte <= last && allowed; byte++)
			model[owner][byte] = type;
		for (uint64_t byte = 0; byte < BYTES; byte++)
			check_byte(&node, byte);
	}
	for (size_t owner = 0; owner < OWNERS; owner++)
		drop_owner(&node, owner);
	file_locks_free(node.locks);
}

#define MANY 3000 /* locks: more than one step replaces */

/* Lock every other byte, MANY of them, for `me`; `other` has a lock beside them, so that they are not all there are. */
static void lock_many(struct node *node)
{
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(set(node, &me, LOCK_SHARED, 2 * i, 2 * i), 0);
	assert_int_equal(set(node, &other, LOCK_EXCLUSIVE, 2 * MANY, 2 * MANY), 0);
}

/* While a lock replaces very many, step by step, others are refused as if it were set; it can be given up, too. */
static void many_are_replaced_in_steps(void **state)
{
	const struct file_lock wanted = {
		.kind = LOCK_RECORD, .type = LOCK_EXCLUSIVE, .range = { .first = 1, .last = 2 * MANY - 1 }, .owner = &me
	};
	struct node node = { 0 };
	struct file_lock *claimed;
	int steps, more;

	(void)state;
	for (int stop_at = 1; stop_at < 20; stop_at++) {
		lock_many(&node);
		claimed = NULL;
		steps = 0;
		while ((more = file_lock_set_some(&node, &wanted, &claimed)) > 0 && ++steps < stop_at) {
			assert_int_equal(set(&node, &other, LOCK_SHARED, 2 * MANY - 1, 2 * MANY - 1), -EAGAIN);
			assert_int_equal(set(&node, &other, LOCK_SHARED, 1, 1), -EAGAIN);
			expect_lock(&node, LOCK_SHARED, 0, 0);
		}
		file_lock_give_up(&node, &claimed);
		assert_int_equal(set(&node, &other, LOCK_SHARED, 1, 1), more ? 0 : -EAGAIN);
		if (!more) {
			expect_lock(&node, LOCK_EXCLUSIVE, 1, 2 * MANY - 1);
			break;
		}
		file_lock_drop(&node, LOCK_RECORD, &me);
		file_lock_drop(&node, LOCK_RECORD, &other);
	}
	assert_int_equal(more, 0);
	assert_true(steps > MANY / 1000);
	/* Who drops very many does it in steps while somebody else has one, and at once when nobody has. */
	file_lock_drop(&node, LOCK_RECORD, &me);
	file_lock_drop(&node, LOCK_RECORD, &other);
	lock_many(&node);
	assert_true(file_lock_drop_some(&node, LOCK_RECORD, &me));
	while (file_lock_drop_some(&node, LOCK_RECORD, &me))
		;
	file_lock_drop(&node, LOCK_RECORD, &other);
	lock_many(&node);
	file_lock_drop(&node, LOCK_RECORD, &other);
	assert_false(file_lock_drop_some(&node, LOCK_RECORD, &me));
	file_locks_free(node.locks);
}

/* A lock that replaces very many needs no memory at its end, when there is nothing to go back to. */
static void steps_need_memory_first(void **state)
{
	const struct file_lock wanted = {
		.kind = LOCK_RECORD, .type = LOCK_EXCLUSIVE, .range = { .first = 0, .last = 2 * MANY - 1 }, .owner = &me
	};
	struct file_lock *claimed = NULL;
	struct node node = { 0 };
	int more;

	(void)state;
	lock_many(&node);
	fs_heap_fail_in = 1;
	assert_int_equal(file_lock_set_some(&node, &wanted, &claimed), -ENOMEM);
	fs_heap_fail_in = 0;
	file_lock_give_up(&node, &claimed);
	expect_lock(&node, LOCK_SHARED, 2, 2);
	assert_int_equal(file_lock_set_some(&node, &wanted, &claimed), 1);
	fs_heap_fail_in = 1;
	while ((more = file_lock_set_some(&node, &wanted, &claimed)) > 0)
		;
	fs_heap_fail_in = 0;
	assert_int_equal(more, 0);
	assert_null(claimed);
	expect_lock(&node, LOCK_EXCLUSIVE, 0, 2 * MANY - 1);
	file_lock_drop(&node, LOCK_RECORD, &me);
	file_lock_drop(&node, LOCK_RECORD, &other);
	file_locks_free(node.locks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_middle_is_cut_out, start, end),
		cmocka_unit_test_setup_teardown(no_memory_changes_nothing, start, end),
		cmocka_unit_test_setup_teardown(letting_go_needs_no_memory, start, end),
		cmocka_unit_test_setup_teardown(waits_are_woken_by_range, start, end),
		cmocka_unit_test_setup_teardown(locks_are_those_of_the_model, start, end),
		cmocka_unit_test_setup_teardown(many_are_replaced_in_steps, start, end),
		cmocka_unit_test_setup_teardown(steps_need_memory_first, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
