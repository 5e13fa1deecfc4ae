/*
 * The queues of futexes: a hash table of lists, each in the order of arrival.
 *
 * No wake-up is lost between reading the word and entering the queue. A program on another CPU may change the word at
 * any moment, but to wake the waiters it must enter the kernel, where one CPU runs at a time (kernel_lock.h) and is not
 * preempted. No interrupt handler wakes a futex.
 */
#include "kernel/sys/futex.h"

#include "kernel/fs/errno.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/process.h"
#include "kernel/task/wait_until.h"

#define BUCKET_BITS 8

/* What identifies a futex word. */
struct futex_key {
	const void *owner; /* the user space, or the memory object (a file, shared memory), that has the word */
	uint64_t place;    /* the address in the space, or the offset in the object */
};

/* A link of a bucket's list, which is circular. Guard: tasks only, which the kernel does not preempt. */
struct futex_link {
	struct futex_link *next, *prev;
};

/* A waiting task; lies on that task's kernel stack. Guard: tasks only, which the kernel does not preempt. */
struct futex_waiter {
	struct futex_link link; /* `next` NULL: the task has been woken */
	struct futex_key key;
	uint32_t bits; /* only a wake with one of these bits ends the wait (FUTEX_WAIT_BITSET) */
	struct task *task;
};

_Static_assert(offsetof(struct futex_waiter, link) == 0, "a link is its waiter");

static struct futex_link buckets[1 << BUCKET_BITS];

static struct futex_link *bucket_of(const struct futex_key *key)
{
	uint64_t mixed = ((uintptr_t)key->owner >> 4 ^ key->place >> 2) * 0x9e3779b97f4a7c15;
	struct futex_link *bucket = &buckets[mixed >> (64 - BUCKET_BITS)];

	if (!bucket->next)
		bucket->next = bucket->prev = bucket;
	return bucket;
}

static void enqueue(struct futex_waiter *waiter)
{
	struct futex_link *bucket = bucket_of(&waiter->key), *link = &waiter->link;

	link->next = bucket;
	link->prev = bucket->prev;
	bucket->prev->next = link;
	bucket->prev = link;
}

static void dequeue(struct futex_waiter *waiter)
{
	waiter->link.prev->next = waiter->link.next;
	waiter->link.next->prev = waiter->link.prev;
	waiter->link.next = NULL;
}

static bool waits_for(const struct futex_waiter *waiter, const struct futex_key *key)
{
	return waiter->key.place == key->place && waiter->key.owner == key->owner;
}

/*
 * Find the key of the word at `at`. Returns 0, -EINVAL (not aligned), or -EFAULT (no user address; or not private, and
 * not mapped).
 */
static int find_key(uint64_t at, bool private, struct futex_key *ret)
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

