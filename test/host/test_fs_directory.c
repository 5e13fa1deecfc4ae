/*
 * A directory's names and positions beside a plain array: what is found by name, and where a listing goes on, while names
 * come and go; and with each allocation refused.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/directory.h"
#include "kernel/mm/heap/heap.h"
#include "test/host/random.h"

#define NAMES 600
#define ADDED 20000 /* positions that are given out at the most */

static struct directory_entry *of_name[NAMES];  /* or NULL */
static struct directory_entry *at_place[ADDED]; /* by position, or NULL */

static int start(void **state)
{
	(void)state;
	fs_start();
	memset(of_name, 0, sizeof(of_name));
	memset(at_place, 0, sizeof(at_place));
	return 0;
}

static int end(void **state)
{
	(void)state;
	fs_end();
	return 0;
}

static char text[16];

static struct name name_of(size_t i)
{
	return (struct name){ text, (size_t)snprintf(text, sizeof(text), "name %zu", i) };
}

/* Returns false when there was no memory. */
static bool add(struct directory *dir, size_t i)
{
	struct directory_entry *entry = directory_entry_create(name_of(i));

	if (!entry)
		return false;
	if (directory_reserve(dir) != 0) {
		kfree(entry);
		return false;
	}
	directory_add(dir, entry);
	assert_true(entry->position < ADDED && !at_place[entry->position]);
	of_name[i] = at_place[entry->position] = entry;
	return true;
}

static void drop(struct directory *dir, size_t i)
{
	struct directory_entry *entry = of_name[i];

	at_place[entry->position] = of_name[i] = NULL;
	directory_remove(dir, entry);
	kfree(entry);
}

static struct directory_entry *expected_at(uint64_t position)
{
	while (position < ADDED && !at_place[position])
		position++;
	return position < ADDED ? at_place[position] : NULL;
}

static void names_and_positions(void **state)
{
	struct random random = random_start("test_fs_directory");
	struct directory dir = { 0 };
	uint64_t readers[3] = { 0 };

	(void)state;
	for (unsigned round = 0; round < 15000; round++) {
		size_t i = (size_t)random_below(&random, NAMES), reader = (size_t)random_below(&random, 3);
		/* For a time more names come than go, and then more go. */
		bool grows = round / 2000 % 2 == 0 || random_below(&random, 4) == 0;
		struct directory_entry *next;
		uint64_t position = random_below(&random, ADDED);

		if (of_name[i] && !(grows && random_below(&random, 4)))
			drop(&dir, i);
		else if (!of_name[i] && grows)
			assert_true(add(&dir, i));
		assert_ptr_equal(directory_find(&dir, name_of(i)), of_name[i]);
		/* Readers that go on where each was; and anywhere. */
		next = directory_at(&dir, readers[reader]);
		assert_ptr_equal(next, expected_at(readers[reader]));
		readers[reader] = next ? next->position + 1 : 0;
		assert_ptr_equal(directory_at(&dir, position), expected_at(position));
	}
	for (size_t i = 0; i < NAMES; i++)
		if (of_name[i])
			drop(&dir, i);
	assert_null(directory_at(&dir, 0));
	directory_free(&dir);
}

/* A name that cannot be added changes nothing, whichever allocation fails. */
static void no_memory_changes_nothing(void **state)
{
	struct directory dir = { 0 };

	(void)state;
	for (size_t i = 0; i < 400; i++) {
		for (uint64_t n = 1;; n++) {
			bool added;

			fs_heap_fail_in = n;
			added = add(&dir, i);
			fs_heap_fail_in = 0;
			if (added)
				break;
			assert_int_equal(dir.count, i);
			assert_null(directory_find(&dir, name_of(i)));
			assert_null(directory_at(&dir, i + DIRECTORY_FIRST));
			assert_ptr_equal(directory_at(&dir, i / 2), expected_at(i / 2));
		}
	}
	for (size_t i = 0; i < 400; i++)
		drop(&dir, 399 - i);
	directory_free(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_and_positions, start, end),
		cmocka_unit_test_setup_teardown(no_memory_changes_nothing, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
