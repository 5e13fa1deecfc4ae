/*
 * Advisory locks; see file_lock.h. The locks of one owner never overlap, so a tree that is sorted by owner and range
 * finds them. Trees of intervals find the locks of all owners that overlap a range.
 */
#include "kernel/fs/file_lock_internal.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/tree_insert.h"
#include "kernel/mm/heap/heap.h"

/* Return the first lock in the tree `locks` that overlaps `wanted` and has another owner; or NULL. */
static const struct file_lock *first_in_way(struct tree_node *locks, const struct file_lock *wanted)
{
	const struct interval *found =
		interval_first_other(locks, wanted->range.first, wanted->range.last, wanted->owner);

	return found ? tree_item(found, struct file_lock, range) : NULL;
}

const struct file_lock *file_lock_conflict(const struct node *node, const struct file_lock *wanted)
{
	const struct locks_of_kind *locks;
	const struct file_lock *exclusive, *shared;

	if (!node->locks)
		return NULL;
	locks = &node->locks->of[wanted->kind];
	exclusive = first_in_way(locks->by_range[LOCK_EXCLUSIVE], wanted);
	if (wanted->type != LOCK_EXCLUSIVE)
		return exclusive;
	shared = first_in_way(locks->by_range[LOCK_SHARED], wanted);
	return !exclusive || (shared && shared->range.first < exclusive->range.first) ? shared : exclusive;
}

/* ---- who waits ---- */

#define CHAIN_MAX 10 /* most owners of locks that are followed in the search for a deadlock */

/*
 * All waits for record locks, by the owner of the wanted lock. Guard: tasks only, which the kernel does not preempt.
 */
static struct tree_node *record_waits;

static struct file_lock_wait *wait_of_node(const struct tree_node *node)
{
	return tree_item(node, struct file_lock_wait, by_owner);
}

static bool is_behind(const struct tree_node *node, const struct tree_node *other)
{
	return wait_of_node(node)->wanted->owner > wait_of_node(other)->wanted->owner;
}

void file_lock_wait_start(struct file_lock_wait *wait, struct node *node, const struct file_lock *wanted)
{
	ASSERT(node->locks);
	wait->node = node;
	wait->wanted = wanted;
	wait->range = wanted->range;
	wait->range.tag = wanted->owner;
	interval_add(&node->locks->of[wanted->kind].waits, &wait->range);
	if (wanted->kind == LOCK_RECORD)
		tree_insert(&record_waits, &wait->by_owner, is_behind, NULL);
}

void file_lock_wait_end(struct file_lock_wait *wait)
{
	interval_remove(&wait->node->locks->of[wait->wanted->kind].waits, &wait->range);
	if (wait->wanted->kind == LOCK_RECORD)
		tree_remove(&record_waits, &wait->by_owner, NULL);
}

/* Return the owner's wait for a record lock, or NULL. If several threads of a process wait, one of their waits. */
static const struct file_lock_wait *wait_of(const void *owner)
{
	const struct tree_node *at = record_waits;

	while (at && wait_of_node(at)->wanted->owner != owner)
		at = at->child[owner > wait_of_node(at)->wanted->owner];
	return at ? wait_of_node(at) : NULL;
}

/* Wake the tasks that wait for a lock that overlaps the range. */
void file_lock_wake(const struct locks_of_kind *locks, uint64_t first, uint64_t last)
{
	struct interval *at = interval_first(locks->waits, first, last);

	for (; at; at = interval_next(at, first, last)) {
		struct file_lock_wait *wait = tree_item(at, struct file_lock_wait, range);

		wait->wake(wait);
	}
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

void file_locks_free(struct file_locks *locks)
{
	for (int kind = 0; locks && kind < KINDS; kind++)
		ASSERT(!locks->of[kind].by_owner && !locks->of[kind].waits);
	kfree(locks);
}
