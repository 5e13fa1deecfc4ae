/*
 * Wait queues beside a model, which is a list of who waits in the order of coming: whom each wake-up calls, and whom it
 * leaves asleep. SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/sync/wait_queue.h"
#include "test/host/random.h"

#define WAITERS 64
#define ROUNDS  200000

struct test_waiter {
	struct waiter waiter;
	unsigned came;   /* when it was added; 0: it is in no queue */
	unsigned called; /* how often it was called by the last wake-up */
};

static struct test_waiter waiters[WAITERS];
static struct wait_queue queue;
static unsigned now, order;   /* the number of the last event; how many were called so far */
static unsigned last_to_come; /* of those with a use that the wake-up has called: when the last one came */

static void called(struct waiter *waiter)
{
	struct test_waiter *test = (struct test_waiter *)waiter;

	assert_true(test->came);
	test->called++;
	if (waiter->uses) {
		assert_true(test->came > last_to_come);
		last_to_come = test->came;
	}
	order++;
}

static void forget_calls(void)
{
	order = last_to_come = 0;
	for (unsigned i = 0; i < WAITERS; i++)
		waiters[i].called = 0;
}

/* The waiter with this use that came first; NULL: there is none. */
static const struct test_waiter *first_of(enum wait_use use)
{
	const struct test_waiter *first = NULL;

	for (unsigned i = 0; i < WAITERS; i++)
		if (waiters[i].came && waiters[i].waiter.uses == use && (!first || waiters[i].came < first->came))
			first = &waiters[i];
	return first;
}

static void wake_all(void)
{
	forget_calls();
	wait_queue_wake(&queue);
	for (unsigned i = 0; i < WAITERS; i++)
		assert_int_equal(waiters[i].called, waiters[i].came != 0);
}

static void wake_one(enum wait_use use)
{
	const struct test_waiter *first = first_of(use);

	assert_int_equal(wait_queue_is_wanted(&queue, use), first != NULL);
	forget_calls();
	wait_queue_wake_one(&queue, use);
	for (unsigned i = 0; i < WAITERS; i++) {
		const struct test_waiter *waiter = &waiters[i];

		assert_int_equal(waiter->called, waiter->came && (!waiter->waiter.uses || waiter == first));
	}
}

static void start_waiters(void)
{
	wait_queue_init(&queue);
	for (unsigned i = 0; i < WAITERS; i++)
		waiters[i] = (struct test_waiter){ .waiter = { .wake = called } };
}

static void add(struct test_waiter *waiter, enum wait_use use)
{
	waiter->waiter.uses = (uint8_t)use;
	wait_queue_add(&queue, &waiter->waiter);
	waiter->came = ++now;
	assert_ptr_equal(waiter->waiter.queue, &queue);
}

static void remove_one(struct test_waiter *waiter)
{
	wait_queue_remove(&waiter->waiter);
	waiter->came = 0;
	assert_null(waiter->waiter.queue);
}

/* Of a kind all, of the other one, at any time; who has left is never called. */
static void each_wakes_whom_it_should(void **state)
{
	struct random random = random_start("test_wait_queue");

	(void)state;
	start_waiters();
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct test_waiter *waiter = &waiters[random_below(&random, WAITERS)];
		/* Now the queue is full nearly, now it is empty nearly. */
		const bool fills = round / 500 % 2;

		if (!waiter->came && random_below(&random, fills ? 1 : 3) == 0)
			add(waiter, (enum wait_use)random_below(&random, 3));
		else if (waiter->came && random_below(&random, fills ? 3 : 1) == 0)
			remove_one(waiter);
		if (random_below(&random, 4) == 0)
			wake_all();
		wake_one(random_below(&random, 2) ? WAIT_BYTES : WAIT_ROOM);
	}
	for (unsigned i = 0; i < WAITERS; i++)
		if (waiters[i].came)
			remove_one(&waiters[i]);
	assert_null(queue.first);
	assert_null(queue.last);
	wake_all();
}

/* Each that is woken uses the event up and leaves: all come to their turn, in the order of coming. */
static void each_comes_to_its_turn(void **state)
{
	(void)state;
	start_waiters();
	for (unsigned i = 0; i < WAITERS; i++)
		add(&waiters[i], WAIT_BYTES);
	for (unsigned i = 0; i < WAITERS; i++) {
		wake_one(WAIT_BYTES);
		assert_int_equal(order, 1);
		assert_int_equal(waiters[i].called, 1);
		remove_one(&waiters[i]);
	}
	wake_one(WAIT_BYTES);
	assert_int_equal(order, 0);
	/* Who was not in a queue may leave it as well. */
	wait_queue_remove(&waiters[0].waiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wakes_whom_it_should),
		cmocka_unit_test(each_comes_to_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
