/*
 * The rings of a virtio device: what is given and taken back, also after the indexes have wrapped, and devices that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/dev/virtio/virtqueue.h"

#define SIZE 8

static _Alignas(4096) uint8_t bytes[VIRTQUEUE_BYTES];
static struct virtqueue queue;

static void start(void)
{
	memset(bytes, 0, sizeof(bytes));
	virtqueue_init(&queue, bytes, SIZE);
}

static uint16_t *index_of(unsigned ring)
{
	return (uint16_t *)(bytes + ring + 2);
}

/* The device is done with a descriptor. */
static void answer(uint32_t slot, uint32_t length)
{
	uint32_t entry[2] = { slot, length };
	uint16_t *index = index_of(VIRTQUEUE_USED);

	memcpy(bytes + VIRTQUEUE_USED + 4 + *index % SIZE * sizeof(entry), entry, sizeof(entry));
	++*index;
}

static void buffers_go_and_come(void **state)
{
	unsigned slot;
	uint32_t length;

	(void)state;
	start();
	for (unsigned i = 0; i < 70000; i++) {
		const unsigned at = i % 3;

		if (i & 1)
			virtqueue_lend(&queue, at, 0x123456789a, 64);
		else
			virtqueue_send(&queue, at, 0x123456789a, 64);
		assert_int_equal(*index_of(VIRTQUEUE_AVAILABLE), (uint16_t)(i + 1));
		assert_int_equal(((uint16_t *)(bytes + VIRTQUEUE_AVAILABLE + 4))[i % SIZE], at);
		assert_int_equal(*(uint64_t *)(bytes + at * 16), 0x123456789a);
		assert_int_equal(*(uint32_t *)(bytes + at * 16 + 8), 64);
		assert_int_equal(*(uint16_t *)(bytes + at * 16 + 12), i & 1 ? 2 : 0);
		assert_false(virtqueue_take(&queue, &slot, &length));
		answer(at, i % 65);
		assert_true(virtqueue_take(&queue, &slot, &length));
		assert_int_equal(slot, at);
		assert_int_equal(length, i & 1 ? i % 65 : 0);
		assert_false(virtqueue_take(&queue, &slot, &length));
	}
}

/* One buffer is lent, at descriptor 1; then the device says that. */
static void expect_broken(uint32_t slot, uint32_t length, uint16_t more)
{
	uint32_t got_length;
	unsigned got;

	start();
	virtqueue_lend(&queue, 1, 0x1000, 64);
	answer(slot, length);
	*index_of(VIRTQUEUE_USED) += more;
	assert_false(virtqueue_take(&queue, &got, &got_length));
	assert_true(queue.broken);
	/* What it says afterwards does not count. */
	start();
	virtqueue_lend(&queue, 1, 0x1000, 64);
	queue.broken = true;
	answer(1, 1);
	assert_false(virtqueue_take(&queue, &got, &got_length));
}

static void lies_break_the_queue(void **state)
{
	(void)state;
	expect_broken(0, 1, 0);    /* a descriptor that it has not got */
	expect_broken(SIZE, 1, 0); /* one that does not exist */
	expect_broken(UINT32_MAX, 1, 0);
	expect_broken(1, 65, 0); /* more than the buffer has */
	expect_broken(1, UINT32_MAX, 0);
	expect_broken(1, 1, 1);              /* more buffers than it has got */
	expect_broken(1, 1, UINT16_MAX - 1); /* an index that goes back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_go_and_come),
		cmocka_unit_test(lies_break_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
