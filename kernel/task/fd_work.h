/*
 * Work on many descriptors, in pieces between which other tasks run.
 */
#pragma once

#include "kernel/fs/fd.h"
#include "kernel/lib/likely.h"

/*
 * Close the descriptors in [first, last] that `which` names. Does not stop early, even if the task must end
 * meanwhile.
 */
void fd_work_close(struct fd_table *table, unsigned first, unsigned last, enum fd_which which);

/* Copy a table as fd_table_copy() does. Returns 0 or -ENOMEM. */
MUST_CHECK int fd_work_copy(struct fd_table *from, struct fd_table **ret);

/*
 * Make the table large enough for the next descriptor from `lowest` on, if that is below the caller's RLIMIT_NOFILE.
 * May stop early, without memory or when the task must end: then fd_install() does the rest or refuses.
 */
void fd_work_grow(struct fd_table *table, unsigned lowest);

/* Drop nearly all record locks that end when the descriptor is closed, so that closing it takes no longer. */
void fd_work_unlock_locked(struct fd_table *table, int fd);
static inline void fd_work_unlock(struct fd_table *table, int fd)
{
	const struct file *file = fd_file_peek(table, fd);

	/* Most files have no locks: closing one costs no call for them. */
	if (file && unlikely(file->node->locks))
		fd_work_unlock_locked(table, fd);
}
