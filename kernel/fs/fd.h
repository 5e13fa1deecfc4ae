/*
 * Descriptor tables: small numbers for open files; one table for each process, shared by its threads. Guard: tasks
 * only, which the kernel does not preempt. Open sections (work without the kernel lock, kernel/sync/open_section.h) may
 * change a table that only the current task uses, and its files that have no other reference.
 */
#pragma once

#include "kernel/fs/file.h"

#define FD_LIMIT     1024    /* RLIMIT_NOFILE of the first process */
#define FD_LIMIT_MAX 1048576 /* the most that RLIMIT_NOFILE can be raised to, as Linux's nr_open */

/* A descriptor table. Guard: as said at the top of this file. */
struct fd_table {
	struct file **files;  /* `capacity` pointers, each a counted reference; NULL: that descriptor is free */
	uint64_t *cloexec;    /* a bit for each descriptor: FD_CLOEXEC */
	uint64_t *open;       /* a bit for each descriptor that is open; in the same heap block as `cloexec` */
	unsigned capacity;    /* a multiple of 64 */
	unsigned lowest_free; /* all descriptors below this one are in use */
	/*
	 * While the table is being made larger: the array that takes the place of `files` once all of it is filled,
	 * and how many of its entries are already, so that they change as those of `files` do. NULL and 0: it does
	 * not grow.
	 */
	struct file **grown;
	unsigned grown_capacity, grown_to;
	/* references, of processes and of calls that use the table. Atomic: written with the kernel lock */
	uint64_t refs;
	/*
	 * `struct file`s of files that open sections have closed, kept for the files that such sections open, since
	 * they may neither allocate nor free memory: a list linked by file->data, and its length, FD_SPARES at the most
	 */
	struct file *spare;
	unsigned spares;
};

/*
 * Set the function that returns the calling process's RLIMIT_NOFILE: new descriptors are below it. The table cannot
 * keep the limit, since processes with different limits may share a table. Until this is called the limit is
 * FD_LIMIT.
 */
void fd_set_limit_source(unsigned (*of_caller)(void));

/* Make an empty table; or a copy of `from`, as fork(2) does. *ret is a reference. Returns 0 or -ENOMEM. */
int fd_table_create(struct fd_table **ret);
int fd_table_copy(const struct fd_table *from, struct fd_table **ret);

/*
 * Do a piece of fd_table_copy(): copy some of the descriptors of `from`, from *fd on, into `table`, and advance *fd. In
 * the first call *fd is 0 and `table` is empty. Returns whether there are more, or -ENOMEM. A descriptor that is opened
 * or closed between two pieces may be copied or not.
 */
int fd_copy_some(const struct fd_table *from, struct fd_table *table, unsigned *fd);

/* Take a reference to a table. */
static inline struct fd_table *fd_table_get(struct fd_table *table)
{
	table->refs++;
	return table;
}

/* Drop a reference to a table; the last one closes all descriptors. */
void fd_table_put(struct fd_table *table);

/*
 * Marks a local variable as a reference to a file, or NULL; the reference is dropped where the variable's scope ends.
 */
#define HELD_FILE __attribute__((cleanup(file_leave_scope)))

static inline void file_leave_scope(struct file **file)
{
	if (*file)
		file_put(*file);
}

/* Return a new reference to the file of a descriptor; NULL when the descriptor is not open (-EBADF). */
static inline struct file *fd_file_get(const struct fd_table *table, int fd)
{
	struct file *file = (unsigned)fd < table->capacity ? table->files[fd] : NULL;

	return file ? file_get(file) : NULL;
}

/*
 * Return the file of a descriptor without a reference: the pointer is valid until the table changes. NULL when the
 * descriptor is not open. Only for callers that do not block before they are done with the file.
 */
static inline struct file *fd_file_peek(const struct fd_table *table, int fd)
{
	return (unsigned)fd < table->capacity ? table->files[fd] : NULL;
}

/*
 * Give `file` the lowest free descriptor from `lowest` on. flags: FD_CLOEXEC or 0. The table takes over the caller's
 * reference; on an error the caller keeps it. Returns the descriptor, -EMFILE, -EINVAL (`lowest` beyond the limit),
 * -ENOMEM.
 */
int fd_install(struct fd_table *table, struct file *file, int lowest, unsigned flags);

/*
 * Return whether fd_install would find a free descriptor: for a caller that must know before it does something that
 * it cannot undo.
 */
bool fd_has_room(struct fd_table *table);

/*
 * Return whether the lowest free descriptor from `lowest` on is known without a search, and the table has room for it:
 * whether table->lowest_free, or `lowest` if that is higher, is free. In nearly all tables this is so.
 */
static inline bool fd_is_easy(const struct fd_table *table, unsigned lowest)
{
	const unsigned fd = lowest > table->lowest_free ? lowest : table->lowest_free;

	return fd < table->capacity && !(table->open[fd / 64] >> fd % 64 & 1);
}

/*
 * Do a piece of making a table large enough for descriptor `fd`, which fd_install would do in one go. Returns whether
 * there is more to do, or -ENOMEM; descriptors may be opened and closed between two pieces, and the caller may stop
 * after any piece. fd_to_grow_for returns the `fd` that the next descriptor from `lowest` on needs; 0: the table need
 * not grow.
 */
int fd_grow_some(struct fd_table *table, unsigned fd);
unsigned fd_to_grow_for(struct fd_table *table, unsigned lowest);

/*
 * Drop some of the record locks that end when the descriptor is closed, if there are very many. Returns whether there
 * are more: then call again before the descriptor is closed.
 */
bool fd_unlock_some(struct fd_table *table, int fd);

/* Close a descriptor. Returns 0 or -EBADF. */
int fd_close(struct fd_table *table, int fd);

enum fd_which { FD_ALL, FD_ON_EXEC }; /* all open descriptors; or those with FD_CLOEXEC, which execve(2) closes */

/*
 * Close some of the descriptors in [*fd, last], in rising order, and move *fd on. Returns whether there may be more.
 */
bool fd_close_some(struct fd_table *table, unsigned *fd, unsigned last, enum fd_which which);

/* Close all descriptors in [first, last]; or set FD_CLOEXEC for them, as close_range(2) can. */
void fd_close_range(struct fd_table *table, unsigned first, unsigned last);
void fd_cloexec_range(struct fd_table *table, unsigned first, unsigned last);

/* Do fcntl(2)'s F_DUPFD. Returns the new descriptor, -EBADF, or what fd_install returns. */
int fd_dup(struct fd_table *table, int fd, int lowest, unsigned flags);

/*
 * Make `to` a descriptor of fd's file, for dup2(2) and dup3(2); a file that `to` had is closed. When `fd` and `to`
 * are equal nothing changes (the caller checks for dup3's -EINVAL). Returns `to`, -EBADF (also when `to` is beyond
 * the limit), -ENOMEM.
 */
int fd_dup_to(struct fd_table *table, int fd, int to, unsigned flags);

/* Get and set a descriptor's flags: FD_CLOEXEC or 0. Return -EBADF when it is not open. */
int fd_flags(const struct fd_table *table, int fd);
int fd_set_flags(struct fd_table *table, int fd, unsigned flags);
