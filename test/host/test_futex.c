/*
 * The queues of futexes with a scheduler that is a script: who sleeps, who is woken, in which order, and what is left.
 * User memory is the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The linker lets futex.c call these instead (Makefile). */
#define user_load_32     __wrap_user_load_32
#define user_store_32    __wrap_user_store_32
#define user_load_64     __wrap_user_load_64
#define user_copy        __wrap_user_copy
#define user_cmpxchg_u32 __wrap_user_cmpxchg_u32
#define user_op_u32      __wrap_user_op_u32

#include "kernel/fs/errno.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/sys/futex.h"
#include "kernel/task/find.h"
#include "kernel/task/give_way.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/process.h"
#include "kernel/task/sched.h"
#include "kernel/task/user_return.h"
#include "kernel/task/wait_until.h"

#define BASE  0x10000ULL
#define WORDS 64

static uint32_t words[WORDS];

static struct user_space space;
static struct process process = { .space = &space };
static struct task tasks[8];

/* What happens while the current task is blocked, once each; then its result. */
static void (*while_blocked)(void);
static int block_result;
static unsigned blocked, woken[8], woken_count;

static void *host(const void *user)
{
	uint64_t at = (uint64_t)user;

	return at >= BASE && at + 4 <= BASE + sizeof(words) ? (uint8_t *)words + (at - BASE) : NULL;
}

int user_load_32(const void *from, uint32_t *ret)
{
	if (!host(from))
		return 1;
	memcpy(ret, host(from), sizeof(*ret));
	return 0;
}

int user_store_32(void *to, uint32_t value)
{
	if (!host(to))
		return 1;
	memcpy(host(to), &value, sizeof(value));
	return 0;
}

int user_load_64(const void *from, uint64_t *ret)
{
	if (!host(from) || !host((const uint8_t *)from + 4))
		return 1;
	memcpy(ret, host(from), sizeof(*ret));
	return 0;
}

size_t user_copy(void *to, const void *from, size_t bytes)
{
	if (!host(from) || !host((const uint8_t *)from + bytes - 4))
		return bytes;
	memcpy(to, host(from), bytes);
	return 0;
}

enum status user_cmpxchg_u32(uint32_t __user *at, uint32_t expected, uint32_t desired, uint32_t *ret_old)
{
	uint32_t *word = host(at);

	if (!word)
		return ERR_FAULT;
	*ret_old = *word;
	if (*word == expected)
		*word = desired;
	return OK;
}

enum status user_op_u32(uint32_t __user *at, enum user_op op, uint32_t operand, uint32_t *ret_old)
{
	uint32_t *word = host(at);

	if (!word)
		return ERR_FAULT;
	*ret_old = *word;
	*word = op == USER_OP_ADD ? *word + operand : op == USER_OP_SET ? operand : *word | operand;
	return OK;
}

/* As the scheduler's: others run, and then it is as they have left it. */
int task_block_by(enum timer_clock clock, uint64_t deadline_ns)
{
	struct task *self = task_current();
	void (*others)(void) = while_blocked;

	(void)clock;
	(void)deadline_ns;
	blocked++;
	while_blocked = NULL;
	if (others)
		others();
	host_percpu.current = self;
	assert_true(others || block_result);
	return block_result;
}

/* There is none to be found. */
bool task_find_memory(void)
{
	return false;
}

/* Nobody else is to run, and no lock with priority inheritance is tried here. */
bool task_give_way_now(void)
{
	return false;
}

void sched_lend(struct task *task, int priority)
{
	(void)task;
	(void)priority;
	fail();
}

struct task *task_peek(int tid)
{
	(void)tid;
	fail();
	return NULL;
}

void task_wake(struct task *task)
{
	task->woken = true;
	woken[woken_count++] = (unsigned)(task - tasks);
}

static uint64_t at(unsigned word)
{
	return BASE + 4 * word;
}

static int setup(void **state)
{
	(void)state;
	memset(words, 0, sizeof(words));
	memset(&space.areas, 0, sizeof(space.areas));
	for (unsigned i = 0; i < 8; i++)
		tasks[i] = (struct task){ .process = &process, .tid = 100 + (int)i };
	host_percpu.current = &tasks[0];
	while_blocked = NULL;
	block_result = 0;
	blocked = woken_count = 0;
	return 0;
}

static void another_value_does_not_wait(void **state)
{
	(void)state;
	words[3] = 7;
	assert_int_equal(futex_wait(at(3), true, 6, FUTEX_ANY, TIMER_MONOTONIC, TASK_NO_DEADLINE), -EAGAIN);
	assert_int_equal(blocked, 0);
	assert_int_equal(futex_wake(at(3), true, 9, FUTEX_ANY), 0);
}

