/*
 * Pipes and FIFOs: bytes come out as they went in, whatever their sizes; no write of PIPE_BUF is torn; frames and
 * blocks come back; out of memory changes nothing.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/credentials.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/pipe_ring.h"
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

static uint8_t byte_at_position(uint64_t position)
{
	return (uint8_t)(position * 31 + position / 251);
}

static unsigned woken;

static void count_wake(struct waiter *waiter)
{
	(void)waiter;
	woken++;
}

/* Give the pipe another size at random, and check the answer. */
static void resize(struct random *r, struct file *file, uint64_t fill, uint64_t *capacity)
{
	const uint64_t size = PAGE_SIZE << random_below(r, 7);
	const int64_t done =
		pipe_resize(file->node->pipe, &credentials_first, (uint32_t)(size - random_below(r, PAGE_SIZE / 2)));

	if (fill > size) {
		assert_int_equal(done, -EBUSY);
		return;
	}
	assert_int_equal(done, size);
	*capacity = size;
}

/* Let a reader be blocked, or not any more: with one, small writes go another way (pipe_hand.h). */
static void block_reader(struct random *r, struct file *reader, struct waiter *waiter)
{
	if (!random_below(r, 4))
		return;
	if (waiter->queue)
		wait_queue_remove(waiter);
	else
		wait_queue_add(file_queue(reader), waiter);
}

/* Random sizes against two counters: what is in the pipe is known from them alone. */
static void bytes_come_out_as_they_went_in(void **state)
{
	static uint8_t buffer[100000];
	struct random r = random_start("pipe");
	struct file *reader, *writer;
	uint64_t written = 0, read = 0, capacity = PIPE_SIZE;
	struct waiter blocked = { .wake = count_wake, .uses = WAIT_BYTES };

	(void)state;
	assert_int_equal(pipe_create(&credentials_first, 0, &reader, &writer), 0);
	for (int i = 0; i < 6000; i++) {
		size_t size = 1 + random_below(&r, random_below(&r, 2) ? 300 : sizeof(buffer));
		uint64_t fill = written - read;
		int64_t done;

		block_reader(&r, reader, &blocked);
		if (i > 3000 && !random_below(&r, 8))
			resize(&r, reader, fill, &capacity);
		if (random_below(&r, 2)) {
			uint64_t room = capacity - fill;

			for (size_t j = 0; j < size; j++)
				buffer[j] = byte_at_position(written + j);
			done = do_write(writer, buffer, size);
			if (!room || (size <= PIPE_BUF && size > room))
				assert_int_equal(done, -EAGAIN);
			else
				assert_int_equal(done, size < room ? size : room);
			written += done > 0 ? (uint64_t)done : 0;
		} else {
			done = do_read(reader, buffer, size);
			assert_int_equal(done, !fill ? -EAGAIN : size < fill ? (int64_t)size : (int64_t)fill);
			for (int64_t j = 0; j < done; j++)
				assert_int_equal(buffer[j], byte_at_position(read + (uint64_t)j));
			read += done > 0 ? (uint64_t)done : 0;
		}
		fill = written - read;
		assert_int_equal(!!(file_poll(reader) & POLLIN), fill != 0);
		assert_int_equal(!!(file_poll(writer) & POLLOUT), capacity - fill >= PIPE_BUF);
		/* One frame for each page that holds a byte, and one that may be kept. */
		assert_in_range(fs_frames_at_start - frame_free_count(&machine_frames), fill / PAGE_SIZE,
				fill / PAGE_SIZE + 2);
	}
	wait_queue_remove(&blocked);
	file_put(reader);
	file_put(writer);
}

/* A packet is read whole, or cut off; each takes one of 16 slots, also when the ring gets another size. */
static void packets_stay_apart(void **state)
{
	struct file *reader, *writer;
	uint8_t buffer[16] = { 0 };

	(void)state;
	assert_int_equal(pipe_create(&credentials_first, O_DIRECT, &reader, &writer), 0);
	for (size_t i = 1; i <= PIPE_FRAMES; i++)
		assert_int_equal(do_write(writer, buffer, i), i);
	assert_int_equal(do_write(writer, buffer, 1), -EAGAIN);
	assert_int_equal(file_poll(writer) & POLLOUT, 0);
	assert_int_equal(pipe_resize(reader->node->pipe, &credentials_first, PIPE_SIZE / 2), -EBUSY);
	assert_int_equal(do_read(reader, buffer, 16), 1);
	assert_int_equal(pipe_resize(reader->node->pipe, &credentials_first, PIPE_SIZE * 2), PIPE_SIZE * 2);
	for (size_t i = 2; i <= PIPE_FRAMES; i++)
		assert_int_equal(do_read(reader, buffer, 8), i < 8 ? i : 8);
	assert_int_equal(do_read(reader, buffer, 8), -EAGAIN);
	file_put(reader);
	file_put(writer);
}

