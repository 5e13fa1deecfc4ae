/*
 * Descriptor tables against a model: an array that says which file each descriptor should have.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/fd.h"

#define FILES 4
#define MODEL 300

static struct file *files[FILES];
static unsigned caller_limit;

static unsigned limit_of_caller(void)
{
	return caller_limit;
}

static int start(void **state)
{
	(void)state;
	fs_start();
	caller_limit = FD_LIMIT;
	fd_set_limit_source(limit_of_caller);
	for (int i = 0; i < FILES; i++) {
		char name[2] = { (char)('a' + i), 0 };

		assert_int_equal(path_open(&fs_base, name, O_CREAT | O_RDWR, 0600, &files[i]), 0);
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++) {
		assert_int_equal(files[i]->refs, 1);
		file_put(files[i]);
	}
	fs_end();
	return 0;
}

struct fd_model {
	struct file *file[MODEL];
	bool cloexec[MODEL];
};

static int model_lowest(const struct fd_model *m, int from, unsigned limit)
{
	while (from < MODEL && m->file[from])
		from++;
	return (unsigned)from < limit ? from : -EMFILE;
}

static void expect_same(const struct fd_table *table, const struct fd_model *m)
{
	for (int fd = 0; fd < MODEL; fd++) {
		assert_ptr_equal(fd_file_peek(table, fd), m->file[fd]);
		assert_int_equal(fd_flags(table, fd), m->file[fd] ? (m->cloexec[fd] ? FD_CLOEXEC : 0) : -EBADF);
	}
}

static void one_step(struct random *r, struct fd_table *table, struct fd_model *m)
{
	int fd = (int)random_below(r, MODEL), to = (int)random_below(r, MODEL + 1) - 1, got;
	struct file *file = files[random_below(r, FILES)];
	unsigned flags = random_below(r, 2) ? FD_CLOEXEC : 0;
	int expected;

	switch (random_below(r, 6)) {
	case 0:
	case 1:
		fd = random_below(r, 3) ? 0 : fd;
		expected = (unsigned)fd >= caller_limit ? -EINVAL : model_lowest(m, fd, caller_limit);
		got = fd_install(table, file_get(file), fd, flags);
		assert_int_equal(got, expected);
		if (got < 0)
			file_put(file);
		break;
	case 2:
		assert_int_equal(fd_close(table, fd), m->file[fd] ? 0 : -EBADF);
		m->file[fd] = NULL;
		return;
	case 3:
		expected = !m->file[fd] ? -EBADF : to < 0 ? -EINVAL : model_lowest(m, to, caller_limit);
		if (m->file[fd] && to >= 0 && (unsigned)to >= caller_limit)
			expected = -EINVAL;
		got = fd_dup(table, fd, to, flags);
		assert_int_equal(got, expected);
		file = m->file[fd];
		break;
	case 4:
		expected = !m->file[fd] || to < 0 || (unsigned)to >= caller_limit ? -EBADF : to;
		got = fd_dup_to(table, fd, to, flags);
		assert_int_equal(got, expected);
		if (fd == to)
			return;
		file = m->file[fd];
		break;
	default:
		assert_int_equal(fd_set_flags(table, fd, flags), m->file[fd] ? 0 : -EBADF);
		m->cloexec[fd] = flags;
		return;
	}
	if (got >= 0) {
		m->file[got] = file;
		m->cloexec[got] = flags;
	}
}

static void descriptors_are_like_an_array(void **state)
{
	struct random r = random_start("fd");
	struct fd_table *table, *copy;
	struct fd_model m = { 0 };

	(void)state;
	assert_int_equal(fd_table_create(&table), 0);
	for (int i = 0; i < 20000; i++) {
		caller_limit = random_below(&r, 4) ? 256 : 128;
		one_step(&r, table, &m);
		if (i % 100)
			continue;
		expect_same(table, &m);
		assert_int_equal(fd_table_copy(table, &copy), 0);
		expect_same(copy, &m);
		fd_table_put(table);
		table = copy;
	}
	for (unsigned fd = 0; fd_close_some(table, &fd, UINT32_MAX, FD_ON_EXEC);)
		;
	for (int fd = 0; fd < MODEL; fd++)
		if (m.cloexec[fd])
			m.file[fd] = NULL;
	expect_same(table, &m);
	fd_cloexec_range(table, 10, 20);
	fd_close_range(table, 100, UINT32_MAX);
	for (int fd = 0; fd < MODEL; fd++) {
		if (fd >= 10 && fd <= 20)
			m.cloexec[fd] = true;
		if (fd >= 100)
			m.file[fd] = NULL;
	}
	expect_same(table, &m);
	assert_null(fd_file_peek(table, -1));
	fd_table_put(table);
}

static void out_of_memory_changes_nothing(void **state)
{
	struct fd_table *table, *copy = NULL;

	(void)state;
	assert_int_equal(fd_table_create(&table), 0);
	assert_int_equal(fd_install(table, file_get(files[0]), 0, 0), 0);
	for (uint64_t n = 1; n < 20; n++) {
		uint64_t blocks = fs_heap_blocks;
		int error;

		fs_heap_fail_in = n;
		error = fd_dup(table, 0, 200, 0);
		if (error == -ENOMEM)
			assert_int_equal(fs_heap_blocks, blocks);
		else
			assert_int_equal(fd_close(table, 200), 0);
		fs_heap_fail_in = n;
		error = fd_table_copy(table, &copy);
		fs_heap_fail_in = 0;
		if (!error)
			fd_table_put(copy);
		else
			assert_int_equal(error, -ENOMEM);
		assert_int_equal(files[0]->refs, 2);
	}
	fd_table_put(table);
}

#define MANY 40000 /* descriptors: a table for them is filled in several pieces */