static void bad_arguments_are_refused(void **state)
{
	(void)state;
	assert_int_equal(futex_wait(at(0) + 1, true, 0, FUTEX_ANY, TIMER_MONOTONIC, TASK_NO_DEADLINE), -EINVAL);
	assert_int_equal(futex_wait(at(0), true, 0, 0, TIMER_MONOTONIC, TASK_NO_DEADLINE), -EINVAL);
	assert_int_equal(futex_wait(at(WORDS), true, 0, FUTEX_ANY, TIMER_MONOTONIC, TASK_NO_DEADLINE), -EFAULT);
	assert_int_equal(futex_wait(USER_END, true, 0, FUTEX_ANY, TIMER_MONOTONIC, TASK_NO_DEADLINE), -EFAULT);
	assert_int_equal(futex_wake(~3ULL, true, 1, FUTEX_ANY), -EFAULT);
	assert_int_equal(futex_wake(at(0), true, 1, 0), -EINVAL);
	/* Shared, and no area there. */
	assert_int_equal(futex_wake(at(0), false, 1, FUTEX_ANY), -EFAULT);
	assert_int_equal(blocked, 0);
}

static void wake_one(void)
{
	host_percpu.current = &tasks[1];
	assert_int_equal(futex_wake(at(4), true, 1, FUTEX_ANY), 0);
	assert_int_equal(futex_wake(at(3), true, 1, 2), 0);
	assert_int_equal(futex_wake(at(3), true, 1, 5), 1);
	assert_int_equal(futex_wake(at(3), true, 1, FUTEX_ANY), 0);
}

static void one_is_woken_by_its_word_and_bits(void **state)
{
	(void)state;
	while_blocked = wake_one;
	assert_int_equal(futex_wait(at(3), true, 0, 1, TIMER_MONOTONIC, TASK_NO_DEADLINE), 0);
	assert_int_equal(blocked, 1);
	assert_int_equal(woken_count, 1);
	assert_int_equal(woken[0], 0);
}

/* A wake-up that comes with a signal is not lost to the one and lost to the other. */
static void woken_and_interrupted_is_woken(void **state)
{
	(void)state;
	while_blocked = wake_one;
	block_result = -EINTR;
	assert_int_equal(futex_wait(at(3), true, 0, 1, TIMER_MONOTONIC, TASK_NO_DEADLINE), 0);
}

static void errors_leave_no_one_behind(void **state)
{
	static const int errors[] = { -EINTR, -ETIMEDOUT };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		block_result = errors[i];
		assert_int_equal(futex_wait(at(3), true, 0, FUTEX_ANY, TIMER_MONOTONIC, 1), errors[i]);
		assert_int_equal(futex_wake(at(3), true, 9, FUTEX_ANY), 0);
	}
}

/* ---- several who wait: each starts waiting while the one before is blocked ---- */

static unsigned waiting;
static int results[8];
static void (*at_last)(void);

static void wait_too(void)
{
	unsigned self = ++waiting;

	host_percpu.current = &tasks[self];
	while_blocked = self < 4 ? wait_too : at_last;
	results[self] = futex_wait(at(3), true, 0, FUTEX_ANY, TIMER_MONOTONIC, TASK_NO_DEADLINE);
}

/* Tasks 0 to 4 wait at word 3; then `then` must wake all. */
static void five_wait(void (*then)(void))
{
	memset(results, 0xff, sizeof(results));
	waiting = 0;
	at_last = then;
	while_blocked = wait_too;
	results[0] = futex_wait(at(3), true, 0, FUTEX_ANY, TIMER_MONOTONIC, TASK_NO_DEADLINE);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(results[i], 0);
	assert_int_equal(woken_count, 5);
}

static void expect_woken(unsigned from, unsigned to)
{
	assert_int_equal(woken_count, to);
	for (unsigned i = from; i < to; i++)
		assert_int_equal(woken[i], i);
}

static void wake_in_order(void)
{
	host_percpu.current = &tasks[5];
	assert_int_equal(futex_wake(at(3), true, 2, FUTEX_ANY), 2);
	expect_woken(0, 2);
	assert_int_equal(futex_wake(at(3), true, 9, FUTEX_ANY), 3);
	expect_woken(2, 5);
}

static void first_come_first_woken(void **state)
{
	(void)state;
	five_wait(wake_in_order);
}

