/*
 * /dev/kmsg and syslog(2)'s reading: Linux's formats, what is lost, where files start, who is woken.
 */
#include "test/host/fs_user.h"

#include <stdio.h>

#include "kernel/fs/device.h"
#include "kernel/fs/kmsg.h"
#include "kernel/lib/log.h"
#include "kernel/sync/wait_queue.h"

static uint64_t now;

static uint64_t host_stamp(void)
{
	return now;
}

static uint64_t host_ns(uint64_t stamp)
{
	return stamp;
}

static uint64_t host_enter(void)
{
	return 0;
}

static void host_leave(uint64_t token)
{
	(void)token;
}

static int start(void **state)
{
	static const struct log_host host = { host_stamp, host_ns, host_enter, host_leave };
	static bool registered;

	(void)state;
	fs_start();
	if (!registered) {
		device_init();
		log_set_host(&host);
		log_set_console_level(0);
	}
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

static struct file *open_kmsg(void)
{
	struct file *file;

	assert_int_equal(path_open(&fs_base, "kmsg", O_RDWR, 0, &file), 0);
	return file;
}

static void expect_read(struct file *file, const char *text)
{
	char got[4096];
	int64_t size = do_read(file, got, sizeof(got) - 1);

	assert_true(size >= 0);
	got[size] = '\0';
	assert_string_equal(got, text);
}

static void records_in_linux_format(void **state)
{
	struct file *file = open_kmsg();
	unsigned long long seq = log_end();
	char expected[256];

	(void)state;
	assert_int_equal(file_seek(file, 0, SEEK_END), 0);
	assert_int_equal(do_read(file, expected, 100), -EAGAIN);
	now = 1234567890;
	log_warn("a\\b\tc€\n");
	snprintf(expected, sizeof(expected), "4,%llu,1234567,-;a\\x5cb\\x09c\\xe2\\x82\\xac\n", seq);
	/* Too small a buffer takes nothing. */
	assert_int_equal(do_read(file, expected + 100, strlen(expected) - 1), -EINVAL);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 200, file_read(file, &io)), -EFAULT);
	expect_read(file, expected);
	assert_int_equal(do_read(file, expected, 100), -EAGAIN);
	file_put(file);
}

static void writes_are_records(void **state)
{
	static const struct {
		const char *written, *text;
		unsigned priority;
	} cases[] = {
		{ "plain", "plain", 1 << 3 | LOG_WARN },
		{ "<3>an error\n", "an error", 1 << 3 | LOG_ERR },
		{ "<30>a daemon", "a daemon", 30 },
		{ "<>no level", "<>no level", 1 << 3 | LOG_WARN },
		{ "<x>neither", "<x>neither", 1 << 3 | LOG_WARN },
		{ "<12345>", "<12345>", 1 << 3 | LOG_WARN },
		{ "<5", "<5", 1 << 3 | LOG_WARN },
		{ "two\n<0>lines\n", "two\\x0a<0>lines", 1 << 3 | LOG_WARN },
		{ "\033[8m\\", "\\x1b[8m\\x5c", 1 << 3 | LOG_WARN },
	};
	static char long_text[LOG_LINE_MOST + 1];
	struct file *file = open_kmsg();
	struct log_record record;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].written);
		uint64_t seq = log_end();
		char expected[128];

		assert_int_equal(file_seek(file, 0, SEEK_END), 0);
		assert_int_equal(do_write(file, cases[i].written, size), size);
		assert_int_equal(log_end(), seq + 1);
		assert_true(log_get(seq, &record));
		assert_int_equal(record.priority, cases[i].priority);
		assert_int_equal(record.size, strlen(cases[i].text));
		assert_memory_equal(record.text, cases[i].text, record.size);
		/* As it lies in the ring it is read. */
		snprintf(expected, sizeof(expected), "%u,%llu,%llu,-;%s\n", record.priority, (unsigned long long)seq,
			 (unsigned long long)now / 1000, cases[i].text);
		expect_read(file, expected);
	}
	memset(long_text, 'x', sizeof(long_text));
	assert_int_equal(do_write(file, long_text, LOG_LINE_MOST), LOG_LINE_MOST);
	assert_int_equal(do_write(file, long_text, LOG_LINE_MOST + 1), -EINVAL);
	assert_int_equal(do_write(file, long_text, 0), 0);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 4, file_write(file, &io)), -EFAULT);
	file_put(file);
}

static void seeking(void **state)
{
	struct file *file = open_kmsg();

	(void)state;
	assert_int_equal(file->record, log_first());
	assert_int_equal(file_seek(file, 1, SEEK_SET), -ESPIPE);
	assert_int_equal(file_seek(file, 0, SEEK_CUR), -EINVAL);
	log_info("before\n");
	syslog_clear();
	assert_int_equal(file_seek(file, 0, SEEK_DATA), 0);
	assert_int_equal(file->record, log_end());
	assert_int_equal(file_seek(file, 0, SEEK_SET), 0);
	assert_int_equal(file->record, log_first());
	file_put(file);
}

