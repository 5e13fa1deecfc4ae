/*
 * Nodes: what names in the tree stand for (Linux's inodes), and the calls that read and change the tree. A file system
 * is a set of node operations; kernel/fs/tmpfs.c is one. Nodes and names lie in the heap, contents in frames
 * (kernel/fs/content.h).
 *
 * Guard: the kernel, one CPU, not preempted. No call here blocks, so each is atomic. Not for interrupt handlers. All
 * calls work in any context and leave it as it was. They return 0 or Linux's negative error number, and after an error
 * the tree is as before. Every task is root for now, so permission bits refuse nothing; exec decides whether a file may
 * be executed.
 */
#pragma once

#include "kernel/fs/errno.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/linux_file.h"
#include "kernel/fs/linux_stat.h"
#include "kernel/fs/name.h"

struct file;
struct file_lock;
struct node;
struct pipe;

/*
 * The operations of a file system. Names given to these are neither empty nor "." nor "..", and have at most NAME_MAX
 * bytes; `dir` is a directory. Of the operations that change something each may be NULL: -EPERM.
 */
struct node_ops {
	/* Find the node of a name; held for the caller. -ENOENT. */
	int (*lookup)(struct node *dir, struct name name, struct node **ret);
	/*
	 * List the first entry at or beyond *position, without "." and "..", and move *position on. Positions start at
	 * 0, only grow, and stay good when entries come and go. Returns 1 with an entry, 0 at the end.
	 */
	int (*next)(struct node *dir, uint64_t *position, struct dir_entry *ret);
	/*
	 * Make a node with its name: its type is in `mode`; `device` is for S_IFCHR and S_IFBLK, `target` for S_IFLNK.
	 * -EEXIST, -ENOMEM, -ENOSPC.
	 */
	int (*create)(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		      struct node **ret);
	int (*link)(struct node *dir, struct name name, struct node *node);
	int (*unlink)(struct node *dir, struct name name); /* also removes a directory, if it is empty */
	int (*rename)(struct node *from, struct name old_name, struct node *to, struct name new_name, unsigned flags);
	/* Get the target of a symbolic link. */
	int (*readlink)(struct node *node, struct link_target *ret);
	/* For links that lead somewhere without a path (/proc/self/exe): get that node, held. May be NULL. */
	int (*follow)(struct node *node, struct node **ret);
	/*
	 * Tell where a node has one of its names, or had its last one: good until the tree changes. -ENOENT: nowhere.
	 * NULL: nodes of this file system never have a name.
	 */
	int (*place)(struct node *node, struct node_place *ret);
	/*
	 * Write what /proc shows for a node that no path leads to, as "pipe:[12]"; returns as snprintf(3). NULL: paths
	 * lead here.
	 */
	size_t (*describe)(const struct node *node, char *buffer, size_t size);
	/* Give a new open file of a regular file or directory its operations. */
	int (*open)(struct node *node, struct file *file);
	int (*truncate)(struct node *node, uint64_t size);
	/* Return how many blocks of 512 bytes the content takes in memory. NULL: none. */
	uint64_t (*blocks)(const struct node *node);
	/* Free the node: nobody holds it, and no name leads to it. node_put puts `parent` afterwards. */
	void (*free)(struct node *node);
};

struct node {
	const struct node_ops *ops;
	struct fs *fs;
	uint64_t number;
	uint64_t size;   /* bytes; for a symbolic link its target's */
	uint64_t device; /* made by DEVICE_NUMBER, for S_IFCHR and S_IFBLK */
	uint32_t mode;   /* type and permissions */
	uint32_t uid, gid;
	uint32_t links; /* number of names; for a directory as Linux counts: 2, and one for each directory in it */
	uint64_t refs;  /* number of holders; all names together are one */
	struct linux_timespec atime, mtime, ctime, btime;
	/* held; the directory above a directory; for other nodes what their file system wants; or NULL */
	struct node *parent;
	struct node *mounted; /* the root that is mounted on this directory, held; or NULL */
	struct node *covers;  /* for such a root: the directory below it, held */
	struct pipe *pipe;    /* for a FIFO that is open */
	/* for a regular file: how many open files may write to it, and how many processes run it; one of them is 0 */
	uint64_t writers, runners;
	struct file_lock *locks;
};

