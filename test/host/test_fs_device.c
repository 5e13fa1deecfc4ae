/*
 * The devices that need no hardware.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/device.h"

static int start(void **state)
{
	static bool registered;

	(void)state;
	fs_start();
	if (!registered)
		device_init();
	registered = true;
	assert_int_equal(device_make_nodes(fs_base.root.node), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fs_end();
	return 0;
}

static struct file *open_device(const char *name)
{
	struct file *file;

	assert_int_equal(path_open(&fs_base, name, O_RDWR, 0, &file), 0);
	return file;
}

static void nodes_are_made_once(void **state)
{
	struct node *node;

	(void)state;
	assert_int_equal(device_make_nodes(fs_base.root.node), 0);
	assert_int_equal(path_lookup(&fs_base, "null", 0, &node), 0);
	assert_int_equal(node->device, 0x103);
	assert_int_equal(node->mode, S_IFCHR | 0666);
	node_put(node);
}

static void null_zero_and_full(void **state)
{
	struct file *file = open_device("null");
	char bytes[600];

	(void)state;
	assert_int_equal(do_write(file, "abc", 3), 3);
	assert_int_equal(do_read(file, bytes, 3), 0);
	file_put(file);
	file = open_device("zero");
	memset(bytes, 1, sizeof(bytes));
	user_set(0, bytes, sizeof(bytes));
	assert_int_equal(do_read(file, bytes, sizeof(bytes)), sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 4, file_read(file, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 3, 4, file_read(file, &io)), 3);
	assert_int_equal(do_write(file, "abc", 3), 3);
	file_put(file);
	file = open_device("full");
	assert_int_equal(do_write(file, "abc", 3), -ENOSPC);
	assert_int_equal(do_read(file, bytes, 3), 3);
	file_put(file);
}

static void random_differs(void **state)
{
	struct file *file = open_device("urandom");
	char one[600], other[600];

	(void)state;
	assert_int_equal(do_read(file, one, sizeof(one)), sizeof(one));
	assert_int_equal(do_read(file, other, sizeof(other)), sizeof(other));
	assert_memory_not_equal(one, other, sizeof(one));
	assert_memory_not_equal(one, one + 256, 256);
	assert_int_equal(do_write(file, one, sizeof(one)), sizeof(one));
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 4, file_read(file, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 300, 400, file_read(file, &io)), 300);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 4, file_write(file, &io)), -EFAULT);
	file_put(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nodes_are_made_once),
		TEST(null_zero_and_full),
		TEST(random_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
