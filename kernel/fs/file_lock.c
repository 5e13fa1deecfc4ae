/*
 * Advisory locks; see file_lock.h. Each node has an unsorted list of its locks: files have few.
 */
#include "kernel/fs/file_lock.h"

#include "kernel/mm/heap/heap.h"

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

#define CHAIN_MAX 10 /* most owners of locks that are followed in the search for a deadlock */

#define WAIT_LISTS_BITS 8

/* All waits, by the node and by the owner of the wanted lock. Guard: the kernel, one CPU, not preempted. */
static struct link waits_by_node[1 << WAIT_LISTS_BITS], waits_by_owner[1 << WAIT_LISTS_BITS];

/* Return the hash list for `pointer`: all waits with this pointer are in it, and perhaps waits with others. */
static struct link *list_of(struct link *table, const void *pointer)
{
	struct link *list = &table[(uintptr_t)pointer * 0x9e3779b97f4a7c15 >> (64 - WAIT_LISTS_BITS)];

	if (!list->next)
		list_init(list);
	return list;
}

void file_lock_wait_start(struct file_lock_wait *wait, const struct node *node, const struct file_lock *wanted)
{
	wait->node = node;
	wait->wanted = wanted;
	list_add_last(list_of(waits_by_node, node), &wait->by_node);
	list_add_last(list_of(waits_by_owner, wanted->owner), &wait->by_owner);
}

void file_lock_wait_end(struct file_lock_wait *wait)
{
	list_remove(&wait->by_node);
	list_remove(&wait->by_owner);
}

static const struct file_lock_wait *wait_of(const void *owner)
{
	LIST_EACH(list_of(waits_by_owner, owner), struct file_lock_wait, by_owner, wait)
		if (wait->wanted->kind == LOCK_RECORD && wait->wanted->owner == owner)
			return wait;
	return NULL;
}

/* Wake the tasks that wait for a lock of the node that overlaps `changed` and is of its kind. */
static void wake_waits(const struct node *node, const struct file_lock *changed)
{
	LIST_EACH(list_of(waits_by_node, node), struct file_lock_wait, by_node, wait)
		if (wait->node == node && wait->wanted->kind == changed->kind && overlap(wait->wanted, changed))
			wait->wake(wait);
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
 * Cut wanted's range out of the lock *link of the same owner. When a piece is left on both sides, the second piece is
 * stored in **spare, and *spare becomes NULL; when none is left the lock is freed.
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
 * Extend wanted's range over the owner's locks of the same type that overlap or touch it. set() then removes those
 * locks when it cuts the range out.
 */
static void widen(const struct node *node, struct file_lock *wanted)
{
	for (const struct file_lock *lock = node->locks; lock; lock = lock->next) {
		/* If `last` is UINT64_MAX, last + 1 is 0: a lock that starts at 0 then overlaps anyway. */
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

/* Replace all locks of the owner in wanted's range by `wanted`. Returns 0, or -ENOMEM with the locks as before. */
static int set(struct node *node, const struct file_lock *wanted)
{
	/* Allocate all memory before anything changes, so that nothing has to be undone. */
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
	/* Wake the waiters even if a lock was added: it may have replaced a stronger one that they waited for. */
	if (!error)
		wake_waits(node, wanted);
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
	struct file_lock **link = &node->locks, *lock, gone = { .kind = kind, .first = UINT64_MAX };

	while ((lock = *link)) {
		if (lock->kind != kind || lock->owner != owner) {
			link = &lock->next;
			continue;
		}
		*link = lock->next;
		gone.first = lock->first < gone.first ? lock->first : gone.first;
		gone.last = lock->last > gone.last ? lock->last : gone.last;
		kfree(lock);
	}
	if (gone.first <= gone.last)
		wake_waits(node, &gone);
}
