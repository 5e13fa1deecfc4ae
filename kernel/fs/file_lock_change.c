/*
 * Sets and drops advisory locks; see file_lock.h. An owner's locks of a file never overlap, and a new lock may replace
 * many thousands of them: so the work is done in steps. When all locks of a file are to go, their tree is detached in
 * one step, and the locks are freed later.
 */
#include "kernel/fs/file_lock_internal.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/tree_insert.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sync/late_work.h"

/* Return the lock that has `node` as its place in the tree by_owner; NULL when `node` is NULL. */
static struct file_lock *lock_by_owner(const struct tree_node *node)
{
	return node ? tree_item(node, struct file_lock, by_owner) : NULL;
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

#define PIECE_LOCKS 512  /* most locks that one step replaces or drops: a quarter of a million instructions */
#define ENDED_LOCKS 2048 /* most locks of a detached tree that one step frees */
#define FEW_HEIGHT  3 /* a tree that is no higher is not detached: freeing its few locks one by one takes less time */

static bool is_behind(const struct tree_node *node, const struct tree_node *other)
{
	const struct file_lock *lock = lock_by_owner(node), *at = lock_by_owner(other);

	return lock->owner == at->owner ? lock->range.first > at->range.first : lock->owner > at->owner;
}

static void add(struct locks_of_kind *locks, struct file_lock *lock)
{
	lock->range.tag = lock->owner;
	interval_add(&locks->by_range[lock->type], &lock->range);
	tree_insert(&locks->by_owner, &lock->by_owner, is_behind, NULL);
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
	struct file_lock *made; /* a block of the heap for the lock, used up or freed by replace(); or NULL */
	uint64_t first, last;   /* the wanted range, with the ranges of the locks that are merged with it */
};

/*
 * Extend the range over the owner's locks of the same type that overlap or touch it, and keep the first of those.
 * Returns whether the owner has all of the range locked with that type already.
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
static int replace(struct locks_of_kind *locks, const struct file_lock *wanted, struct change *change)
{
	struct file_lock *from = change->from, *kept = change->kept, *spare = NULL;
	const uint64_t first = change->first, last = change->last;
	/* Allocate all memory before anything changes, so that nothing has to be undone. */
	bool wants_spare = from && from->range.first < first && from->range.last > last;
	bool wants_made = wanted->type != LOCK_NONE && !kept;

	if (wants_made && !change->made)
		change->made = kmalloc(sizeof(*change->made));
	if (wants_spare)
		spare = kmalloc(sizeof(*spare));
	if ((wants_made && !change->made) || (wants_spare && !spare)) {
		kfree(spare);
		kfree(change->made);
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
		kfree(change->made);
	} else if (wants_made) {
		*change->made = *wanted;
		change->made->range.first = first;
		change->made->range.last = last;
		add(locks, change->made);
	}
	/* Wake the waiters even if a lock was added: it may have replaced a stronger one that they waited for. */
	file_lock_wake(locks, first, last);
	return 0;
}

/* ---- all locks of a file at once ---- */

/*
 * Free some locks of a tree that no file has any more, the root's lock last, since `work` is a part of it. The tree is
 * taken apart from its leaves up, without keeping it balanced: locks that are removed one by one cost four times as
 * much.
 */
static bool free_ended(struct late_work *work)
{
	struct file_lock *top = (struct file_lock *)((uintptr_t)work - offsetof(struct file_lock, ended));
	struct tree_node *root = &top->by_owner, *at = NULL;

	for (int i = 0; i < ENDED_LOCKS && root; i++)
		kfree(lock_by_owner(tree_take_leaf(&root, &at)));
	return !root;
}

/*
 * Unlock all that the owner has, if these are more than a few locks, nobody else has any, and [from, to] holds them
 * all. Returns whether that is so. The current task frees the locks later, on its way back to user mode.
 */
static bool unlock_all(struct locks_of_kind *locks, const void *owner, uint64_t from, uint64_t to)
{
	struct file_lock *top = lock_by_owner(locks->by_owner), *low, *high;
	uint64_t first, last;

	if (!top || top->by_owner.height <= FEW_HEIGHT)
		return false;
	low = lock_by_owner(tree_outermost(locks->by_owner, TREE_LOW));
	high = lock_by_owner(tree_outermost(locks->by_owner, TREE_HIGH));
	if (locks->claims || low->owner != owner || high->owner != owner || from > low->range.first ||
	    to < high->range.last)
		return false;
	first = low->range.first;
	last = high->range.last;
	memset(locks->by_range, 0, sizeof(locks->by_range));
	locks->by_owner = NULL;
	file_lock_wake(locks, first, last);
	top->ended.step = free_ended;
	late_work_add(&top->ended);
	return true;
}

/* ---- steps ---- */

/*
 * Return the last byte of the first piece of wanted's range: the piece in which the owner has PIECE_LOCKS locks, or all
 * of the range when it has no more there. `lock`: the owner's first lock that touches the range, or lies behind it; or
 * NULL.
 */
