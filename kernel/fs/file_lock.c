/*
 * The locks of file_lock.h: a list for each node, in no order, since programs hold few.
 */
#include "kernel/fs/file_lock.h"

#include "kernel/mm/heap/heap.h"
#include "kernel/sync/wait_queue.h"

static struct wait_queue queue = WAIT_QUEUE_INITIAL; /* whoever waits for any lock */

struct wait_queue *file_lock_queue(void)
{
	return &queue;
}

static bool is_mine(const struct file_lock *lock, const struct file_lock *wanted)
{
	return lock->kind == wanted->kind && lock->owner == wanted->owner;
}

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return a->first <= b->last && b->first <= a->last;
}

const struct file_lock *file_lock_conflict(const struct node *node, const struct file_lock *wanted)
{
	const struct file_lock *first = NULL;

	for (const struct file_lock *lock = node->locks; lock; lock = lock->next)
		if (lock->kind == wanted->kind && lock->owner != wanted->owner && overlap(lock, wanted) &&
		    (lock->type == LOCK_EXCLUSIVE || wanted->type == LOCK_EXCLUSIVE) &&
		    (!first || lock->first < first->first))
			first = lock;
	return first;
}

/* ---- who waits ---- */

#define CHAIN_MAX 10 /* most owners of locks that are looked at for a circle of waiting */

/* Guard: the kernel, one CPU, not preempted. */
static struct file_lock_wait *waits;

void file_lock_wait_start(struct file_lock_wait *wait, const struct node *node, const struct file_lock *wanted)
{
	*wait = (struct file_lock_wait){ node, wanted, waits };
	waits = wait;
}

void file_lock_wait_end(struct file_lock_wait *wait)
{
	struct file_lock_wait **link = &waits;

	while (*link != wait)
		link = &(*link)->next;
	*link = wait->next;
}

static const struct file_lock_wait *wait_of(const void *owner)
{
	const struct file_lock_wait *wait = waits;

	while (wait && (wait->wanted->kind != LOCK_RECORD || wait->wanted->owner != owner))
		wait = wait->next;
	return wait;
}

bool file_lock_is_deadly(const struct node *node, const struct file_lock *wanted)
{
	const struct file_lock *in_way = file_lock_conflict(node, wanted);

	for (int i = 0; i < CHAIN_MAX && in_way; i++) {
		const struct file_lock_wait *wait = wait_of(in_way->owner);

		if (!wait)
			return false;
		in_way = file_lock_conflict(wait->node, wait->wanted);
		if (in_way && in_way->owner == wanted->owner)
			return true;
	}
	return false;
}

/* ---- change ---- */

/*
 * Cut `wanted`'s range out of one lock of the same owner. *spare is used, and NULL then, when two pieces of the lock
 * are left.
 */
static void cut(struct file_lock **link, const struct file_lock *wanted, struct file_lock **spare)
{
	struct file_lock *lock = *link;
	bool before = lock->first<wanted->first, after = lock->last> wanted->last;

	if (before && after) {
		**spare = *lock;
		lock->next = *spare;
		(*spare)->first = wanted->last + 1;
		lock->last = wanted->first - 1;
		*spare = NULL;
	} else if (before) {
		lock->last = wanted->first - 1;
	} else if (after) {
		lock->first = wanted->last + 1;
	} else {
		*link = lock->next;
		kfree(lock);
	}
}

/*
 * Take the owner's locks of the same type that overlap or touch `wanted` into its range; they are removed when that
 * range is cut out.
 */
static void widen(const struct node *node, struct file_lock *wanted)
{
	for (const struct file_lock *lock = node->locks; lock; lock = lock->next) {
		/* When there is no byte behind `last` this is 0, where no lock starts that does not overlap. */
		bool touches =
			overlap(lock, wanted) || lock->last + 1 == wanted->first || wanted->last + 1 == lock->first;

		if (!is_mine(lock, wanted) || lock->type != wanted->type || !touches)
			continue;
		if (lock->first < wanted->first)
			wanted->first = lock->first;
		if (lock->last > wanted->last)
			wanted->last = lock->last;
	}
}

/* Return whether `wanted` will leave two pieces of one of its owner's locks. */
static bool splits(const struct node *node, const struct file_lock *wanted)
{
	for (const struct file_lock *lock = node->locks; lock; lock = lock->next)
		if (is_mine(lock, wanted) && lock->first < wanted->first && lock->last > wanted->last)
			return true;
	return false;
}

/* Set a lock as file_lock_set() does, with a range that is as wide as the merged lock will be. */
static int set(struct node *node, const struct file_lock *wanted)
{
	/* All memory is taken before anything changes, so that nothing has to be undone. */
	bool wants_spare = splits(node, wanted), wants_made = wanted->type != LOCK_NONE;
	struct file_lock *spare = wants_spare ? kmalloc(sizeof(*spare)) : NULL;
	struct file_lock *made = wants_made ? kmalloc(sizeof(*made)) : NULL;
	struct file_lock **link = &node->locks, *lock;
	int error = 0;

	if ((wants_spare && !spare) || (wants_made && !made))
		error = -ENOMEM;
	while (!error && (lock = *link)) {
		if (is_mine(lock, wanted) && overlap(lock, wanted))
			cut(link, wanted, &spare);
		/* Go on, unless cut() has freed this lock: then *link is the next one already. */
		if (*link == lock)
			link = &lock->next;
	}
	if (!error && wanted->type != LOCK_NONE) {
		*made = *wanted;
		made->next = node->locks;
		node->locks = made;
		made = NULL;
	}
	kfree(spare);
	kfree(made);
	/* Somebody may have waited for this range: a lock may also have been replaced by a weaker one. */
	if (!error)
		wait_queue_wake(&queue);
	return error;
}

int file_lock_set(struct node *node, const struct file_lock *wanted)
{
	struct file_lock whole = *wanted;

	if (wanted->type == LOCK_NONE)
		return set(node, wanted);
	if (file_lock_conflict(node, wanted))
		return -EAGAIN;
	widen(node, &whole);
	return set(node, &whole);
}

void file_lock_drop(struct node *node, enum file_lock_kind kind, const void *owner)
{
	struct file_lock **link = &node->locks, *lock;
	bool gone = false;

	while ((lock = *link)) {
		if (lock->kind != kind || lock->owner != owner) {
			link = &lock->next;
			continue;
		}
		*link = lock->next;
		kfree(lock);
		gone = true;
	}
	if (gone)
		wait_queue_wake(&queue);
}
