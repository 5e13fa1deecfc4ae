/*
 * Event counters, and what stat, statx and statfs say of a node.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/eventfd.h"
#include "kernel/fs/node.h"
#include "kernel/sync/wait_queue.h"

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

static void expect_read(struct file *event, uint64_t value)
{
	uint64_t read = ~value;

	assert_int_equal(do_read(event, &read, sizeof(read)), sizeof(read));
	assert_int_equal(read, value);
}

static void expect_write(struct file *event, uint64_t value, int64_t result)
{
	assert_int_equal(do_write(event, &value, sizeof(value)), result);
}

static void a_read_takes_the_sum(void **state)
{
	struct file *event;
	uint64_t value;

	(void)state;
	assert_int_equal(eventfd_create(3, 0, &event), 0);
	assert_int_equal(file_poll(event), POLLIN | POLLOUT);
	expect_write(event, 4, 8);
	expect_read(event, 7);
	assert_int_equal(do_read(event, &value, sizeof(value)), -EAGAIN);
	assert_int_equal(file_poll(event), POLLOUT);
	expect_write(event, 0, 8);
	assert_int_equal(do_read(event, &value, sizeof(value)), -EAGAIN);
	file_put(event);
}

static void a_semaphore_counts_down(void **state)
{
	struct file *event;
	uint64_t value;

	(void)state;
	assert_int_equal(eventfd_create(2, EFD_SEMAPHORE, &event), 0);
	expect_read(event, 1);
	expect_read(event, 1);
	assert_int_equal(do_read(event, &value, sizeof(value)), -EAGAIN);
	file_put(event);
}

/* UINT64_MAX is never reached; a write that has to wait takes nothing from its user. */
static void the_counter_has_an_end(void **state)
{
	struct file *event;
	uint64_t one = 1;

	(void)state;
	assert_int_equal(eventfd_create(0, 0, &event), 0);
	expect_write(event, UINT64_MAX, -EINVAL);
	expect_write(event, UINT64_MAX - 2, 8);
	assert_int_equal(file_poll(event), POLLIN | POLLOUT);
	expect_write(event, 2, -EAGAIN);
	expect_write(event, 1, 8);
	assert_int_equal(file_poll(event), POLLIN);
	user_set(0, &one, sizeof(one));
	assert_int_equal(WITH_USER_IO(io, 0, 8, (file_write(event, &io) == -EAGAIN && io.left == 8 ? 0 : -1)), 0);
	expect_read(event, UINT64_MAX - 1);
	file_put(event);
}

static void short_and_wrong_buffers_change_nothing(void **state)
{
	struct file *event;
	uint64_t value = 5;

	(void)state;
	assert_int_equal(eventfd_create(9, 0, &event), 0);
	assert_int_equal(do_read(event, &value, 7), -EINVAL);
	assert_int_equal(do_write(event, &value, 7), -EINVAL);
	/* The last four bytes are nobody's. */
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 4, 8, file_read(event, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 4, 8, file_write(event, &io)), -EFAULT);
	expect_read(event, 9);
	file_put(event);
}

static unsigned woken;

static void count_wake(struct waiter *waiter)
{
	(void)waiter;
	woken++;
}

static void waiters_are_woken(void **state)
{
	struct waiter waiter = { .wake = count_wake };
	struct file *event;
	uint64_t value;

	(void)state;
	assert_int_equal(eventfd_create(0, 0, &event), 0);
	wait_queue_add(file_queue(event), &waiter);
	woken = 0;
	assert_int_equal(do_read(event, &value, sizeof(value)), -EAGAIN);
	assert_int_equal(woken, 0);
	expect_write(event, 1, 8);
	assert_int_equal(woken, 1);
	expect_read(event, 1);
	assert_int_equal(woken, 2);
	wait_queue_remove(&waiter);
	file_put(event);
}

/* How often each of three waiters was woken. */
static unsigned wakes[3];

static void count_poller(struct waiter *waiter)
{
	(void)waiter;
	wakes[0]++;
}