/* Between two pieces of a table's growth descriptors are opened and closed, on both sides of what is filled already. */
static void a_table_grows_in_pieces(void **state)
{
	struct fd_table *table;
	int pieces = 0, more;
	unsigned to;

	(void)state;
	caller_limit = 2 * MANY;
	assert_int_equal(fd_table_create(&table), 0);
	for (int fd = 0; fd < MANY; fd++)
		assert_int_equal(fd_install(table, file_get(files[fd % 2]), 0, 0), fd);
	to = table->capacity;
	assert_int_equal(fd_to_grow_for(table, 0), 0);
	while ((more = fd_grow_some(table, to)) > 0) {
		pieces++;
		assert_int_equal(fd_close(table, 10 * pieces), 0);
		assert_int_equal(fd_close(table, MANY - 10 * pieces), 0);
		assert_int_equal(fd_install(table, file_get(files[0]), 10 * pieces, FD_CLOEXEC), 10 * pieces);
	}
	assert_int_equal(more, 0);
	assert_true(pieces >= 2);
	assert_int_equal(table->capacity, 2 * to);
	for (int fd = 0; fd < (int)table->capacity; fd++) {
		const struct file *file = fd < MANY ? files[fd % 2] : NULL;

		for (int piece = 1; piece <= pieces; piece++) {
			if (fd == 10 * piece)
				file = files[0];
			if (fd == MANY - 10 * piece)
				file = NULL;
		}
		assert_ptr_equal(fd_file_peek(table, fd), file);
		assert_int_equal(fd_flags(table, fd) == FD_CLOEXEC, fd && fd % 10 == 0 && fd <= 10 * pieces);
	}
	/* A table that ends while it grows gives up the array that it was about to get. */
	assert_int_equal(fd_grow_some(table, table->capacity), 1);
	fd_table_put(table);
	assert_int_equal(files[0]->refs, 1);
	assert_int_equal(files[1]->refs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(descriptors_are_like_an_array, start, end),
		cmocka_unit_test_setup_teardown(out_of_memory_changes_nothing, start, end),
		cmocka_unit_test_setup_teardown(a_table_grows_in_pieces, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