/* The reader is told once, then goes on with the oldest. */
static void lost_records_are_told(void **state)
{
	struct file *file = open_kmsg();
	char text[256];

	(void)state;
	assert_int_equal(file_seek(file, 0, SEEK_END), 0);
	assert_int_equal(file_poll(file), POLLOUT | POLLWRNORM);
	for (int i = 0; i <= LOG_LINES; i++)
		log_info("%d\n", i);
	assert_int_equal(file_poll(file), POLLOUT | POLLWRNORM | POLLIN | POLLRDNORM | POLLERR | POLLPRI);
	assert_int_equal(do_read(file, text, sizeof(text)), -EPIPE);
	assert_int_equal(file_poll(file), POLLOUT | POLLWRNORM | POLLIN | POLLRDNORM);
	assert_int_equal(file->record, log_first());
	assert_true(do_read(file, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, ",-;1\n"));
	file_put(file);
}

static int woken;

static void wake(struct waiter *waiter)
{
	(void)waiter;
	woken++;
}

static void readers_are_woken(void **state)
{
	struct file *file = open_kmsg();
	struct waiter waiter = { .wake = wake };

	(void)state;
	assert_ptr_equal(file_queue(file), kmsg_queue());
	wait_queue_add(file_queue(file), &waiter);
	log_info("not");
	assert_int_equal(woken, 0);
	log_info(" yet\n");
	assert_int_equal(woken, 1);
	wait_queue_remove(&waiter);
	file_put(file);
}

/* ---- syslog(2) ---- */

/* What `call` hands out of `size` bytes of room. */
#define EXPECT_TEXT(call, room, text)                                 \
	do {                                                          \
		char got_[8192];                                      \
		int64_t size_ = WITH_USER_IO(io, 0, room, call(&io)); \
                                                                      \
		assert_int_equal(size_, strlen(text));                \
		user_get(0, got_, (size_t)size_);                     \
		assert_memory_equal(got_, text, (size_t)size_);       \
	} while (0)

static void all_since_the_clearing(void **state)
{
	(void)state;
	syslog_clear();
	EXPECT_TEXT(syslog_read_all, 1000, "");
	now = 61000002000;
	log_info("one\n");
	log_write(30, "two", 3);
	EXPECT_TEXT(syslog_read_all, 1000, "<6>[   61.000002] one\n<30>[   61.000002] two\n");
	/* The newest that fit, whole. */
	EXPECT_TEXT(syslog_read_all, 44, "<30>[   61.000002] two\n");
	EXPECT_TEXT(syslog_read_all, 23, "<30>[   61.000002] two\n");
	EXPECT_TEXT(syslog_read_all, 22, "");
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 100, syslog_read_all(&io)), -EFAULT);
	syslog_clear();
	EXPECT_TEXT(syslog_read_all, 1000, "");
}

static void what_was_read_is_gone(void **state)
{
	(void)state;
	/* All there is. */
	while (WITH_USER_IO(io, 0, 100000, syslog_read(&io)) > 0)
		;
	assert_int_equal(WITH_USER_IO(io, 0, 100, syslog_read(&io)), -EAGAIN);
	assert_int_equal(syslog_unread(), 0);
	assert_false(syslog_has_unread());
	log_info("one\n");
	log_info("two\n");
	assert_true(syslog_has_unread());
	assert_int_equal(syslog_unread(), 44);
	EXPECT_TEXT(syslog_read, 30, "<6>[   61.000002] one\n");
	/* One that is longer than the buffer comes in pieces. */
	EXPECT_TEXT(syslog_read, 10, "<6>[   61.");
	assert_int_equal(syslog_unread(), 12);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 4, syslog_read(&io)), -EFAULT);
	assert_int_equal(syslog_unread(), 12);
	EXPECT_TEXT(syslog_read, 100, "000002] two\n");
	assert_int_equal(WITH_USER_IO(io, 0, 100, syslog_read(&io)), -EAGAIN);
}

static void lost_text_is_skipped(void **state)
{
	char expected[64];

	(void)state;
	log_info("lost\n");
	EXPECT_TEXT(syslog_read, 3, "<6>");
	for (int i = 0; i < LOG_LINES; i++)
		log_info("%04d\n", i);
	assert_int_equal(syslog_unread(), LOG_LINES * 23);
	snprintf(expected, sizeof(expected), "<6>[   61.000002] %04d\n", 0);
	EXPECT_TEXT(syslog_read, 23, expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_in_linux_format), TEST(writes_are_records),   TEST(seeking),
		TEST(lost_records_are_told),   TEST(readers_are_woken),    TEST(all_since_the_clearing),
		TEST(what_was_read_is_gone),   TEST(lost_text_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