static void count_reader(struct waiter *waiter)
{
	(void)waiter;
	wakes[1]++;
}

static void count_writer(struct waiter *waiter)
{
	(void)waiter;
	wakes[2]++;
}

static void expect_wakes(unsigned poller, unsigned readers, unsigned writers)
{
	assert_int_equal(wakes[0], poller);
	assert_int_equal(wakes[1], readers);
	assert_int_equal(wakes[2], writers);
	memset(wakes, 0, sizeof(wakes));
}

/* A write wakes one of the readers that wait, a read all writers and no reader; who polls is woken by both. */
static void readers_are_woken_one_by_one(void **state)
{
	struct waiter waiters[] = {
		{ .wake = count_poller },
		{ .wake = count_reader, .uses = WAIT_BYTES },
		{ .wake = count_writer, .uses = WAIT_ROOM },
		{ .wake = count_reader, .uses = WAIT_BYTES },
		{ .wake = count_writer, .uses = WAIT_ROOM },
	};
	struct file *event;

	(void)state;
	assert_int_equal(eventfd_create(0, 0, &event), 0);
	assert_true(event->properties & FILE_USES_UP);
	for (size_t i = 0; i < sizeof(waiters) / sizeof(waiters[0]); i++)
		wait_queue_add(file_queue(event), &waiters[i]);
	expect_write(event, 1, 8);
	expect_wakes(1, 1, 0);
	eventfd_add_one(event);
	expect_wakes(1, 1, 0);
	expect_read(event, 2);
	assert_int_equal(wakes[2], 2);
	memset(wakes, 0, sizeof(wakes));
	wait_queue_remove(&waiters[2]);
	wait_queue_remove(&waiters[4]);
	expect_write(event, 1, 8);
	expect_wakes(1, 1, 0);
	expect_read(event, 1);
	expect_wakes(1, 0, 0);
	for (size_t i = 0; i < sizeof(waiters) / sizeof(waiters[0]); i++)
		wait_queue_remove(&waiters[i]);
	file_put(event);
}

static void out_of_memory_leaves_nothing(void **state)
{
	struct file *event;
	uint64_t failures = 0;

	(void)state;
	for (uint64_t n = 1;; n++, failures++) {
		uint64_t blocks = fs_heap_blocks;
		int error;

		fs_heap_fail_in = n;
		error = eventfd_create(0, 0, &event);
		fs_heap_fail_in = 0;
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(fs_heap_blocks, blocks);
	}
	assert_int_equal(failures, 3);
	file_put(event);
}

static void it_says_what_it_is(void **state)
{
	struct linux_stat stat;
	struct file *event;
	char text[32];

	(void)state;
	assert_int_equal(eventfd_create(0, EFD_NONBLOCK, &event), 0);
	assert_int_equal(event->flags & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK);
	event->node->ops->describe(event->node, text, sizeof(text));
	assert_string_equal(text, "anon_inode:[eventfd]");
	node_stat(event->node, &stat);
	assert_int_equal(stat.mode, 0600);
	assert_int_equal(stat.nlink, 1);
	assert_int_equal(stat.blocks, 0);
	file_put(event);
}

/* ---- stat, statx, statfs ---- */

