/*
 * Nodes: what names in the tree stand for (Linux's inodes), and the calls that read and change the tree. A file system
 * is a set of node operations; kernel/fs/tmpfs.c is one. Nodes and names lie in the heap, contents in frames
 * (kernel/fs/content.h).
 *
 * One CPU, and no call here blocks, so there is no lock: each call is atomic. Not for interrupt handlers.
 * All calls work in any context and leave it as it was. They return 0 or Linux's negative error number,
 * and after an error the tree is as before. Every task is root for now, so permission bits refuse nothing;
 * whether a file may be executed is exec's question.
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
 * What a file system does. Names that arrive here are neither empty nor "." nor ".." and have at most NAME_MAX bytes;
 * directories are directories. A NULL among the changing ones: -EPERM.
 */
struct node_ops {
	/* The node behind a name, with a reference for the caller. -ENOENT. */
	int (*lookup)(struct node *dir, struct name name, struct node **ret);
	/*
	 * The first entry beyond *position, without "." and ".."; moves *position on. Positions start at 0, only
	 * grow, and stay good when entries come and go. 1: there is one; 0: the end.
	 */
	int (*next)(struct node *dir, uint64_t *position, struct dir_entry *ret);
	/*
	 * A new node: its type in `mode`; `device` for S_IFCHR and S_IFBLK, `target` for S_IFLNK. -EEXIST, -ENOMEM,
	 * -ENOSPC.
	 */
	int (*create)(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		      struct node **ret);
	int (*link)(struct node *dir, struct name name, struct node *node);
	int (*unlink)(struct node *dir, struct name name); /* a directory too, when it is empty */
	int (*rename)(struct node *from, struct name old_name, struct node *to, struct name new_name, unsigned flags);
	/* Of a symbolic link. */
	int (*readlink)(struct node *node, struct link_target *ret);
	/* For links that lead somewhere without a path (/proc/self/exe): the node, with a reference. May be NULL. */
	int (*follow)(struct node *node, struct node **ret);
	/* Where one of its names is, or its last one was: good until the tree changes. -ENOENT: none. NULL: it never has one. */
	int (*place)(struct node *node, struct node_place *ret);
	/* What /proc shows for a node that no path leads to, as "pipe:[12]"; returns as snprintf(3). NULL: paths do. */
	size_t (*describe)(const struct node *node, char *buffer, size_t size);
	/* Give a regular file's or a directory's new description its operations. */
	int (*open)(struct node *node, struct file *file);
	int (*truncate)(struct node *node, uint64_t size);
	/* Blocks of 512 bytes that the content has in memory. May be NULL: none. */
	uint64_t (*blocks)(const struct node *node);
	/* The last reference is gone and no name leads here; `parent` is put afterwards. */
	void (*free)(struct node *node);
};

struct node {
	const struct node_ops *ops;
	struct fs *fs;
	uint64_t number;
	uint64_t size;   /* bytes; of a symbolic link its target's */
	uint64_t device; /* DEVICE_NUMBER, for S_IFCHR and S_IFBLK */
	uint32_t mode;   /* type and permissions */
	uint32_t uid, gid;
	uint32_t links; /* names that lead here; for a directory as Linux counts: 2 and one for each directory in it */
	uint64_t refs;  /* who holds it: all names together count 1 */
	struct linux_timespec atime, mtime, ctime, btime;
	struct node *parent;  /* held; of a directory, and of other nodes where their file system wants it; or NULL */
	struct node *mounted; /* the root that covers this directory, held; or NULL */
	struct node *covers;  /* of such a root: the directory below it */
	struct pipe *pipe;    /* of a FIFO that is open */
	struct file_lock *locks;
};

static inline bool node_is(const struct node *node, enum linux_mode type)
{
	return (node->mode & S_IFMT) == type;
}

/* One more holder. */
static inline struct node *node_get(struct node *node)
{
	node->refs++;
	node->fs->refs++;
	return node;
}

/* One holder less; the last one frees it. NULL is allowed. */
void node_put(struct node *node);

/* For file systems: fill a fresh node: one reference, no links, all times now, the next number of `fs`. */
void node_init(struct node *node, const struct node_ops *ops, struct fs *fs, uint32_t mode);

/*
 * Follow one name from a directory, across mounts, "." and ".." included (at `root` ".." stays there).
 * -ENOTDIR, -ENOENT, -ENAMETOOLONG, or what the file system says. *ret is held for the caller.
 */
int node_lookup(struct node *root, struct node *dir, struct name name, struct node **ret);

/*
 * Make, link, remove, move. `dir` is held by the caller. All: -ENOTDIR, -ENAMETOOLONG, -EPERM (the file system cannot), -ENOENT (the
 * directory has been removed), -EEXIST, -ENOMEM. "." and "..": -EEXIST for new names, -EINVAL for rmdir's ".", -ENOTEMPTY for its "..",
 * -EBUSY for rename. *ret, held, may be NULL where it is not wanted.
 */
int node_create(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct node **ret);
int node_symlink(struct node *dir, struct name name, struct name target, struct node **ret);
int node_link(struct node *dir, struct name name, struct node *node); /* -EPERM: a directory; -EXDEV; -EMLINK */
int node_unlink(struct node *dir, struct name name);                  /* -EISDIR */
int node_rmdir(struct node *dir, struct name name);                   /* -ENOTDIR, -ENOTEMPTY, -EBUSY: mounted */
/*
 * flags: enum linux_rename, one of them at most. -EXDEV, -EINVAL (into itself), -EISDIR, -ENOTDIR, -ENOTEMPTY, -EBUSY.
 */
int node_rename(struct node *from, struct name old_name, struct node *to, struct name new_name, unsigned flags);

/* *ret is for the caller to put. -EINVAL: no symbolic link; -ENOMEM. */
int node_readlink(struct node *node, struct link_target *ret);

/* Set the size; what is new reads as zeros. -EISDIR, -EINVAL (no regular file), -EFBIG, -ENOMEM. */
int node_truncate(struct node *node, uint64_t size);

/* Permissions, owner (-1: as it was), times (NULL: as it was); ctime becomes now. Cannot fail. */
void node_chmod(struct node *node, uint32_t mode);
void node_chown(struct node *node, uint32_t uid, uint32_t gid);
void node_set_times(struct node *node, const struct linux_timespec *atime, const struct linux_timespec *mtime);

/* Cover the directory `at` with `root`, which must cover nothing yet. -ENOTDIR, -EBUSY. */
int node_mount(struct node *at, struct node *root);
/*
 * Uncover what `root` covers; the caller has the last hold of it then (tmpfs_destroy frees a tmpfs). -EINVAL: covers
 * nothing. -EBUSY: covered itself, or a node of its file system has holders besides the mount and the caller.
 */
int node_unmount(struct node *root);

/* As stat(2), statx(2), statfs(2) show it. All bytes are written. */
void node_stat(const struct node *node, struct linux_stat *ret);
void node_statx(const struct node *node, struct linux_statx *ret);
void node_statfs(const struct node *node, struct linux_statfs *ret);

/* The clock that gives nodes their times. Until one is set all times are 0. */
void node_set_clock(struct linux_timespec (*now)(void));
struct linux_timespec node_now(void);