static inline bool node_is(const struct node *node, enum linux_mode type)
{
	return (node->mode & S_IFMT) == type;
}

/* Hold a node once more. */
static inline struct node *node_get(struct node *node)
{
	node->refs++;
	node->fs->refs++;
	return node;
}

/* Stop holding a node; the last holder frees it. NULL is allowed. */
void node_put(struct node *node);

/* Hold a node as the program of one more process. -ETXTBSY: it is open for writing, and is not held. */
int node_run(struct node *node);

/* Put a node that node_run() holds. NULL is allowed. */
void node_run_end(struct node *node);

/* Initialise a new node, for file systems: one reference, no links, all times now, the next number of `fs`. */
void node_init(struct node *node, const struct node_ops *ops, struct fs *fs, uint32_t mode);

/*
 * Follow one name from a directory, across mounts, "." and ".." included (at `root` ".." stays there). -ENOTDIR,
 * -ENOENT, -ENAMETOOLONG, or what the file system returns. *ret is held for the caller.
 */
int node_lookup(struct node *root, struct node *dir, struct name name, struct node **ret);

/*
 * Make, link, remove, move. The caller holds `dir`. Any of these may return -ENOTDIR, -ENAMETOOLONG, -EPERM (the file
 * system cannot), -ENOENT (the directory has been removed), -EEXIST, -ENOMEM. "." and ".." give -EEXIST for new names,
 * -EINVAL for rmdir's ".", -ENOTEMPTY for its "..", -EBUSY for rename. *ret is held; `ret` may be NULL.
 */
int node_create(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct node **ret);
int node_symlink(struct node *dir, struct name name, struct name target, struct node **ret);
int node_link(struct node *dir, struct name name, struct node *node); /* also -EPERM for a directory, -EXDEV, -EMLINK */
int node_unlink(struct node *dir, struct name name);                  /* also -EISDIR */
/* also -ENOTDIR, -ENOTEMPTY, -EBUSY (mounted on) */
int node_rmdir(struct node *dir, struct name name);
/*
 * Rename. flags: at most one of enum linux_rename. Also -EXDEV, -EINVAL (a directory into itself), -EISDIR, -ENOTDIR,
 * -ENOTEMPTY, -EBUSY.
 */
int node_rename(struct node *from, struct name old_name, struct node *to, struct name new_name, unsigned flags);

/* Get the target of a symbolic link; the caller puts it. -EINVAL (no symbolic link), -ENOMEM. */
int node_readlink(struct node *node, struct link_target *ret);

/* Set a regular file's size; new bytes read as zeros. -EISDIR, -EINVAL (no regular file), -ETXTBSY, -EFBIG, -ENOMEM. */
int node_truncate(struct node *node, uint64_t size);

/* Set permissions, owner (-1: as it was), times (NULL: as it was); ctime becomes now. Cannot fail. */
void node_chmod(struct node *node, uint32_t mode);
void node_chown(struct node *node, uint32_t uid, uint32_t gid);
void node_set_times(struct node *node, const struct linux_timespec *atime, const struct linux_timespec *mtime);

/* Cover the directory `at` with `root`, which must cover nothing yet. -ENOTDIR, -EBUSY. */
int node_mount(struct node *at, struct node *root);
/*
 * Uncover what `root` covers; then the caller is its last holder (tmpfs_destroy frees a tmpfs). -EINVAL: it covers
 * nothing. -EBUSY: it is covered itself, or a node of its file system has holders besides the mount and the caller.
 */
int node_unmount(struct node *root);

/* Fill in what stat(2), statx(2) or statfs(2) show. All bytes are written. */
void node_stat(const struct node *node, struct linux_stat *ret);
void node_statx(const struct node *node, struct linux_statx *ret);
void node_statfs(const struct node *node, struct linux_statfs *ret);

/* Set the clock for nodes' times; and read it. Until a clock is set all times are 0. */
void node_set_clock(struct linux_timespec (*now)(void));
struct linux_timespec node_now(void);
