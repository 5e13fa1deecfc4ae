/*
 * Advisory locks on ranges of files: fcntl(2)'s F_SETLK and flock(2). They stand with the node. Nothing here blocks.
 */
#pragma once

#include "kernel/fs/node.h"

struct wait_queue;

/* Values of struct flock's l_type. */
enum file_lock_type { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONE };

/* flock(2)'s locks and fcntl's do not see each other. */
enum file_lock_kind { LOCK_RECORD, LOCK_WHOLE };

struct file_lock {
	enum file_lock_kind kind;
	enum file_lock_type type;
	uint64_t first, last; /* bytes, both included; last UINT64_MAX: to the end, wherever it is */
	const void *owner;    /* for records a descriptor table, or a file (F_OFD_SETLK); for flock a file */
	int pid;              /* of who took it */
	struct file_lock *next;
};

/* The first lock of another owner that stands against this one, or NULL. */
const struct file_lock *file_lock_conflict(const struct node *node, const struct file_lock *wanted);

/*
 * Give the range to `wanted`'s owner, or with LOCK_NONE take it from him; his older locks there are replaced. -EAGAIN:
 * file_lock_conflict; -ENOMEM. The locks are as before then. To let go a range that was set as a whole cannot fail.
 */
int file_lock_set(struct node *node, const struct file_lock *wanted);

/* All that `owner` has of that kind go. */
void file_lock_drop(struct node *node, enum file_lock_kind kind, const void *owner);

/* Woken when a lock has gone. */
struct wait_queue *file_lock_queue(void);
