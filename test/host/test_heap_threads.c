/*
 * The heap on more than one CPU: threads that hand blocks over to each other and check what they get. Each block carries
 * its size and who made it, so that a block given to two, or damaged, is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "kernel/mm/heap/heap_internal.h"
#include "test/host/heap_host.h"
#include "test/host/random.h"

#define THREADS   3
#define SLOTS     512
#define ROUNDS    400000
#define HEAD_SIZE sizeof(struct head)

/* At the start of each block. */
struct head {
	uint64_t size;
	uint64_t stamp;
};

static struct heap_host host;

/* Where blocks change hands: a thread swaps its block for what lies there. */
static void *exchange[SLOTS];

static void write_block(uint8_t *block, size_t size, uint64_t stamp)
{
	*(struct head *)block = (struct head){ size, stamp };
	memset(block + HEAD_SIZE, (int)stamp, size - HEAD_SIZE);
}

static void check_block(const uint8_t *block)
{
	const struct head *head = (const struct head *)block;

	for (size_t i = HEAD_SIZE; i < head->size; i++)
		ASSERT(block[i] == (uint8_t)head->stamp);
}

static size_t random_size(struct random *r)
{
	uint64_t dice = random_below(r, 1000);

	return HEAD_SIZE + random_below(r, dice < 950 ? 500 : dice < 998 ? 5000 : 100000);
}

static void *run(void *arg)
{
	struct random r = { (uintptr_t)arg * 0x9e3779b97f4a7c15 };

	for (size_t i = 0; i < ROUNDS; i++) {
		size_t size = random_size(&r);
		uint8_t *mine = kmalloc(size);

		ASSERT(mine);
		write_block(mine, size, random_next(&r));

		uint8_t *other = __atomic_exchange_n(&exchange[random_below(&r, SLOTS)], mine, __ATOMIC_ACQ_REL);

		if (other) {
			check_block(other);
			kfree(other);
		}
		if (i % 20000 == 0)
			heap_trim();
	}
	heap_cpu_drain();
	return NULL;
}

static void blocks_change_hands(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	heap_host_init(&host, 64 << 10);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, (void *)(i + 1)), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < SLOTS; i++) {
		if (exchange[i])
			check_block(exchange[i]);
		kfree(exchange[i]);
	}
	heap_trim();
	assert_int_equal(heap_get_stats().mapped, heap.link_pages * PAGE_SIZE);
	heap_host_destroy(&host);
}

/* ---- one allocates, one frees ---- */

#define HANDED 2000000

static void *ring[1024];

static void *take_all(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < HANDED; i++) {
		void *block;

		while (!(block = __atomic_exchange_n(&ring[i % 1024], NULL, __ATOMIC_ACQ_REL)))
			sched_yield();
		check_block(block);
		kfree(block);
	}
	heap_cpu_drain();
	return NULL;
}

/* All blocks are freed by a CPU that allocates none: they must come back through the depots, not pile up. */
static void hand_over_needs_no_more_memory(void **state)
{
	struct random r = random_start("hand-over");
	pthread_t thread;

	(void)state;
	heap_host_init(&host, 64 << 10);
	assert_int_equal(pthread_create(&thread, NULL, take_all, NULL), 0);
	for (size_t i = 0; i < HANDED; i++) {
		size_t size = HEAD_SIZE + random_below(&r, 200);
		uint8_t *block = kmalloc(size);

		assert_non_null(block);
		write_block(block, size, i);
		while (__atomic_load_n(&ring[i % 1024], __ATOMIC_ACQUIRE))
			sched_yield();
		__atomic_store_n(&ring[i % 1024], block, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
#if !DEBUG
	assert_true(host.most <= 4 << 20);
#endif
	heap_trim();
	assert_int_equal(heap_get_stats().mapped, heap.link_pages * PAGE_SIZE);
	heap_host_destroy(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_change_hands),
		cmocka_unit_test(hand_over_needs_no_more_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