static void ends_that_close_are_seen(void **state)
{
	struct file *reader, *writer;
	char byte = 'x';

	(void)state;
	assert_int_equal(pipe_create(&credentials_first, 0, &reader, &writer), 0);
	assert_int_equal(do_read(reader, &byte, 1), -EAGAIN);
	assert_int_equal(do_write(reader, &byte, 1), -EBADF);
	assert_int_equal(do_read(writer, &byte, 1), -EBADF);
	assert_int_equal(do_write(writer, &byte, 1), 1);
	file_put(writer);
	assert_int_equal(file_poll(reader) & (POLLIN | POLLHUP), POLLIN | POLLHUP);
	assert_int_equal(do_read(reader, &byte, 1), 1);
	assert_int_equal(do_read(reader, &byte, 1), 0);
	file_put(reader);

	assert_int_equal(pipe_create(&credentials_first, 0, &reader, &writer), 0);
	file_put(reader);
	assert_int_equal(do_write(writer, &byte, 1), -EPIPE);
	assert_int_equal(file_poll(writer) & POLLERR, POLLERR);
	file_put(writer);
}

static void wrong_pointers_move_nothing(void **state)
{
	struct file *reader, *writer;
	char text[400] = { 0 };

	(void)state;
	assert_int_equal(pipe_create(&credentials_first, 0, &reader, &writer), 0);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 1, file_write(writer, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 5000, file_write(writer, &io)), -EFAULT);
	assert_int_equal(file_poll(reader) & POLLIN, 0);
	/* Small pieces are moved whole or not at all, of others what lies before the end of the user's memory. */
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 10, 20, file_write(writer, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 3000, 4096, file_write(writer, &io)), -EFAULT);
	assert_int_equal(file_poll(reader) & POLLIN, 0);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 3000, 5000, file_write(writer, &io)), 3000);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 10, file_read(reader, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 1000, file_read(reader, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 4, 10, file_read(reader, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 400, 1000, file_read(reader, &io)), 400);
	assert_int_equal(do_read(reader, text, 400), 400);
	file_put(reader);
	file_put(writer);
}

/* How often each of some waiters was woken, which stand in the queue in this order. */
struct counted {
	struct waiter waiter;
	unsigned times;
};

static void count_own(struct waiter *waiter)
{
	((struct counted *)waiter)->times++;
}

/* Of those that use an event up the first is woken alone; who uses nothing up always is; and an end is for all. */
static void one_reader_is_woken(void **state)
{
	static const uint8_t uses[] = { WAIT_BYTES, WAIT_ROOM, 0, WAIT_BYTES, 0, WAIT_ROOM };
	static const unsigned written[] = { 1, 0, 1, 0, 1, 0 }, read[] = { 1, 1, 2, 0, 2, 0 },
			      ended[] = { 2, 2, 3, 1, 3, 1 };
	struct counted all[6] = { 0 };
	struct file *reader, *writer;
	char bytes[2] = "";

	(void)state;
	assert_int_equal(pipe_create(&credentials_first, 0, &reader, &writer), 0);
	for (size_t i = 0; i < 6; i++) {
		all[i].waiter = (struct waiter){ .wake = count_own, .uses = uses[i] };
		wait_queue_add(file_queue(reader), &all[i].waiter);
	}
	assert_int_equal(do_write(writer, bytes, 2), 2);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(all[i].times, written[i]);
	assert_int_equal(do_read(reader, bytes, 2), 2);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(all[i].times, read[i]);
	file_put(writer);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(all[i].times, ended[i]);
	for (size_t i = 0; i < 6; i++)
		wait_queue_remove(&all[i].waiter);
	file_put(reader);
}

