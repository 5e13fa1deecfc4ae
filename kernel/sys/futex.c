/*
 * The queues of futexes: a hash table of lists, each in the order of arrival.
 *
 * No wake-up is lost between reading the word and entering the queue. A program on another CPU may change the word at
 * any moment, but to wake the waiters it must enter the kernel, where one CPU runs at a time (kernel_lock.h) and is not
 * preempted. No interrupt handler wakes a futex.
 */
#include "kernel/sys/futex.h"

#include "kernel/fs/errno.h"
#include "kernel/sys/futex_internal.h"
#include "kernel/task/wait_until.h"

#define BUCKET_BITS 8

_Static_assert(offsetof(struct futex_waiter, link) == 0, "a link is its waiter");

static struct futex_link buckets[1 << BUCKET_BITS];

static struct futex_link *bucket_of(const struct futex_key *key)
{
	struct futex_link *bucket = &buckets[futex_hash(key, BUCKET_BITS)];

	if (!bucket->next)
		bucket->next = bucket->prev = bucket;
	return bucket;
}

void futex_enqueue(struct futex_waiter *waiter)
{
	struct futex_link *bucket = bucket_of(&waiter->key), *link = &waiter->link;

	link->next = bucket;
	link->prev = bucket->prev;
	bucket->prev->next = link;
	bucket->prev = link;
}

void futex_dequeue(struct futex_waiter *waiter)
{
	waiter->link.prev->next = waiter->link.next;
	waiter->link.next->prev = waiter->link.prev;
	waiter->link.next = NULL;
}

int futex_find_key(uint64_t at, bool private, struct futex_key *ret)
{
	struct user_space *space = process_current()->space;
	const struct area *area;

	if (at & 3)
		return -EINVAL;
	if (at >= USER_END)
		return -EFAULT;
	*ret = (struct futex_key){ space, at };
	if (private)
		return 0;
	area = area_find(&space->areas, at);
	if (!area)
		return -EFAULT;
	if ((area->flags & AREA_SHARED) && area->object)
		*ret = (struct futex_key){ area->object, area->offset * PAGE_SIZE + (at - area->start) };
	return 0;
}

bool futex_is_waited_for(const struct futex_key *key)
{
	struct futex_link *bucket = bucket_of(key);

	for (struct futex_link *link = bucket->next; link != bucket; link = link->next)
		if (futex_is_same(&((struct futex_waiter *)link)->key, key))
			return true;
	return false;
}

static int wake_key(const struct futex_key *key, uint32_t most, uint32_t bits)
{
	struct futex_link *bucket = bucket_of(key), *next;
	int woken = 0;

	for (struct futex_link *link = bucket->next; link != bucket && (uint32_t)woken < most; link = next) {
		struct futex_waiter *waiter = (struct futex_waiter *)link;

		next = link->next;
		if (!futex_is_same(&waiter->key, key) || !(waiter->bits & bits))
			continue;
		futex_dequeue(waiter);
		task_wake(waiter->task);
		woken++;
	}
	return woken;
}

int futex_wait(uint64_t at, bool private, uint32_t value, uint32_t bits, enum timer_clock clock, uint64_t deadline_ns)
{
	struct futex_waiter waiter = { .bits = bits, .task = task_current() };
	uint32_t seen;
	int error;

	error = bits ? futex_find_key(at, private, &waiter.key) : -EINVAL;
	if (error)
		return error;
	error = copy_errno(get_user_u32(user_pointer(at), &seen));
	if (error)
		return error;
	if (seen != value)
		return -EAGAIN;
	futex_enqueue(&waiter);
	/*
	 * A task that was dequeued by futex_wake returns 0 even if a signal or the deadline came as well: the waker has
	 * counted it as woken.
	 */
	error = WAIT_UNTIL_BY(clock, !waiter.link.next, deadline_ns);
	if (error)
		futex_dequeue(&waiter);
	return error;
}

int futex_wake(uint64_t at, bool private, uint32_t most, uint32_t bits)
{
	struct futex_key key;
	int error = bits ? futex_find_key(at, private, &key) : -EINVAL;

	if (!error && futex_is_pi(&key))
		error = -EINVAL;
	return error ? error : wake_key(&key, most, bits);
}

