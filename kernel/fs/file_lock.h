/*
 * Advisory locks on ranges of files: fcntl(2)'s F_SETLK and flock(2). A file's locks are listed in its node. Nothing
 * here blocks.
 */
#pragma once

#include "kernel/fs/node.h"

struct wait_queue;

/* Values of struct flock's l_type. */
enum file_lock_type { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONE };

/* The locks of fcntl(2) and those of flock(2), which do not see each other. */
enum file_lock_kind { LOCK_RECORD, LOCK_WHOLE };

struct file_lock {
	enum file_lock_kind kind;
	enum file_lock_type type;
	uint64_t first, last; /* the first and last byte; last UINT64_MAX: to the end, wherever that is */
	const void *owner;    /* for LOCK_RECORD a descriptor table, or a file (F_OFD_SETLK); for LOCK_WHOLE a file */
	int pid;              /* the process that took the lock */
	struct file_lock *next;
};

/* Return the lock of another owner that conflicts with `wanted` and starts first; or NULL. */
const struct file_lock *file_lock_conflict(const struct node *node, const struct file_lock *wanted);

/* A lock that a task waits for, in that task's own memory. Guard: the kernel, one CPU, not preempted. */
struct file_lock_wait {
	const struct node *node;
	const struct file_lock *wanted;
	struct file_lock_wait *next;
};

/* Begin or end to wait for a lock; the caller removes `wait` before it goes. */
void file_lock_wait_start(struct file_lock_wait *wait, const struct node *node, const struct file_lock *wanted);
void file_lock_wait_end(struct file_lock_wait *wait);

/*
 * Return whether `wanted`'s owner would wait for itself: for a record lock of somebody who waits, through any others, for
 * one of its own. Looks at ten owners at the most, as Linux does: then a signal must end the wait.
 */
bool file_lock_is_deadly(const struct node *node, const struct file_lock *wanted);

/*
 * Give the range to `wanted`'s owner, or with LOCK_NONE take it away; the owner's older locks there are replaced, and
 * those of the same type that touch it become one with it.
 * -EAGAIN (file_lock_conflict) or -ENOMEM: the locks are as before. Unlocking a range that was locked as a whole cannot
 * fail.
 */
int file_lock_set(struct node *node, const struct file_lock *wanted);

/* Remove all locks of that kind that `owner` has. */
void file_lock_drop(struct node *node, enum file_lock_kind kind, const void *owner);

/* Return the queue that is woken when a lock is removed. */
struct wait_queue *file_lock_queue(void);
