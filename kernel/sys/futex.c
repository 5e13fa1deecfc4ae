/*
 * The queues of futexes: a hash table of trees, in each of which the waiters for one word stand beside each other, in
 * the order in which they are woken. So how long it takes to find them hardly depends on how many wait for other words.
 *
 * No wake-up is lost between reading the word and entering the queue. A program on another CPU may change the word at
 * any moment, but to wake the waiters it must enter the kernel, where one CPU runs at a time (kernel_lock.h) and is not
 * preempted. No interrupt handler wakes a futex.
 */
#include "kernel/sys/futex.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/tree_change.h"
#include "kernel/sys/futex_internal.h"
#include "kernel/task/give_way.h"
#include "kernel/task/wait_until.h"

#define BUCKET_BITS 8

/* How many waiters a walk looks at before it lets other tasks run: some hundred thousand instructions. */
#define STEPS 256

/*
 * Waiters are woken by real-time priority, the highest first, as on Linux, and those of the same priority by arrival. A
 * waiter's `order` has its rank in the upper bits, 0 for the highest priority, and the number of its arrival below.
 */
#define RANK_SHIFT 56
#define RANK_LAST  99

/* Guard: tasks only, which the kernel does not preempt. */
static struct tree_node *buckets[1 << BUCKET_BITS];
/* number of the waiter that was put into a queue last; never so large that it reaches the bits of the rank */
static uint64_t arrivals;

static struct tree_node **bucket_of(const struct futex_key *key)
{
	return &buckets[futex_hash(key, BUCKET_BITS)];
}

static struct futex_waiter *waiter_in(struct tree_node *node)
{
	return tree_item(node, struct futex_waiter, in_bucket);
}

/* Return whether `waiter` stands in its bucket before a waiter for the word `key` that has the order `order`. */
static bool is_before(const struct futex_waiter *waiter, const struct futex_key *key, uint64_t order)
{
	if (waiter->key.place != key->place)
		return waiter->key.place < key->place;
	if (waiter->key.owner != key->owner)
		return (uintptr_t)waiter->key.owner < (uintptr_t)key->owner;
	return waiter->order < order;
}

void futex_enqueue(struct futex_waiter *waiter)
{
	struct tree_node **bucket = bucket_of(&waiter->key), *parent = NULL;
	enum tree_side side = TREE_LOW;

	waiter->order = (uint64_t)(RANK_LAST - waiter->task->sched.rt_priority) << RANK_SHIFT | ++arrivals;
	waiter->waits = true;
	for (struct tree_node *node = *bucket; node; node = node->child[side]) {
		parent = node;
		side = is_before(waiter_in(node), &waiter->key, waiter->order) ? TREE_HIGH : TREE_LOW;
	}
	tree_add(bucket, parent, side, &waiter->in_bucket, NULL);
}

void futex_dequeue(struct futex_waiter *waiter)
{
	tree_remove(bucket_of(&waiter->key), &waiter->in_bucket, NULL);
	waiter->waits = false;
}

/* Return the first waiter for a word whose order is `order` or later; NULL: there is none. */
static struct futex_waiter *first_from(const struct futex_key *key, uint64_t order)
{
	struct futex_waiter *first = NULL;
	bool before;

	for (struct tree_node *node = *bucket_of(key); node; node = node->child[before ? TREE_HIGH : TREE_LOW]) {
		before = is_before(waiter_in(node), key, order);
		if (!before)
			first = waiter_in(node);
	}
	return first && futex_is_same(&first->key, key) ? first : NULL;
}

bool futex_is_waited_for(const struct futex_key *key)
{
	return first_from(key, 0);
}

/* A walk along the waiters for a word that have come before the walk. Guard: the caller, on whose stack it is. */
struct walk {
	const struct futex_key *key;
	uint64_t next; /* the `order` from which on waiters are still to be looked at */
	uint64_t end;  /* the walk skips waiters whose arrival is later than this one */
	unsigned steps;
};

static struct walk walk_begin(const struct futex_key *key)
{
	return (struct walk){ .key = key, .end = arrivals };
}