static void stat_and_statx_agree(void **state)
{
	static const char text[5000];
	struct linux_statx statx;
	struct linux_stat stat;
	struct node *node;
	struct file *file;

	(void)state;
	assert_int_equal(path_open(&fs_base, "file", O_CREAT | O_RDWR, 0640, &file), 0);
	assert_int_equal(do_write(file, text, sizeof(text)), sizeof(text));
	node = file->node;
	node->uid = 12;
	node->gid = 34;
	node->atime = (struct linux_timespec){ 1, 2 };
	node->mtime = (struct linux_timespec){ 3, 4 };
	node->ctime = (struct linux_timespec){ 5, 6 };
	node_stat(node, &stat);
	assert_int_equal(stat.mode, S_IFREG | 0640);
	assert_int_equal(stat.size, 5000);
	assert_int_equal(stat.blocks, 2 * PAGE_SIZE / 512);
	assert_int_equal(stat.uid, 12);
	assert_int_equal(stat.gid, 34);
	assert_int_equal(stat.mtime.seconds, 3);

	memset(&statx, 0xff, sizeof(statx));
	node_statx(&(struct place){ NULL, node }, &statx);
	assert_int_equal(statx.mask, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID);
	assert_int_equal(statx.mode, stat.mode);
	assert_int_equal(statx.ino, stat.ino);
	assert_int_equal(statx.nlink, stat.nlink);
	assert_int_equal(statx.uid, stat.uid);
	assert_int_equal(statx.gid, stat.gid);
	assert_int_equal(statx.size, stat.size);
	assert_int_equal(statx.blocks, stat.blocks);
	assert_int_equal(statx.dev_major, DEVICE_MAJOR(stat.dev));
	assert_int_equal(statx.dev_minor, DEVICE_MINOR(stat.dev));
	assert_int_equal(statx.atime.seconds, 1);
	assert_int_equal(statx.atime.nanoseconds, 2);
	assert_int_equal(statx.mtime.seconds, 3);
	assert_int_equal(statx.mtime.nanoseconds, 4);
	assert_int_equal(statx.ctime.seconds, 5);
	assert_int_equal(statx.ctime.nanoseconds, 6);
	assert_int_equal(statx.attributes, 0);
	file_put(file);
	assert_int_equal(path_unlink(&fs_base, "file"), 0);
}

static void statfs_counts_what_is_there(void **state)
{
	static const char text[PAGE_SIZE];
	struct linux_statfs before, after;
	struct fs *fs = fs_base.root.node->fs;
	struct file *file;

	(void)state;
	node_statfs(&fs_base.root, &before);
	assert_int_equal(before.blocks, machine_frames.total);
	assert_int_equal(before.bavail, frame_free_count(&machine_frames));
	assert_int_equal(path_open(&fs_base, "file", O_CREAT | O_RDWR, 0600, &file), 0);
	assert_int_equal(do_write(file, text, sizeof(text)), sizeof(text));
	node_statfs(&fs_base.root, &after);
	assert_int_equal(before.bfree - after.bfree, 1);
	assert_int_equal(after.bavail, frame_free_count(&machine_frames));

	/* With limits; then with less than is there already. */
	fs->pages_max = 10;
	fs->nodes_max = 20;
	node_statfs(&fs_base.root, &after);
	assert_int_equal(after.blocks, 10);
	assert_int_equal(after.bfree, 9);
	assert_int_equal(after.bavail, 9);
	assert_int_equal(after.files, 20);
	assert_int_equal(after.ffree, 20 - fs->nodes);
	fs->pages++;
	fs->pages_max = 1;
	node_statfs(&fs_base.root, &after);
	assert_int_equal(after.bfree, 0);
	fs->pages--;
	fs->pages_max = 0;
	fs->nodes_max = 0;

	/* One that holds nothing. */
	fs->unsized = true;
	node_statfs(&fs_base.root, &after);
	assert_int_equal(after.blocks, 0);
	assert_int_equal(after.bavail, 0);
	fs->unsized = false;
	file_put(file);
	assert_int_equal(path_unlink(&fs_base, "file"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_read_takes_the_sum, start, end),
		cmocka_unit_test_setup_teardown(a_semaphore_counts_down, start, end),
		cmocka_unit_test_setup_teardown(the_counter_has_an_end, start, end),
		cmocka_unit_test_setup_teardown(short_and_wrong_buffers_change_nothing, start, end),
		cmocka_unit_test_setup_teardown(waiters_are_woken, start, end),
		cmocka_unit_test_setup_teardown(readers_are_woken_one_by_one, start, end),
		cmocka_unit_test_setup_teardown(out_of_memory_leaves_nothing, start, end),
		cmocka_unit_test_setup_teardown(it_says_what_it_is, start, end),
		cmocka_unit_test_setup_teardown(stat_and_statx_agree, start, end),
		cmocka_unit_test_setup_teardown(statfs_counts_what_is_there, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
