/*
 * Advisory locks on ranges of files: fcntl(2)'s F_SETLK and flock(2). The locks of a node, and those who wait for
 * one, are in trees, so that finding, adding or removing one among n takes O(log n) steps. Nothing here blocks.
 */
#pragma once

#include "kernel/fs/node.h"
#include "kernel/lib/interval.h"
#include "kernel/sync/late_work.h"

/* Types of locks, numbered as the values of struct flock's l_type. */
enum file_lock_type { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONE };

/* LOCK_RECORD: locks of fcntl(2). LOCK_WHOLE: locks of flock(2). The two kinds never conflict. */
enum file_lock_kind { LOCK_RECORD, LOCK_WHOLE };

/* A lock that is held or wanted. Guard: tasks only, which the kernel does not preempt. */
struct file_lock {
	enum file_lock_kind kind;
	enum file_lock_type type;
	union {
		/* the first and last byte; last UINT64_MAX: to the file's end, even if that moves */
		struct interval range;
		/* late work that frees a lock that has ended, with those that end with it (file_lock_change.c) */
		struct late_work ended;
	};
	const void *owner; /* for LOCK_RECORD a descriptor table, or a file (F_OFD_SETLK); for LOCK_WHOLE a file */
	int pid;           /* the process that took the lock */
	struct tree_node by_owner; /* a held lock's place among the file's locks (file_lock.c) */
};

/* Return the lock of another owner that conflicts with `wanted` and starts first; or NULL. */
const struct file_lock *file_lock_conflict(const struct node *node, const struct file_lock *wanted);

/* A task's wait for a lock; lies on the task's stack. Guard: tasks only, which the kernel does not preempt. */
struct file_lock_wait {
	struct node *node;
	const struct file_lock *wanted;
	/* Called when locks of the node that overlap the wanted one were removed or changed: the lock may be free. */
	void (*wake)(struct file_lock_wait *wait);
	struct interval range;     /* the wanted lock's range; in the tree of all waits for locks of the file */
	struct tree_node by_owner; /* place in the tree of all waits for record locks, by owner (file_lock.c) */
};

/*
 * Enter `wait`, whose `wake` the caller has set, as a wait for a lock that file_lock_set() has just refused with
 * -EAGAIN: from here on `wake` is called, and file_lock_is_deadly() finds the wait. The caller must remove it again,
 * by file_lock_wait_end().
 */
void file_lock_wait_start(struct file_lock_wait *wait, struct node *node, const struct file_lock *wanted);
void file_lock_wait_end(struct file_lock_wait *wait);

/*
 * Return whether waiting for the record lock `wanted` would be a deadlock: the owner of the lock that is in its way
 * waits, perhaps through further owners, for a lock of wanted's owner. Follows ten owners at most, as Linux does; a
 * longer circle is not found, and only a signal ends the wait.
 */
bool file_lock_is_deadly(const struct node *node, const struct file_lock *wanted);

/*
 * Lock the range for wanted's owner, or with LOCK_NONE unlock it. The owner's older locks in the range are replaced,
 * and its locks of the same type that touch the range are merged with it.
 * Returns 0; or -EAGAIN (file_lock_conflict) or -ENOMEM, with the locks as before. Unlocking cannot fail unless it
 * splits a lock in two.
 */
int file_lock_set(struct node *node, const struct file_lock *wanted);

/*
 * Do a step of what file_lock_set() does, of a quarter of a million instructions at the most. *claimed is NULL at
 * first. Returns 1 when there is more to do: then the caller calls again with the same arguments, or gives up;
 * otherwise what file_lock_set() returns. Meanwhile the owner's older locks in the range are removed one by one, and
 * other owners find a lock of the wanted type on all of the range. file_lock_give_up() ends the work early, and must
 * also be called after an error; some of the owner's older locks in the range may be gone then.
 */
int file_lock_set_some(struct node *node, const struct file_lock *wanted, struct file_lock **claimed);
void file_lock_give_up(struct node *node, struct file_lock **claimed);

/*
 * Remove all locks of kind `kind` that `owner` has on the node, whose node->locks is not NULL. file_lock_drop_some
 * does a step of it, and returns whether there is more to do.
 */
void file_lock_drop(struct node *node, enum file_lock_kind kind, const void *owner);
bool file_lock_drop_some(struct node *node, enum file_lock_kind kind, const void *owner);

/* Free `locks`, the node->locks (or NULL) of a node that nobody has open any more, so that no lock is left in it. */
void file_locks_free(struct file_locks *locks);