static void requeue(void)
{
	const uint32_t wrong = 1, right = 0;

	host_percpu.current = &tasks[5];
	assert_int_equal(futex_requeue(at(3), at(9), true, 1, 2, &wrong), -EAGAIN);
	assert_int_equal(futex_requeue(at(3), at(9), true, 1, 0x80000000, NULL), -EINVAL);
	assert_int_equal(woken_count, 0);
	assert_int_equal(futex_requeue(at(3), at(9), true, 1, 2, &right), 3);
	expect_woken(0, 1);
	/* 1 and 2 have moved. */
	assert_int_equal(futex_wake(at(9), true, 9, FUTEX_ANY), 2);
	expect_woken(1, 3);
	/* To itself: none is lost, none is met twice. */
	assert_int_equal(futex_requeue(at(3), at(3), true, 0, 9, NULL), 2);
	assert_int_equal(futex_wake(at(3), true, 9, FUTEX_ANY), 2);
	expect_woken(3, 5);
}

static void requeue_moves_the_rest(void **state)
{
	(void)state;
	five_wait(requeue);
}

#define OP(op, operand, how, value) ((uint32_t)(op) << 28 | (uint32_t)(how) << 24 | (operand) << 12 | (value))

static void wake_op(void)
{
	host_percpu.current = &tasks[5];
	words[9] = 5;
	/* ADD 1; the others if it was > 5: it was not. */
	assert_int_equal(futex_wake_op(at(3), at(9), true, 1, 9, OP(1, 1, 4, 5)), 1);
	assert_int_equal(words[9], 6);
	/* OR 1 << 4; the others if it was == 6. */
	assert_int_equal(futex_wake_op(at(9), at(3), true, 9, 0, OP(1, 0xfff, 0, 6)), 0);
	assert_int_equal(words[3], 0xffffffff);
	words[3] = 0xffffffff;
	/* It was -1: less than 0, with sign. */
	assert_int_equal(futex_wake_op(at(9), at(3), true, 9, 2, OP(8 | 2, 4, 2, 0)), 2);
	assert_int_equal(futex_wake_op(at(3), at(9), true, 9, 9, OP(5, 0, 0, 0)), -ENOSYS);
	assert_int_equal(futex_wake_op(at(3), at(9), true, 9, 9, OP(0, 0, 6, 0)), -ENOSYS);
	assert_int_equal(futex_wake(at(3), true, 9, FUTEX_ANY), 2);
	expect_woken(0, 5);
}

static void wake_op_looks_at_the_old_word(void **state)
{
	(void)state;
	five_wait(wake_op);
}

/* ---- a task's end ---- */

static void put_u64(unsigned word, uint64_t value)
{
	memcpy(&words[word], &value, sizeof(value));
}

static void robust_mutexes_are_given_up(void **state)
{
	(void)state;
	/* The head at word 0; entries at 8 and 16, their words 2 words on; 16 is another's mutex. */
	put_u64(0, at(8));
	put_u64(2, 8);
	put_u64(4, at(24));
	put_u64(8, at(16));
	words[10] = 0x80000000 | 100;
	put_u64(16, at(0));
	words[18] = 101;
	words[26] = 100;
	words[40] = 100;
	tasks[0].futexes.robust_list = at(0);
	tasks[0].clear_child_tid = at(40);
	futex_task_exit(&tasks[0]);
	assert_int_equal(words[10], 0xc0000000);
	assert_int_equal(words[18], 101);
	assert_int_equal(words[26], 0x40000000);
	assert_int_equal(words[40], 0);
}

static void a_ring_that_misses_its_head_ends(void **state)
{
	(void)state;
	put_u64(0, at(8));
	put_u64(2, 8);
	put_u64(8, at(8));
	words[10] = 100;
	tasks[0].futexes.robust_list = at(0);
	futex_task_exit(&tasks[0]);
	assert_int_equal(words[10], 0x40000000);
	/* And so does one that leads nowhere. */
	put_u64(8, 0x10);
	words[10] = 100;
	futex_task_exit(&tasks[0]);
	assert_int_equal(words[10], 0x40000000);
	tasks[0].futexes.robust_list = at(WORDS);
	futex_task_exit(&tasks[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(another_value_does_not_wait, setup),
		cmocka_unit_test_setup(bad_arguments_are_refused, setup),
		cmocka_unit_test_setup(one_is_woken_by_its_word_and_bits, setup),
		cmocka_unit_test_setup(woken_and_interrupted_is_woken, setup),
		cmocka_unit_test_setup(errors_leave_no_one_behind, setup),
		cmocka_unit_test_setup(first_come_first_woken, setup),
		cmocka_unit_test_setup(requeue_moves_the_rest, setup),
		cmocka_unit_test_setup(wake_op_looks_at_the_old_word, setup),
		cmocka_unit_test_setup(robust_mutexes_are_given_up, setup),
		cmocka_unit_test_setup(a_ring_that_misses_its_head_ends, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
