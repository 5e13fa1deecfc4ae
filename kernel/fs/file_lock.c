/*
 * Advisory locks; see file_lock.h. The locks of one owner never overlap, so a tree that is sorted by owner and range
 * finds them. Trees of intervals find the locks of all owners that overlap a range.
 */
#include "kernel/fs/file_lock.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/tree_change.h"
#include "kernel/mm/heap/heap.h"

#define KINDS (LOCK_WHOLE + 1)
#define TYPES (LOCK_EXCLUSIVE + 1)

/* A file's locks of one kind, and who waits for one. Guard: tasks only, which the kernel does not preempt. */
struct locks_of_kind {
	struct tree_node *by_range[TYPES]; /* intervals: the ranges of locks, by their type */
	struct tree_node *by_owner;        /* all locks, by owner and then by range */
	struct tree_node *waits;           /* intervals: the ranges of wanted locks */
};

/*
 * All locks of a file. Made for its first lock, and freed with the node. Guard: tasks only, which the kernel does not
 * preempt.
 */
struct file_locks {
	struct locks_of_kind of[KINDS];
};

static struct file_lock *lock_of_range(struct interval *range)
{
	return tree_item(range, struct file_lock, range);
}

/* Return the lock that has `node` as its place in the tree by_owner; NULL when `node` is NULL. */
static struct file_lock *lock_by_owner(struct tree_node *node)
{
	return node ? tree_item(node, struct file_lock, by_owner) : NULL;
}

