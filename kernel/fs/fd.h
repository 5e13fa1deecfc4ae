/*
 * Descriptor tables: small numbers for open files; one table for each process, shared by its threads. Guard: the
 * kernel, one CPU, not preempted.
 */
#pragma once

#include "kernel/fs/file.h"

#define FD_LIMIT     1024    /* RLIMIT_NOFILE of the first process */
#define FD_LIMIT_MAX 1048576 /* the most that RLIMIT_NOFILE can be raised to, as Linux's nr_open */

/* Guard: the kernel, one CPU, not preempted. */
struct fd_table {
	struct file **files;  /* `capacity` pointers, each held; NULL: that descriptor is free */
	uint64_t *cloexec;    /* a bit for each descriptor: FD_CLOEXEC */
	unsigned capacity;    /* a multiple of 64 */
	unsigned lowest_free; /* no descriptor below it is free */
	uint64_t refs;        /* processes that have the table, and calls that look into another process's table */
};

/*
 * Set the function that returns the calling process's limit: each new descriptor is below it. RLIMIT_NOFILE belongs to
 * the process, not to the table, which processes may share. Until then the limit is FD_LIMIT.
 */
void fd_set_limit_source(unsigned (*of_caller)(void));

/* Make an empty table, held once; or a copy of all of `from`, as fork(2) does. -ENOMEM. */
int fd_table_create(struct fd_table **ret);
int fd_table_copy(const struct fd_table *from, struct fd_table **ret);

static inline struct fd_table *fd_table_get(struct fd_table *table)
{
	table->refs++;
	return table;
}

/* Stop holding a table; the last holder closes all its descriptors. */
void fd_table_put(struct fd_table *table);

/* Marks a local variable that is a held file, or NULL: the file is put when the variable's scope ends. */
#define HELD_FILE __attribute__((cleanup(file_leave_scope)))

static inline void file_leave_scope(struct file **file)
{
	if (*file)
		file_put(*file);
}

/* Return the file of a descriptor, held. NULL: the descriptor is not open (-EBADF). */
static inline struct file *fd_file_get(const struct fd_table *table, int fd)
{
	struct file *file = (unsigned)fd < table->capacity ? table->files[fd] : NULL;

	return file ? file_get(file) : NULL;
}

/*
 * Return the file, not held: good until the table changes. For reports, while nothing else runs; and to ask whether
 * there is one.
 */
static inline struct file *fd_file_peek(const struct fd_table *table, int fd)
{
	return (unsigned)fd < table->capacity ? table->files[fd] : NULL;
}

/*
 * Give `file` the lowest free descriptor from `lowest` on. flags: FD_CLOEXEC or 0. The table takes over the caller's
 * hold; on an error the caller keeps it. Returns the descriptor, -EMFILE, -EINVAL (`lowest` beyond the limit), -ENOMEM.
 */
int fd_install(struct fd_table *table, struct file *file, int lowest, unsigned flags);

/*
 * Return whether fd_install would find a free descriptor. For a caller that asks before it does what cannot be undone.
 */
bool fd_has_room(struct fd_table *table);

/* Close a descriptor. -EBADF. */
int fd_close(struct fd_table *table, int fd);

/* Close all descriptors in [first, last]; or set FD_CLOEXEC for them, as close_range(2) can. */
void fd_close_range(struct fd_table *table, unsigned first, unsigned last);
void fd_cloexec_range(struct fd_table *table, unsigned first, unsigned last);

/* Do fcntl(2)'s F_DUPFD. Returns the new descriptor, -EBADF, or what fd_install returns. */
int fd_dup(struct fd_table *table, int fd, int lowest, unsigned flags);

/*
 * Make `to` a descriptor of fd's file, closing what `to` was: dup2, dup3. When both are equal: return `fd`, change
 * nothing (dup3's -EINVAL is the caller's task). -EBADF (also when `to` is beyond the limit), -ENOMEM.
 */
int fd_dup_to(struct fd_table *table, int fd, int to, unsigned flags);

/* Get and set a descriptor's flags: FD_CLOEXEC or 0. -EBADF. */
int fd_flags(const struct fd_table *table, int fd);
int fd_set_flags(struct fd_table *table, int fd, unsigned flags);

/* Close all descriptors with FD_CLOEXEC, for execve(2). */
void fd_close_on_exec(struct fd_table *table);