static int move_key(const struct futex_key *from, const struct futex_key *to, uint32_t most)
{
	struct futex_link *bucket = bucket_of(from), *last = bucket->prev, *link = bucket->next, *next;
	uint32_t moved = 0;
	bool end = link == bucket;

	/*
	 * Stop at the link that was the last one before the loop: if both words are in the same bucket, the moved
	 * waiters are added behind it.
	 */
	for (; !end && moved < most; link = next) {
		struct futex_waiter *waiter = (struct futex_waiter *)link;

		next = link->next;
		end = link == last;
		if (!futex_is_same(&waiter->key, from))
			continue;
		futex_dequeue(waiter);
		waiter->key = *to;
		futex_enqueue(waiter);
		moved++;
	}
	return (int)moved;
}

int futex_requeue(uint64_t from, uint64_t to, bool private, uint32_t wake, uint32_t move, const uint32_t *expected)
{
	struct futex_key from_key, to_key;
	uint32_t seen;
	int error, woken;

	/* Linux takes both counts as ints, and refuses negative ones. */
	if ((int32_t)wake < 0 || (int32_t)move < 0)
		return -EINVAL;
	error = futex_find_key(from, private, &from_key);
	if (!error)
		error = futex_find_key(to, private, &to_key);
	if (!error && (futex_is_pi(&from_key) || futex_is_pi(&to_key)))
		error = -EINVAL;
	if (error)
		return error;
	if (expected)
		error = copy_errno(get_user_u32(user_pointer(from), &seen));
	if (error)
		return error;
	if (expected && seen != *expected)
		return -EAGAIN;
	woken = wake_key(&from_key, wake, FUTEX_ANY);
	return woken + move_key(&from_key, &to_key, move);
}

/* The parts of the operand of FUTEX_WAKE_OP (futex(2)). */
#define OP_SHIFTED     8U /* the operand is the number of a bit */
#define OP_OF(op)      ((op) >> 28 & 0xf)
#define OP_COMPARE(op) ((op) >> 24 & 0xf)
#define OP_OPERAND(op) ((int32_t)((op) << 8) >> 20)
#define OP_VALUE(op)   ((int32_t)((op) << 20) >> 20)

/*
 * Compare a word with a value as FUTEX_WAKE_OP's comparison `how` says. Returns 0, 1, or -ENOSYS (no such comparison).
 */
static int compare(uint32_t how, int32_t word, int32_t value)
{
	switch (how) {
	case 0:
		return word == value;
	case 1:
		return word != value;
	case 2:
		return word < value;
	case 3:
		return word <= value;
	case 4:
		return word > value;
	case 5:
		return word >= value;
	}
	return -ENOSYS;
}

int futex_wake_op(uint64_t at, uint64_t other, bool private, uint32_t wake, uint32_t wake_other, uint32_t op)
{
	uint32_t operand = (uint32_t)OP_OPERAND(op), old;
	struct futex_key key, other_key;
	int error, woken;

	if ((OP_OF(op) & ~OP_SHIFTED) > USER_OP_XOR || compare(OP_COMPARE(op), 0, 0) < 0)
		return -ENOSYS;
	error = futex_find_key(at, private, &key);
	if (!error)
		error = futex_find_key(other, private, &other_key);
	if (!error && (futex_is_pi(&key) || futex_is_pi(&other_key)))
		error = -EINVAL;
	if (error)
		return error;
	if (OP_OF(op) & OP_SHIFTED)
		operand = 1U << (operand & 31);
	error = copy_errno(user_op_u32(user_pointer(other), (enum user_op)(OP_OF(op) & ~OP_SHIFTED), operand, &old));
	if (error)
		return error;
	woken = wake_key(&key, wake, FUTEX_ANY);
	if (compare(OP_COMPARE(op), (int32_t)old, OP_VALUE(op)))
		woken += wake_key(&other_key, wake_other, FUTEX_ANY);
	return woken;
}
