/*
 * The timer queue: random operations against a model that is a plain list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/irq/timer_queue.h"
#include "test/host/random.h"

#define MOST       300
#define OPERATIONS 60000

static struct timer_queue queue;
static struct timer timers[MOST];

/* Parents before children, links in pairs, no node further down than a complete tree has it. Returns the nodes. */
static uint64_t check(const struct timer *t, const struct timer *parent, uint64_t place)
{
	if (!t)
		return 0;
	assert_ptr_equal(t->parent, parent);
	assert_true(t->queued);
	assert_true(place <= queue.count);
	if (parent)
		assert_true(parent->deadline_ns < t->deadline_ns ||
			    (parent->deadline_ns == t->deadline_ns && parent->order < t->order));
	return 1 + check(t->left, t, 2 * place) + check(t->right, t, 2 * place + 1);
}

/* By looking at all of them. */
static struct timer *model_first(void)
{
	struct timer *first = NULL;

	for (size_t i = 0; i < MOST; i++) {
		struct timer *t = &timers[i];

		if (t->queued && (!first || t->deadline_ns < first->deadline_ns ||
				  (t->deadline_ns == first->deadline_ns && t->order < first->order)))
			first = t;
	}
	return first;
}

static void random_operations(void **state)
{
	struct random r = random_start("test_timer_queue");
	uint64_t queued = 0, most = 0;

	(void)state;
	for (int n = 0; n < OPERATIONS; n++) {
		struct timer *t = &timers[random_below(&r, MOST)];

		/* The queue fills and empties in turn. */
		if (t->queued && random_below(&r, 100) < (n / 3000 % 2 ? 90 : 20)) {
			timer_queue_remove(&queue, t);
			assert_false(t->queued);
			queued--;
		} else if (t->queued) {
			timer_queue_move(&queue, t, random_below(&r, 50));
		} else {
			timer_queue_add(&queue, t, random_below(&r, 50));
			queued++;
		}
		most = queued > most ? queued : most;
		assert_int_equal(queue.count, queued);
		assert_ptr_equal(timer_queue_first(&queue), model_first());
		if (n % 50 == 0)
			assert_int_equal(check(queue.root, NULL, 1), queued);
	}
	assert_true(most > MOST / 2);
	while (queued--) {
		struct timer *first = timer_queue_first(&queue);

		assert_ptr_equal(first, model_first());
		timer_queue_remove(&queue, first);
	}
	assert_null(timer_queue_first(&queue));
}

static void equal_deadlines_keep_their_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < MOST; i++)
		timer_queue_add(&queue, &timers[i], 1000);
	for (size_t i = 0; i < MOST; i++) {
		assert_ptr_equal(timer_queue_first(&queue), &timers[i]);
		timer_queue_remove(&queue, &timers[i]);
	}
	assert_int_equal(queue.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_deadlines_keep_their_order),
		cmocka_unit_test(random_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