static int wake_key(const struct futex_key *key, uint32_t most, uint32_t bits)
{
	struct futex_link *bucket = bucket_of(key), *next;
	int woken = 0;

	for (struct futex_link *link = bucket->next; link != bucket && (uint32_t)woken < most; link = next) {
		struct futex_waiter *waiter = (struct futex_waiter *)link;

		next = link->next;
		if (!waits_for(waiter, key) || !(waiter->bits & bits))
			continue;
		dequeue(waiter);
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

	error = bits ? find_key(at, private, &waiter.key) : -EINVAL;
	if (error)
		return error;
	error = copy_errno(get_user_u32(user_pointer(at), &seen));
	if (error)
		return error;
	if (seen != value)
		return -EAGAIN;
	enqueue(&waiter);
	/*
	 * A task that was dequeued by futex_wake returns 0 even if a signal or the deadline came as well: the waker has
	 * counted it as woken.
	 */
	error = WAIT_UNTIL_BY(clock, !waiter.link.next, deadline_ns);
	if (error)
		dequeue(&waiter);
	return error;
}

int futex_wake(uint64_t at, bool private, uint32_t most, uint32_t bits)
{
	struct futex_key key;
	int error = bits ? find_key(at, private, &key) : -EINVAL;

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
		if (!waits_for(waiter, from))
			continue;
		dequeue(waiter);
		waiter->key = *to;
		enqueue(waiter);
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
	error = find_key(from, private, &from_key);
	if (!error)
		error = find_key(to, private, &to_key);
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
	error = find_key(at, private, &key);
	if (!error)
		error = find_key(other, private, &other_key);
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

/* ---- at the end of a task ---- */

/* Bits of a robust mutex's word (get_robust_list(2)). */
#define OWNER      0x3fffffffU
#define OWNER_DIED 0x40000000U
#define WAITERS    0x80000000U

#define ROBUST_MOST 2048 /* most entries of a list that are followed, as it may be a ring: Linux's ROBUST_LIST_LIMIT */
#define ROBUST_PI   1ULL /* bit in an entry's address: a mutex with priority inheritance, which is not implemented */

/* Linux's struct robust_list_head. `first` and `pending` are user addresses of entries. */
struct robust_head {
	uint64_t first;
	int64_t offset; /* bytes from an entry to its mutex's word */
	uint64_t pending;
};

/*
 * If a user copy has failed for lack of memory, find memory for it, if need be by killing a process, and return whether
 * to repeat the copy. When a copy fails so in a system call, the whole call is made again; at the end of a task there
 * is no call to make again, so the copy itself is repeated.
 */
static bool again(enum status status)
{
	return status == ERR_NO_MEMORY && task_find_memory();
}

static enum status read_word(uint64_t at, uint32_t *ret)
{
	enum status status;

	do
		status = get_user_u32(user_pointer(at), ret);
	while (again(status));
	return status;
}

/*
 * Release the robust mutex with the word at `at` if `task` owns it: set OWNER_DIED and wake a waiter. `pending`: the
 * task was in the middle of locking or unlocking it; if it is unlocked then, a waiter is woken.
 */
static void give_up(const struct task *task, uint64_t at, bool pending)
{
	enum status status;
	uint32_t word, seen;

	if ((at & 3) || read_word(at, &word) != OK)
		return;
	if (pending && !(word & OWNER)) {
		(void)futex_wake(at, false, 1, FUTEX_ANY);
		return;
	}
	while ((word & OWNER) == (uint32_t)task->tid) {
		do
			status = user_cmpxchg_u32(user_pointer(at), word, (word & WAITERS) | OWNER_DIED, &seen);
		while (again(status));
		if (status != OK)
			return;
		if (seen == word) {
			if (word & WAITERS)
				(void)futex_wake(at, false, 1, FUTEX_ANY);
			return;
		}
		word = seen;
	}
}

static void give_up_robust(const struct task *task)
{
	uint64_t entry, next, pending;
	struct robust_head head;
	enum status status;

	do
		status = copy_from_user(&head, user_pointer(task->robust_list), sizeof(head));
	while (again(status));
	if (status != OK)
		return;
	pending = head.pending & ~ROBUST_PI;
	entry = head.first & ~ROBUST_PI;
	for (int i = 0; i < ROBUST_MOST && entry != task->robust_list; i++) {
		/* Read the next entry before the mutex is released: its new owner may free or change this entry. */
		do
			status = get_user_u64(user_pointer(entry), &next);
		while (again(status));
		if (entry != pending)
			give_up(task, entry + (uint64_t)head.offset, false);
		if (status != OK)
			return;
		entry = next & ~ROBUST_PI;
	}
	if (pending)
		give_up(task, pending + (uint64_t)head.offset, true);
}

void futex_task_exit(struct task *task)
{
	enum status status;

	if (task->robust_list)
		give_up_robust(task);
	if (!task->clear_child_tid)
		return;
	do
		status = put_user_u32(user_pointer(task->clear_child_tid), 0);
	while (again(status));
	if (status == OK)
		(void)futex_wake(task->clear_child_tid, false, 1, FUTEX_ANY);
}