static uint64_t piece_end(const struct file_lock *lock, const struct file_lock *wanted)
{
	for (int i = 0; lock && lock->range.first <= wanted->range.last; i++, lock = next_own(lock))
		if (i == PIECE_LOCKS)
			return lock->range.first - 1;
	return wanted->range.last;
}

/* Unlock the bytes of wanted's range up to `end`, which is included. Returns 0 or -ENOMEM. */
static int unlock_piece(struct locks_of_kind *locks, const struct file_lock *wanted, uint64_t end)
{
	struct file_lock piece = *wanted;
	struct change change = { .first = wanted->range.first, .last = end };

	piece.type = LOCK_NONE;
	change.from = first_own(locks, wanted->owner, change.first);
	return replace(locks, &piece, &change);
}

/*
 * Enter a *claim* to wanted's range: a lock with which other owners conflict, but that is not among the owner's locks,
 * since it would overlap them while they are removed step by step. Returns 1, since there is more to do, or -ENOMEM.
 */
static int claim(struct locks_of_kind *locks, const struct file_lock *wanted, struct file_lock **ret)
{
	struct file_lock *made = kmalloc(sizeof(*made));

	if (!made)
		return -ENOMEM;
	*made = *wanted;
	made->range.tag = wanted->owner;
	interval_add(&locks->by_range[made->type], &made->range);
	locks->claims++;
	*ret = made;
	return 1;
}

/* Remove a claim, if there is one. Returns its heap block, which the caller uses or frees, or NULL. */
static struct file_lock *end_claim(struct locks_of_kind *locks, struct file_lock **claimed)
{
	struct file_lock *made = *claimed;

	if (made) {
		interval_remove(&locks->by_range[made->type], &made->range);
		locks->claims--;
		*claimed = NULL;
	}
	return made;
}

void file_lock_give_up(struct node *node, struct file_lock **claimed)
{
	struct file_lock *made = *claimed;
	struct locks_of_kind *locks;

	if (!made)
		return;
	locks = &node->locks->of[made->kind];
	(void)end_claim(locks, claimed);
	file_lock_wake(locks, made->range.first, made->range.last);
	kfree(made);
}

/*
 * Do all that is left of wanted's change in one step. from: as in struct change. made: a block of the heap for the
 * lock, or NULL.
 */
static int set_rest(struct locks_of_kind *locks, const struct file_lock *wanted, struct file_lock *from,
		    struct file_lock *made)
{
	struct change change = { .from = from, .first = wanted->range.first, .last = wanted->range.last, .made = made };

	if (wanted->type != LOCK_NONE && widen(&change, wanted->type)) {
		kfree(made);
		return 0;
	}
	return replace(locks, wanted, &change);
}

int file_lock_set_some(struct node *node, const struct file_lock *wanted, struct file_lock **claimed)
{
	struct locks_of_kind *locks;
	struct file_lock *from;
	uint64_t end;
	int error;

	if (!node->locks) {
		if (wanted->type == LOCK_NONE)
			return 0;
		node->locks = kzalloc(sizeof(*node->locks));
		if (!node->locks)
			return -ENOMEM;
	}
	locks = &node->locks->of[wanted->kind];
	if (wanted->type != LOCK_NONE && !*claimed && file_lock_conflict(node, wanted))
		return -EAGAIN;
	if (wanted->type == LOCK_NONE && unlock_all(locks, wanted->owner, wanted->range.first, wanted->range.last))
		return 0;
	from = first_own(locks, wanted->owner, wanted->range.first - (wanted->range.first > 0));
	end = piece_end(from, wanted);
	if (end == wanted->range.last)
		return set_rest(locks, wanted, from, end_claim(locks, claimed));
	if (wanted->type != LOCK_NONE && !*claimed)
		return claim(locks, wanted, claimed);
	error = unlock_piece(locks, wanted, end);
	return error ? error : 1;
}

int file_lock_set(struct node *node, const struct file_lock *wanted)
{
	struct file_lock *claimed = NULL;
	int more;

	do
		more = file_lock_set_some(node, wanted, &claimed);
	while (more > 0);
	if (more)
		file_lock_give_up(node, &claimed);
	return more;
}

bool file_lock_drop_some(struct node *node, enum file_lock_kind kind, const void *owner)
{
	struct locks_of_kind *locks = &node->locks->of[kind];
	struct file_lock *lock, *next;
	uint64_t first, last;
	int dropped = 0;

	if (unlock_all(locks, owner, 0, UINT64_MAX))
		return false;
	lock = first_own(locks, owner, 0);
	if (!lock)
		return false;
	first = lock->range.first;
	for (; lock && dropped < PIECE_LOCKS; lock = next, dropped++) {
		next = next_own(lock);
		last = lock->range.last;
		remove_and_free(locks, lock);
	}
	file_lock_wake(locks, first, last);
	return lock != NULL;
}

void file_lock_drop(struct node *node, enum file_lock_kind kind, const void *owner)
{
	while (file_lock_drop_some(node, kind, owner))
		;
}