static void waiters_are_woken(void **state)
{
	struct waiter waiter = { .wake = count_wake };
	struct file *reader, *writer;
	char byte = 1;

	(void)state;
	assert_int_equal(pipe_create(&credentials_first, 0, &reader, &writer), 0);
	wait_queue_add(file_queue(reader), &waiter);
	woken = 0;
	assert_int_equal(do_write(writer, &byte, 1), 1);
	assert_int_equal(woken, 1);
	assert_int_equal(do_read(reader, &byte, 1), 1);
	assert_int_equal(woken, 2);
	assert_int_equal(do_read(reader, &byte, 1), -EAGAIN);
	assert_int_equal(woken, 2);
	file_put(writer);
	assert_int_equal(woken, 3);
	wait_queue_remove(&waiter);
	file_put(reader);
}

/* The target: two reads and two writes go to the kernel context four times, and back. */
static void a_byte_costs_two_switches(void **state)
{
	struct file *reader, *writer;
	char byte = 1;
	unsigned before;

	(void)state;
	assert_int_equal(pipe_create(&credentials_first, 0, &reader, &writer), 0);
	assert_int_equal(do_write(writer, &byte, 1), 1);
	assert_int_equal(do_read(reader, &byte, 1), 1);
	user_set(0, &byte, 1);
	before = host_cr3_writes;
	/* Two of them are the test's own way into the user's context. */
	assert_int_equal(WITH_USER_IO(io, 0, 1, file_write(writer, &io)), 1);
	assert_int_equal(host_cr3_writes - before, 4);
	before = host_cr3_writes;
	assert_int_equal(WITH_USER_IO(io, 0, 1, file_read(reader, &io)), 1);
	assert_int_equal(host_cr3_writes - before, 4);
	file_put(reader);
	file_put(writer);
}

/* Bytes that a blocked reader gets at once need no frame, and neither side goes to the kernel context. */
static void a_blocked_reader_costs_none(void **state)
{
	struct waiter blocked = { .wake = count_wake, .uses = WAIT_BYTES };
	struct file *reader, *writer;
	char bytes[] = "handed";
	unsigned before;

	(void)state;
	assert_int_equal(pipe_create(&credentials_first, 0, &reader, &writer), 0);
	wait_queue_add(file_queue(reader), &blocked);
	user_set(0, bytes, sizeof(bytes));
	before = host_cr3_writes;
	/* Two are the test's own way into the user's context, each time. */
	assert_int_equal(WITH_USER_IO(io, 0, sizeof(bytes), file_write(writer, &io)), sizeof(bytes));
	assert_int_equal(WITH_USER_IO(io, 0, sizeof(bytes) - 1, file_read(reader, &io)), sizeof(bytes) - 1);
	assert_int_equal(host_cr3_writes - before, 4);
	assert_int_equal(pipe_bytes(reader->node->pipe), 0);
	wait_queue_remove(&blocked);
	/* What nobody takes is freed with the pipe. */
	assert_true(file_poll(reader) & POLLIN);
	file_put(reader);
	file_put(writer);
}

static void fifos_open_when_both_sides_came(void **state)
{
	struct file *reader, *writer, *again;
	char byte = 'f';

	(void)state;
	assert_int_equal(path_create(&fs_base, "fifo", S_IFIFO | 0644, 0), 0);
	assert_int_equal(path_open(&fs_base, "fifo", O_WRONLY | O_NONBLOCK, 0, &writer), -ENXIO);
	assert_int_equal(path_open(&fs_base, "fifo", O_RDONLY, 0, &reader), 0);
	assert_false(pipe_open_ready(reader));
	assert_int_equal(file_poll(reader) & POLLHUP, 0);
	assert_int_equal(path_open(&fs_base, "fifo", O_WRONLY, 0, &writer), 0);
	assert_true(pipe_open_ready(reader));
	assert_true(pipe_open_ready(writer));
	assert_int_equal(do_write(writer, &byte, 1), 1);
	file_put(writer);
	/* Whoever came and went has been there. */
	assert_true(pipe_open_ready(reader));
	assert_int_equal(path_open(&fs_base, "fifo", O_RDONLY | O_NONBLOCK, 0, &again), 0);
	assert_int_equal(do_read(again, &byte, 1), 1);
	file_put(again);
	file_put(reader);
	assert_int_equal(path_unlink(&fs_base, "fifo"), 0);
}

