/*
 * epoll's lists: what is given once, what again, and items that go while their events are given.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/eventfd.h"
#include "kernel/sys/epoll.h"

#define FILES 3

static struct file *epoll, *files[FILES];

static int start(void **state)
{
	(void)state;
	fs_start();
	assert_int_equal(epoll_create_file(&epoll), 0);
	for (int i = 0; i < FILES; i++)
		assert_int_equal(eventfd_create(1, 0, &files[i]), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++)
		if (files[i])
			file_put(files[i]);
	file_put(epoll);
	fs_end();
	return 0;
}

static void add(int i, uint32_t events)
{
	struct epoll_event event = { .events = events, .data = { (uint32_t)i, 0 } };

	assert_int_equal(epoll_add(epoll, files[i], i, &event), 0);
}

/* What `put` has been given, as digits; and what it does when it gets the event of file `at`. */
struct given {
	char digits[8];
	size_t count;
	int at;
	int error;
	void (*act)(void);
};

static int put_one(struct given *given, const struct epoll_event *event)
{
	if (given->act && (int)event->data[0] == given->at) {
		given->act();
		given->act = NULL;
	}
	if (given->error && (int)event->data[0] == given->at)
		return given->error;
	given->digits[given->count++] = (char)('0' + event->data[0]);
	return 0;
}

/* As a copy to a user does: all or nothing. */
static int put(void *ctx, const struct epoll_event *events, int count)
{
	struct given *given = ctx;
	const size_t before = given->count;
	int error = 0;

	for (int i = 0; i < count && !error; i++)
		error = put_one(given, &events[i]);
	if (error) {
		memset(given->digits + before, 0, given->count - before);
		given->count = before;
	}
	return error;
}

static void expect(int most, struct given given, int result, const char *digits)
{
	assert_int_equal(epoll_collect(epoll, &(uint64_t){ 0 }, most, put, &given), result);
	assert_string_equal(given.digits, digits);
}

static void each_is_given_once_a_call(void **state)
{
	(void)state;
	add(0, POLLIN);
	add(1, POLLIN | EPOLLET);
	add(2, POLLIN | EPOLLONESHOT);
	expect(8, (struct given){ 0 }, 3, "012");
	/* Its edge has been told, and the one shot has been fired. */
	expect(8, (struct given){ 0 }, 1, "0");
	expect(8, (struct given){ 0 }, 1, "0");
}

static void they_take_turns(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++)
		add(i, POLLIN);
	expect(2, (struct given){ 0 }, 2, "01");
	expect(2, (struct given){ 0 }, 2, "20");
	expect(8, (struct given){ 0 }, 3, "120");
}

static void what_cannot_be_given_stays(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++)
		add(i, POLLIN | EPOLLET);
	expect(8, (struct given){ .at = 1, .error = -EFAULT }, 1, "0");
	expect(8, (struct given){ .at = 1, .error = -EFAULT }, -EFAULT, "");
	expect(8, (struct given){ 0 }, 2, "12");
}

static void remove_all(void)
{
	for (int i = 0; i < FILES; i++)
		assert_int_equal(epoll_remove(epoll, files[i], i), 0);
}

static void close_all(void)
{
	for (int i = 0; i < FILES; i++) {
		file_put(files[i]);
		files[i] = NULL;
	}
}

/* Another thread may do that while the event is copied to the user. */
static void items_may_go_meanwhile(void **state)
{
	void (*const acts[])(void) = { remove_all, close_all };

	(void)state;
	for (int which = 0; which < 2; which++) {
		for (int i = 0; i < FILES; i++)
			add(i, POLLIN);
		expect(8, (struct given){ .at = 1, .act = acts[which] }, 3, "012");
		expect(8, (struct given){ 0 }, 0, "");
		assert_int_equal(file_poll(epoll), 0);
	}
}

static void gone_and_not_given(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++)
		add(i, POLLIN);
	expect(8, (struct given){ .at = 0, .act = remove_all, .error = -EFAULT }, -EFAULT, "");
	assert_int_equal(file_poll(epoll), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_is_given_once_a_call), TEST(they_take_turns),    TEST(what_cannot_be_given_stays),
		TEST(items_may_go_meanwhile),    TEST(gone_and_not_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
