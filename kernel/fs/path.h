/*
 * Paths: from text to nodes and back. The text is in the kernel's memory; system calls have copied it from the user
 * (and return -EFAULT themselves, and -ENAMETOOLONG for a path longer than PATH_MAX).
 */
#pragma once

#include "kernel/fs/node.h"

/* Where a lookup starts. The caller holds both. */
struct path_base {
	struct node *root;  /* what '/' means, and where ".." ends */
	struct node *start; /* where relative paths start: the working directory, or the directory of a dirfd */
};

enum path_flags {
	PATH_FOLLOW = 0,
	PATH_NO_FOLLOW = 1, /* a symbolic link at the end is not followed, unless a slash is behind it */
	PATH_DIRECTORY = 2, /* the result must be a directory, as with a slash at the end */
	PATH_EMPTY = 4,     /* "" means `start` (AT_EMPTY_PATH) */
};

/*
 * Find the node that a path leads to; held for the caller. -ENOENT (also for ""), -ENOTDIR, -ELOOP (more than LOOP_MAX
 * links), -ENAMETOOLONG, -ENOMEM.
 */
int path_lookup(const struct path_base *base, const char *path, unsigned flags, struct node **ret);

/* The last name of a path, and the directory that it names something in. */
struct path_end {
	struct node *dir; /* held until path_end_put */
	struct name name; /* points into the path; "." when the path is "/" or ends so; may be ".." */
	bool slash;       /* a slash follows the name: it can only mean a directory */
	char *text;       /* target of a link that was followed, into which `name` may point; or NULL */
};

/*
 * Find the directory of a path's last name, whether that name exists or not; all links before it are followed. Errors
 * as path_lookup. *ret is good until `path` changes; path_end_put ends it.
 */
int path_lookup_end(const struct path_base *base, const char *path, struct path_end *ret);
void path_end_put(struct path_end *end);

/*
 * Open a file as openat(2) does. flags: O_…; `mode`: permissions for a file that O_CREAT makes (the caller has applied
 * umask). -EEXIST (O_EXCL), -EISDIR (write to a directory, O_CREAT with a slash), -ENOTDIR (O_DIRECTORY), -ELOOP
 * (O_NOFOLLOW and a link), -ENXIO (no such device; a FIFO for writing with O_NONBLOCK and no reader), -ENOMEM, and
 * path_lookup's. *ret has one reference. Opening a FIFO does not wait for its other side: see pipe_open_ready.
 */
int path_open(const struct path_base *base, const char *path, unsigned flags, uint32_t mode, struct file **ret);

/* Change the tree, with paths. Errors are those of the call of that name in node.h, and of path_lookup_end. */
int path_create(const struct path_base *base, const char *path, uint32_t mode, uint64_t device); /* mkdir and mknod */
int path_symlink(const struct path_base *base, const char *path, const char *target);
int path_link(const struct path_base *old_base, const char *old_path, const struct path_base *new_base,
	      const char *new_path, unsigned flags); /* flags: PATH_…, for the old path */
int path_unlink(const struct path_base *base, const char *path);
int path_rmdir(const struct path_base *base, const char *path);
int path_rename(const struct path_base *old_base, const char *old_path, const struct path_base *new_base,
		const char *new_path, unsigned flags);

/*
 * Write the path of any node; of a file with several names one of them. "…/#12 (deleted)" for a node without a name, or
 * what the node says of itself (node_ops.describe). -ERANGE.
 */
int path_of_node(struct node *root, struct node *node, char *buffer, size_t size, size_t *ret_size);

/*
 * Write the absolute path of a directory below `root`, with its NUL; *ret_size counts that, as getcwd(2) returns it.
 * -ENOENT: the directory has been removed, or is not below `root`; -ERANGE: `size` is too small. The buffer's content
 * is then undefined.
 */
int path_of_directory(struct node *root, struct node *dir, char *buffer, size_t size, size_t *ret_size);