static void out_of_memory_changes_nothing(void **state)
{
	static char text[PIPE_BUF];
	struct file *reader = NULL, *writer = NULL;

	(void)state;
	for (uint64_t n = 1;; n++) {
		uint64_t blocks = fs_heap_blocks;
		int error;

		fs_heap_fail_in = n;
		error = pipe_create(&credentials_first, 0, &reader, &writer);
		fs_heap_fail_in = 0;
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(fs_heap_blocks, blocks);
	}
	assert_int_equal(do_write(writer, text, 100), 100);
	for (uint64_t n = 1; n <= 2; n++) {
		uint64_t frames = frame_free_count(&machine_frames);
		int64_t done;

		frame_fail_nth(&machine_frame_cache, n);
		done = do_write(writer, text, PIPE_BUF);
		frame_fail_nth(&machine_frame_cache, 0);
		if (done > 0)
			break;
		assert_int_equal(done, -ENOMEM);
		assert_int_equal(frame_free_count(&machine_frames), frames);
	}
	file_put(reader);
	file_put(writer);
}

#define UNTOUCHED (USER_BYTES + 64 * KIB) /* offset of user memory that has no frames, but a table */

/* The user's page gets no frame: nothing is taken from the pipe, nothing put into it, and the call can be begun again. */
static void calls_without_memory_begin_again(void **state)
{
	static const size_t sizes[] = { 100, 3000 }; /* by way of the stack, and from frame to frame */
	static char text[3000], back[3000];
	struct file *reader, *writer;
	vaddr_t va;

	(void)state;
	assert_int_equal(pipe_create(&credentials_first, O_NONBLOCK, &reader, &writer), 0);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i % 251);
	for (size_t i = 0; i < 2; i++) {
		uint64_t size = sizes[i], at = UNTOUCHED + i * 16 * PAGE_SIZE;
		int64_t done;

		assert_int_equal(user_map(fs_user, USER_VA + at, 2 * PAGE_SIZE, USER_READ | USER_WRITE, USER_MAP_FIXED,
					  NULL, 0, &va),
				 OK);
		assert_int_equal(do_write(writer, text, size), size);
		frame_fail_nth(&machine_frame_cache, 1);
		assert_int_equal(WITH_USER_IO(io, at, size, file_read(reader, &io)), -ERESTART_MEMORY);
		assert_int_equal(WITH_USER_IO(io, at, size, file_read(reader, &io)), size);
		user_get(at, back, size);
		assert_memory_equal(back, text, size);

		/* The write needs a frame of its own, too, at one of both times. */
		for (uint64_t n = 1; n <= 2; n++) {
			frame_fail_nth(&machine_frame_cache, n);
			done = WITH_USER_IO(io, at + PAGE_SIZE, size, file_write(writer, &io));
			frame_fail_nth(&machine_frame_cache, 0);
			assert_true(done == -ERESTART_MEMORY || done == -ENOMEM || done == (int64_t)size);
			if (done < 0)
				assert_int_equal(file_poll(reader) & POLLIN, 0);
			else
				assert_int_equal(do_read(reader, back, size), size);
		}
		assert_int_equal(user_unmap(fs_user, USER_VA + at, 2 * PAGE_SIZE), OK);
	}
	file_put(reader);
	file_put(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_come_out_as_they_went_in, start, end),
		cmocka_unit_test_setup_teardown(packets_stay_apart, start, end),
		cmocka_unit_test_setup_teardown(ends_that_close_are_seen, start, end),
		cmocka_unit_test_setup_teardown(wrong_pointers_move_nothing, start, end),
		cmocka_unit_test_setup_teardown(waiters_are_woken, start, end),
		cmocka_unit_test_setup_teardown(one_reader_is_woken, start, end),
		cmocka_unit_test_setup_teardown(a_byte_costs_two_switches, start, end),
		cmocka_unit_test_setup_teardown(a_blocked_reader_costs_none, start, end),
		cmocka_unit_test_setup_teardown(fifos_open_when_both_sides_came, start, end),
		cmocka_unit_test_setup_teardown(out_of_memory_changes_nothing, start, end),
		cmocka_unit_test_setup_teardown(calls_without_memory_begin_again, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