/*
 * Return the walk's next waiter, good until the next call; NULL: there is none, or the current task must end. Programs
 * decide how many tasks wait, so other tasks run now and then, and may change the queue meanwhile.
 */
static struct futex_waiter *walk_on(struct walk *walk)
{
	struct futex_waiter *waiter;

	if (++walk->steps % STEPS == 0 && task_give_way())
		return NULL;
	waiter = first_from(walk->key, walk->next);
	/*
	 * This waiter has come since the walk began, and those of its rank behind it even later: go on with the next
	 * rank.
	 */
	while (waiter && (waiter->order & ((1ULL << RANK_SHIFT) - 1)) > walk->end)
		waiter = first_from(walk->key, ((waiter->order >> RANK_SHIFT) + 1) << RANK_SHIFT);
	if (waiter)
		walk->next = waiter->order + 1;
	return waiter;
}

int futex_find_key(uint64_t at, bool private, struct futex_key *ret)
{
	struct user_space *space = process_current()->space;
	const struct area *area;
	uint32_t word;
	int error;

	if (at & 3)
		return -EINVAL;
	if (at >= USER_END)
		return -EFAULT;
	*ret = (struct futex_key){ space, at };
	if (private)
		return 0;
	/* As on Linux a word that others may share must be there, with rights, and before the end of its file. */
	error = copy_errno(get_user_u32(user_pointer(at), &word));
	if (error)
		return error;
	area = area_find(&space->areas, at);
	if (!area)
		return -EFAULT;
	if ((area->flags & AREA_SHARED) && area->object)
		*ret = (struct futex_key){ area->object, area->offset * PAGE_SIZE + (at - area->start) };
	return 0;
}

/* Do wake_key() in a bucket with several waiters. */
static __attribute__((noinline)) int wake_among(const struct futex_key *key, uint32_t most, uint32_t bits)
{
	struct walk walk = walk_begin(key);
	struct futex_waiter *waiter;
	int woken = 0;

	while ((uint32_t)woken < most && (waiter = walk_on(&walk)) != NULL) {
		if (!(waiter->bits & bits))
			continue;
		futex_dequeue(waiter);
		task_wake(waiter->task);
		woken++;
	}
	return woken;
}

/* Wake up to `most` waiters for a word, each of which has one of `bits`. Returns how many were woken. */
static int wake_key(const struct futex_key *key, uint32_t most, uint32_t bits)
{
	struct tree_node **bucket = bucket_of(key), *node = *bucket;
	struct futex_waiter *waiter;

	if (!node || !most)
		return 0;
	if (node->height > 1)
		return wake_among(key, most, bits);
	/* The most common case is made as cheap as possible: the bucket has one waiter, and becomes empty. */
	waiter = waiter_in(node);
	if (!futex_is_same(&waiter->key, key) || !(waiter->bits & bits))
		return 0;
	*bucket = NULL;
	waiter->waits = false;
	task_wake(waiter->task);
	return 1;
}

int futex_wait(uint64_t at, bool private, uint32_t value, uint32_t bits, enum timer_clock clock, uint64_t deadline_ns)
{
	struct futex_waiter waiter; /* the fields that are not set here are set by the functions that it is passed to */
	uint32_t seen;
	int error;

	waiter.bits = bits;
	waiter.task = task_current();
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
	error = WAIT_UNTIL_BY(clock, !waiter.waits, deadline_ns);
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

/*
 * Let up to `most` tasks that wait for the word `from` wait for `to` instead. Returns how many. If both are the same
 * word, the walk ends all the same: a waiter that is moved arrives anew, and the walk skips later arrivals.
 */
static int move_key(const struct futex_key *from, const struct futex_key *to, uint32_t most)
{
	struct walk walk = walk_begin(from);
	struct futex_waiter *waiter;
	uint32_t moved = 0;

	while (moved < most && (waiter = walk_on(&walk)) != NULL) {
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
#define OP_SHIFTED     8U /* the operand is the number of the bit to use */
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
