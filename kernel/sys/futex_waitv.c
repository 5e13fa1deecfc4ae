/*
 * futex_waitv(2): waits for any of several futexes.
 */
#include "kernel/fs/errno.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/clock_id.h"
#include "kernel/sys/futex_internal.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/wait_until.h"

#define WORDS_MOST    128 /* FUTEX_WAITV_MAX */
#define FUTEX_32      2U  /* the word has 32 bits: the only size that there is */
#define FUTEX_PRIVATE 128U

/* Linux's struct futex_waitv. */
struct linux_futex_waitv {
	uint64_t value, at;
	uint32_t flags, reserved;
};

/* A wait for several words. Guard: only the calling task uses it, but for the waiters, as struct futex_waiter says. */
struct many {
	unsigned count;
	struct futex_waiter waiters[];
};

/* Return the index of the last waiter that has been woken; -1: none has. */
static int woken(const struct many *many)
{
	int last = -1;

	for (unsigned i = 0; i < many->count; i++)
		if (!many->waiters[i].waits)
			last = (int)i;
	return last;
}

/*
 * Fill in a waiter by the struct futex_waitv at user address `from`, and compare the word with the value in there.
 * Returns 0, -EAGAIN (the word has another value), -EINVAL, -EFAULT.
 */
static int prepare(uint64_t from, struct futex_waiter *waiter)
{
	struct linux_futex_waitv wish;
	uint32_t seen;
	int error = args_get(&wish, from, sizeof(wish));

	if (error)
		return error;
	if (wish.flags & ~(FUTEX_32 | FUTEX_PRIVATE) || wish.reserved || !(wish.flags & FUTEX_32))
		return -EINVAL;
	*waiter = (struct futex_waiter){ .bits = FUTEX_ANY, .task = task_current() };
	error = futex_find_key(wish.at, wish.flags & FUTEX_PRIVATE, &waiter->key);
	if (!error)
		error = copy_errno(get_user_u32(user_pointer(wish.at), &seen));
	if (!error && seen != (uint32_t)wish.value)
		error = -EAGAIN;
	return error;
}

static int wait(struct many *many, enum timer_clock clock, uint64_t deadline)
{
	int error, last;

	for (unsigned i = 0; i < many->count; i++)
		futex_enqueue(&many->waiters[i]);
	error = WAIT_UNTIL_BY(clock, woken(many) >= 0, deadline);
	last = woken(many);
	for (unsigned i = 0; i < many->count; i++)
		if (many->waiters[i].waits)
			futex_dequeue(&many->waiters[i]);
	return last >= 0 ? last : error;
}

SYSCALL_5(futex_waitv, words, count, flags, deadline_at, clock)
{
	uint64_t deadline = TASK_NO_DEADLINE;
	struct many *many;
	int error = 0;

	if (flags || !(uint32_t)count || (uint32_t)count > WORDS_MOST || !words)
		return -EINVAL;
	if (deadline_at) {
		if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
			return -EINVAL;
		error = args_time(deadline_at, &deadline);
	}
	if (error)
		return error;
	many = kmalloc(sizeof(*many) + (uint32_t)count * sizeof(many->waiters[0]));
	if (!many)
		return -ENOMEM;
	many->count = (uint32_t)count;
	for (unsigned i = 0; i < many->count && !error; i++)
		error = prepare(words + i * sizeof(struct linux_futex_waitv), &many->waiters[i]);
	if (!error)
		error = wait(many, clock == CLOCK_REALTIME ? TIMER_WALL : TIMER_MONOTONIC, deadline);
	kfree(many);
	return error == -EINTR ? -ERESTARTSYS : error;
}