/* Of the locks of a type, return the first one of another owner that overlaps `wanted`; or NULL. */
static const struct file_lock *first_in_way(struct tree_node *locks, const struct file_lock *wanted)
{
	const uint64_t first = wanted->range.first, last = wanted->range.last;

	for (struct interval *at = interval_first(locks, first, last); at; at = interval_next(at, first, last))
		if (lock_of_range(at)->owner != wanted->owner)
			return lock_of_range(at);
	return NULL;
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

/* Return the owner's first lock that ends at byte `from` or behind it; or NULL. */
static struct file_lock *first_own(const struct locks_of_kind *locks, const void *owner, uint64_t from)
{
	struct file_lock *lock = lock_by_owner(locks->by_owner), *found = NULL;

	while (lock) {
		bool before = lock->owner == owner ? lock->range.last < from : lock->owner < owner;

		if (!before && lock->owner == owner)
			found = lock;
		lock = lock_by_owner(lock->by_owner.child[before ? TREE_HIGH : TREE_LOW]);
	}
	return found;
}

/* Return the next lock of the same owner; or NULL. */
static struct file_lock *next_own(const struct file_lock *lock)
{
	struct file_lock *next = lock_by_owner(tree_beside(&lock->by_owner, TREE_HIGH));

	return next && next->owner == lock->owner ? next : NULL;
}

/* ---- who waits ---- */

#define CHAIN_MAX 10 /* most owners of locks that are followed in the search for a deadlock */

/* All waits for record locks, by the owner of the wanted lock. Guard: tasks only, which the kernel does not preempt. */
static struct tree_node *record_waits;

static struct file_lock_wait *wait_of_node(const struct tree_node *node)
{
	return tree_item(node, struct file_lock_wait, by_owner);
}

static void add_record_wait(struct file_lock_wait *wait)
{
	struct tree_node *parent = NULL;
	enum tree_side side = TREE_LOW;

	for (struct tree_node *at = record_waits; at; at = at->child[side]) {
		parent = at;
		side = wait->wanted->owner > wait_of_node(at)->wanted->owner;
	}
	tree_add(&record_waits, parent, side, &wait->by_owner, NULL);
}

void file_lock_wait_start(struct file_lock_wait *wait, struct node *node, const struct file_lock *wanted)
{
	ASSERT(node->locks);
	wait->node = node;
	wait->wanted = wanted;
	wait->range = wanted->range;
	interval_add(&node->locks->of[wanted->kind].waits, &wait->range);
	if (wanted->kind == LOCK_RECORD)
		add_record_wait(wait);
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
static void wake_waits(const struct locks_of_kind *locks, uint64_t first, uint64_t last)
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

/* ---- change ---- */

#define PIECE_LOCKS 512 /* most locks that one piece of an unlocked range holds: a quarter of a million instructions */

static void add(struct locks_of_kind *locks, struct file_lock *lock)
{
	struct tree_node *parent = NULL;
	enum tree_side side = TREE_LOW;

	interval_add(&locks->by_range[lock->type], &lock->range);
	for (struct tree_node *at = locks->by_owner; at; at = at->child[side]) {
		const struct file_lock *other = lock_by_owner(at);

		parent = at;
		side = lock->owner == other->owner ? lock->range.first > other->range.first
						   : lock->owner > other->owner;
	}
	tree_add(&locks->by_owner, parent, side, &lock->by_owner, NULL);
}

static void remove_and_free(struct locks_of_kind *locks, struct file_lock *lock)
{
	interval_remove(&locks->by_range[lock->type], &lock->range);
	tree_remove(&locks->by_owner, &lock->by_owner, NULL);
	kfree(lock);
}

/* Set the range of a lock whose place among its owner's locks stays the same. */
static void set_range(struct locks_of_kind *locks, struct file_lock *lock, uint64_t first, uint64_t last)
{
	struct tree_node **by_range = &locks->by_range[lock->type];

	if (lock->range.first == first) {
		interval_set_last(&lock->range, last);
		return;
	}
	interval_remove(by_range, &lock->range);
	lock->range.first = first;
	lock->range.last = last;
	interval_add(by_range, &lock->range);
}

/*
 * Cut the range [first, last] out of a lock that overlaps it. When a piece is left on both sides, the second piece is
 * stored in *spare; when none is left the lock is freed.
 */
static void cut(struct locks_of_kind *locks, struct file_lock *lock, uint64_t first, uint64_t last,
		struct file_lock *spare)
{
	const struct interval old = lock->range;

	if (old.first < first) {
		set_range(locks, lock, old.first, first - 1);
		if (old.last > last) {
			*spare = *lock;
			spare->range.first = last + 1;
			spare->range.last = old.last;
			add(locks, spare);
		}
	} else if (old.last > last) {
		set_range(locks, lock, last + 1, old.last);
	} else {
		remove_and_free(locks, lock);
	}
}

/* A change of an owner's locks in a range. */
struct change {
	/* the owner's first lock that overlaps or touches the wanted range, or lies behind it; or NULL */
	struct file_lock *from;
	struct file_lock *kept; /* a lock that gets the range [first, last], so that none is allocated; or NULL */
	uint64_t first, last;   /* the wanted range, with the ranges of the locks that are merged with it */
};

/*
 * Extend the range over the owner's locks of the same type that overlap or touch it, and keep the first of those.
 * Returns whether the owner has all of the range locked so already.
 */
static bool widen(struct change *change, enum file_lock_type type)
{
	/*
	 * If change->last is UINT64_MAX, last + 1 wraps to 0. That does no harm: each lock meets the first condition.
	 */
	for (struct file_lock *lock = change->from;
	     lock && (lock->range.first <= change->last || lock->range.first == change->last + 1);
	     lock = next_own(lock)) {
		if (lock->type != type)
			continue;
		if (lock->range.first <= change->first && lock->range.last >= change->last)
			return true;
		if (lock->range.first < change->first)
			change->first = lock->range.first;
		if (lock->range.last > change->last)
			change->last = lock->range.last;
		if (!change->kept)
			change->kept = lock;
	}
	return false;
}

/* Let `wanted` replace all locks of its owner in the range. Returns 0, or -ENOMEM with the locks as before. */
static int replace(struct locks_of_kind *locks, const struct file_lock *wanted, const struct change *change)
{
	struct file_lock *from = change->from, *kept = change->kept, *spare = NULL, *made = NULL;
	const uint64_t first = change->first, last = change->last;
	/* Allocate all memory before anything changes, so that nothing has to be undone. */
	bool wants_spare = from && from->range.first < first && from->range.last > last;
	bool wants_made = wanted->type != LOCK_NONE && !kept;

	if (wants_spare && !(spare = kmalloc(sizeof(*spare))))
		return -ENOMEM;
	if (wants_made && !(made = kmalloc(sizeof(*made)))) {
		kfree(spare);
		return -ENOMEM;
	}
	for (struct file_lock *lock = from, *next; lock && lock->range.first <= last; lock = next) {
		next = next_own(lock);
		if (lock != kept && lock->range.last >= first)
			cut(locks, lock, first, last, spare);
	}
	if (kept) {
		kept->pid = wanted->pid;
		set_range(locks, kept, first, last);
	} else if (made) {
		*made = *wanted;
		made->range.first = first;
		made->range.last = last;
		add(locks, made);
	}
	/* Wake the waiters even if a lock was added: it may have replaced a stronger one that they waited for. */
	wake_waits(locks, first, last);
	return 0;
}

/* Return whether `owner` has all locks of the kind, and at least one. */
static bool has_all(const struct locks_of_kind *locks, const void *owner)
{
	return locks->by_owner && lock_by_owner(tree_outermost(locks->by_owner, TREE_LOW))->owner == owner &&
	       lock_by_owner(tree_outermost(locks->by_owner, TREE_HIGH))->owner == owner;
}

/*
 * Free all locks of a kind. The trees are taken apart from their leaves up, without keeping them balanced: a program
 * may have many thousands of locks, and removed one by one each costs four times as much.
 */
static void free_all(struct locks_of_kind *locks)
{
	struct tree_node *node, *at = NULL;

	memset(locks->by_range, 0, sizeof(locks->by_range));
	while ((node = tree_take_leaf(&locks->by_owner, &at)) != NULL)
		kfree(lock_by_owner(node));
}

/* Unlock all that the owner has, if nobody else has locks and the range holds them all. Returns whether that is so. */
static bool unlock_all(struct locks_of_kind *locks, const void *owner, uint64_t from, uint64_t to)
{
	uint64_t first, last;

	if (!has_all(locks, owner))
		return false;
	first = lock_by_owner(tree_outermost(locks->by_owner, TREE_LOW))->range.first;
	last = lock_by_owner(tree_outermost(locks->by_owner, TREE_HIGH))->range.last;
	if (from > first || to < last)
		return false;
	free_all(locks);
	wake_waits(locks, first, last);
	return true;
}

int file_lock_set(struct node *node, const struct file_lock *wanted)
{
	struct change change = { .first = wanted->range.first, .last = wanted->range.last };
	struct locks_of_kind *locks;

	if (!node->locks) {
		if (wanted->type == LOCK_NONE)
			return 0;
		node->locks = kzalloc(sizeof(*node->locks));
		if (!node->locks)
			return -ENOMEM;
	}
	if (wanted->type != LOCK_NONE && file_lock_conflict(node, wanted))
		return -EAGAIN;
	locks = &node->locks->of[wanted->kind];
	if (wanted->type == LOCK_NONE && unlock_all(locks, wanted->owner, wanted->range.first, wanted->range.last))
		return 0;
	change.from = first_own(locks, wanted->owner, change.first - (change.first > 0));
	if (wanted->type != LOCK_NONE && widen(&change, wanted->type))
		return 0;
	return replace(locks, wanted, &change);
}

uint64_t file_lock_piece_end(const struct node *node, const struct file_lock *wanted)
{
	const struct file_lock *lock;

	if (!node->locks)
		return wanted->range.last;
	lock = first_own(&node->locks->of[wanted->kind], wanted->owner, wanted->range.first);
	for (int i = 0; i < PIECE_LOCKS && lock; i++)
		lock = next_own(lock);
	return lock && lock->range.first <= wanted->range.last ? lock->range.first - 1 : wanted->range.last;
}

void file_lock_drop(struct node *node, enum file_lock_kind kind, const void *owner)
{
	struct locks_of_kind *locks = &node->locks->of[kind];
	struct file_lock *lock, *next;
	uint64_t first, last;

	if (unlock_all(locks, owner, 0, UINT64_MAX))
		return;
	lock = first_own(locks, owner, 0);
	if (!lock)
		return;
	first = lock->range.first;
	for (; lock; lock = next) {
		next = next_own(lock);
		last = lock->range.last;
		remove_and_free(locks, lock);
	}
	wake_waits(locks, first, last);
}

void file_locks_free(struct file_locks *locks)
{
	for (int kind = 0; locks && kind < KINDS; kind++)
		ASSERT(!locks->of[kind].by_owner && !locks->of[kind].waits);
	kfree(locks);
}
