/*
 * Paths: from text to nodes (inodes), and back. The text is in the kernel's memory: system calls copy it from the user
 * beforehand, and return -EFAULT, or -ENAMETOOLONG for a path longer than PATH_MAX, by themselves.
 */
#pragma once

#include "kernel/fs/node.h"

/* Where a lookup starts, and for whom. The caller holds all of it. */
struct path_base {
	struct place root;  /* the place of "/"; its ".." is itself */
	struct place start; /* where relative paths start: the working directory, or the directory of a dirfd */
	const struct credentials *who; /* the credentials that the caller acts with */
	/*
	 * Called after each symbolic link, since 40 links of 4 KiB are a walk of 10 ms, and before ".." in a mount of a
	 * part of a file system: lets other tasks run, and returns whether the walk must end. NULL: no other task runs
	 * meanwhile.
	 */
	bool (*pause)(void);
};

enum path_flags {
	PATH_FOLLOW = 0,
	PATH_NO_FOLLOW = 1, /* a symbolic link as the last name is not followed, unless a slash follows it */
	PATH_DIRECTORY = 2, /* -ENOTDIR unless the result is a directory */
	PATH_EMPTY = 4,     /* "" means `start` (AT_EMPTY_PATH) */
	PATH_TOP = 8,       /* "", "." and ".." mean what is mounted on top there, too, as other names do */
};

/*
 * Find the node that a path leads to; *ret is a new reference. Returns 0, -ENOENT (also for ""), -ENOTDIR, -ELOOP (more
 * than LOOP_MAX links), -EACCES, -ENAMETOOLONG, -ENOMEM, -EINTR (base->pause).
 */
int path_lookup(const struct path_base *base, const char *path, unsigned flags, struct node **ret);

/*
 * Put restrictions, of enum linux_resolve, into the flags of path_lookup_place(), which may return -EXDEV and -EAGAIN
 * then, as path_open_restricted() does.
 */
#define PATH_RESTRICTED(resolve) ((resolve) << 8)

/* Find the place that a path leads to; *ret is held. Returns as path_lookup. */
int path_lookup_place(const struct path_base *base, const char *path, unsigned flags, struct place *ret);

/* The last name of a path, and the directory to look it up in. */
struct path_end {
	struct place dir; /* held, until path_end_put */
	struct name name; /* points into the path, or into `text`; "." for a path of slashes only; may be ".." */
	bool slash;       /* a slash follows the name: it can only mean a directory */
	char *text;       /* a heap block: target of a link that was followed, and the rest of the path; or NULL */
};

/*
 * Find the directory of a path's last name, whether that name exists or not; all links before it are followed. Returns
 * as path_lookup. *ret is valid as long as `path` is; the caller calls path_end_put() on it.
 */
int path_lookup_end(const struct path_base *base, const char *path, struct path_end *ret);
void path_end_put(struct path_end *end);

/* Make a node at a path's end, as node_create() does; -EROFS for a mount that is read-only, too. `ret` may be NULL. */
int path_end_create(const struct path_base *base, const struct path_end *end, uint32_t mode, uint64_t device,
		    struct node **ret);

/*
 * Open a file as openat(2) does; *ret is a reference. flags: O_…; `mode`: permissions for a file that O_CREAT makes,
 * with the umask applied. With O_TRUNC only the right to write is checked: the caller empties the file. Returns 0,
 * -EEXIST (O_EXCL), -EISDIR (write to a directory, O_CREAT with a slash), -ENOTDIR (O_DIRECTORY), -ELOOP (O_NOFOLLOW
 * and a link), -ENXIO (no such device; a FIFO for writing with O_NONBLOCK and no reader), -ENOMEM, or path_lookup's
 * errors. Does not wait for a FIFO's other end: see pipe_open_ready() (pipe.h).
 */
int path_open(const struct path_base *base, const char *path, unsigned flags, uint32_t mode, struct file **ret);

/*
 * Do path_open() with the restrictions `resolve`, of enum linux_resolve: -EXDEV and -ELOOP say that they were hit;
 * -EAGAIN, that something was moved meanwhile, so that it is not known where ".." leads.
 */
int path_open_restricted(const struct path_base *base, const char *path, unsigned flags, uint32_t mode,
			 unsigned resolve, struct file **ret);

/* Open the file at base->start itself, as path_open() does with a path that leads there. */
int path_open_start(const struct path_base *base, unsigned flags, struct file **ret);

/*
 * Change the tree by paths. Each returns what the node_ function of that name (node.h) or path_lookup_end returns;
 * -EROFS for a mount that is read-only, too, and -EXDEV for two mounts, though they show one file system.
 */
/* for mkdir(2) and mknod(2) */
int path_create(const struct path_base *base, const char *path, uint32_t mode, uint64_t device);
int path_symlink(const struct path_base *base, const char *path, const char *target);
int path_link(const struct path_base *old_base, const char *old_path, const struct path_base *new_base,
	      const char *new_path, unsigned flags); /* flags: PATH_…, for the old path */
int path_unlink(const struct path_base *base, const char *path);
int path_rmdir(const struct path_base *base, const char *path);
int path_rename(const struct path_base *old_base, const char *old_path, const struct path_base *new_base,
		const char *new_path, unsigned flags);

/*
 * Write the path of any place, with its NUL; of a file with several names, one of the paths. *ret_size counts the NUL.
 * A node without a name gets "/#12 (deleted)", 12 being its number, or the text of node_ops.describe. Returns 0 or
 * -ERANGE.
 */
int path_of_place(const struct place *root, struct place place, char *buffer, size_t size, size_t *ret_size);

/* Do path_of_place() for a node of which the mount is not known: its file system's oldest mount counts. */
int path_of_node(const struct place *root, struct node *node, char *buffer, size_t size, size_t *ret_size);

/*
 * Write the absolute path of a directory, or of a mount's root, below `root`, with its NUL; *ret_size counts the NUL,
 * as getcwd(2) does. Returns 0; -ENOENT: the directory has been removed, or is not below `root`; -ERANGE: `size` is too
 * small. After an error the buffer's content is undefined.
 */
int path_of_directory(const struct place *root, struct place dir, char *buffer, size_t size, size_t *ret_size);
