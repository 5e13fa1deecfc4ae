/*
 * Keeps the table of the numbers by which tasks, processes, process groups and sessions are known: allocates numbers,
 * finds them, and frees those that nothing uses any more. Lists no process itself: process.c does.
 */
#include "kernel/task/number.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/radix.h"
#include "kernel/mm/heap/heap.h"

#define FIRST 2 /* where number_new() starts again after the highest number: 0 is the kernel's, 1 the first process's */

/*
 * The table: finds a struct number by its value. Guard of this and the variables below: tasks only, which the kernel
 * does not preempt.
 */
static struct radix numbers = { .alloc = kzalloc, .free = kfree };
static struct cache number_cache;
static int last, end = NUMBERS_DEFAULT; /* last: the number allocated last; end: one more than the highest allowed */

void number_init(void)
{
	if (cache_init(&number_cache, "number", sizeof(struct number), 8) != OK)
		panic("no memory for numbers");
}

struct number *number_peek(int value)
{
	return value >= 0 ? radix_find(&numbers, (uint32_t)value) : NULL;
}

struct number *number_next(int value)
{
	uint32_t number = (uint32_t)value;

	return radix_next(&numbers, &number);
}

static int make(int value, struct number **ret)
{
	struct number *number = cache_alloc(&number_cache);

	if (!number)
		return -ENOMEM;
	*number = (struct number){ .value = value };
	list_init(&number->group);
	list_init(&number->session);
	if (radix_insert(&numbers, (uint32_t)value, number) != OK) {
		cache_free(&number_cache, number);
		return -ENOMEM;
	}
	*ret = number;
	return 0;
}

struct number *number_zero(void)
{
	struct number *number;

	if (make(0, &number) != 0)
		panic("no memory for the first number");
	return number;
}

int number_new(struct number **ret)
{
	int value = (int)radix_next_free(&numbers, (uint32_t)last + 1), error;

	if (value >= end)
		value = (int)radix_next_free(&numbers, FIRST);
	if (value >= end)
		return -EAGAIN;
	error = make(value, ret);
	if (!error)
		last = value;
	return error;
}

void number_settle(struct number *number)
{
	if (number->task || number->process || !list_is_empty(&number->group) || !list_is_empty(&number->session))
		return;
	(void)radix_remove(&numbers, (uint32_t)number->value);
	cache_free(&number_cache, number);
}

int number_end(void)
{
	return end;
}

int number_set_end(int wanted)
{
	if (wanted < NUMBERS_LEAST || wanted > NUMBERS_MOST)
		return -EINVAL;
	end = wanted;
	return 0;
}

int number_last(void)
{
	return last;
}
