/*
 * Shared by the files of advisory locks: file_lock.c finds conflicts and wakes waiters, file_lock_change.c changes
 * locks.
 */
#pragma once

#include "kernel/fs/file_lock.h"

#define KINDS (LOCK_WHOLE + 1)
#define TYPES (LOCK_EXCLUSIVE + 1)

/* A file's locks of one kind, and who waits for one. Guard: tasks only, which the kernel does not preempt. */
struct locks_of_kind {
	struct tree_node *by_range[TYPES]; /* intervals: the ranges of locks, by their type */
	struct tree_node *by_owner;        /* all locks, by owner and then by range */
	struct tree_node *waits;           /* intervals: the ranges of wanted locks */
	unsigned claims; /* number of locks that are in by_range alone while they are set step by step */
};

/*
 * All locks of a file. Made for its first lock, and freed with the node. Guard: tasks only, which the kernel does not
 * preempt.
 */
struct file_locks {
	struct locks_of_kind of[KINDS];
};

/* Wake the tasks that wait for a lock that overlaps the range. */
void file_lock_wake(const struct locks_of_kind *locks, uint64_t first, uint64_t last);
