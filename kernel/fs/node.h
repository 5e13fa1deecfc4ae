/*
 * Nodes (Linux's inodes): files, directories and links, whatever their names; and the functions that read and change
 * the tree of names. A file system is a set of node operations; kernel/fs/tmpfs.c is one. Nodes and names lie in the
 * heap, contents in frames (kernel/fs/content.h).
 *
 * Guard: tasks only, which the kernel does not preempt: no function here blocks, so each is atomic. Open sections
 * (kernel/sync/open_section.h) may read names, owners, mounts inside the gate `node_names`; interrupt handlers may not.
 * Any page tables may be loaded. An int result is 0 or a negative error number; after an error the tree is as before.
 * `who` are the caller's credentials: only functions with that argument check permissions (permission.h).
 */
#pragma once

#include "kernel/fs/errno.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/linux_file.h"
#include "kernel/fs/linux_stat.h"
#include "kernel/fs/name.h"
#include "kernel/sync/open_section.h"
#include "kernel/sync/turn.h"

struct content;
struct credentials;
struct file;
struct file_locks;
struct node;
struct notify_watch;

/* Attributes of a node that its file system lets nobody set. */
enum node_fixed { FIXED_MODE = 1, FIXED_OWNER = 2, FIXED_TIMES = 4 };

/*
 * The operations of a file system. node.c calls them with names that are neither empty nor "." nor "..", and have at
 * most NAME_MAX bytes; `dir` is a directory. An operation that changes the tree may be NULL: the caller gets -EPERM.
 */
struct node_ops {
	/* Find the node of a name; *ret is a new reference. Returns 0 or -ENOENT. */
	int (*lookup)(struct node *dir, struct name name, struct node **ret);
	/*
	 * Get the first entry at or beyond *position, without "." and "..", and set *position behind it. Positions
	 * rise, from 2 on, as listings have "." and ".." at 0 and 1; an entry keeps its position when others come and
	 * go. Returns 1, or 0 at the end.
	 */
	int (*next)(struct node *dir, uint64_t *position, struct dir_entry *ret);
	/*
	 * Make a node of the type in `mode`, with a name; *ret is a new reference. `device` is for S_IFCHR and S_IFBLK,
	 * `target` for S_IFLNK. Returns 0, -EEXIST, -ENOMEM, -ENOSPC.
	 */
	int (*create)(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		      struct node **ret);
	int (*link)(struct node *dir, struct name name, struct node *node);
	int (*unlink)(struct node *dir, struct name name); /* also removes a directory, if it is empty */
	int (*rename)(struct node *from, struct name old_name, struct node *to, struct name new_name, unsigned flags);
	/* Get the target of a symbolic link. */
	int (*readlink)(struct node *node, struct link_target *ret);
	/* Get the place that a link such as /proc/self/exe leads to without a path; *ret is held. May be NULL. */
	int (*follow)(struct node *node, struct place *ret);
	/*
	 * Get the directory and text of one of the node's names, or of the name that it lost last; valid until the tree
	 * changes. -ENOENT: it never had a name. NULL: nodes of this file system never have one.
	 */
	int (*place)(struct node *node, struct node_place *ret);
	/* Write what /proc shows instead of a path: "pipe:[12]". Returns as snprintf(3). NULL: nodes have paths. */
	size_t (*describe)(const struct node *node, char *buffer, size_t size);
	/* Set `ops`, `data` and `properties` of a new open file of the regular file `node`. NULL: cannot be opened. */
	int (*open)(struct node *node, struct file *file);
	int (*truncate)(struct node *node, uint64_t size);
	/* Return the content of the regular file `node` (content.h). NULL: its file system keeps none. */
	struct content *(*content)(struct node *node);
	/* Return which attributes nobody may set, not even root: a set of enum node_fixed. NULL: none. */
	unsigned (*fixed)(const struct node *node);
	/* Return whether the current task may do what neither mode nor capabilities allow: 0 or -EACCES. NULL: no. */
	int (*permit)(const struct node *node, unsigned access);
	/* Return how many blocks of 512 bytes the content takes in memory. NULL: 0. */
	uint64_t (*blocks)(const struct node *node);
	/* Free the node, whose last reference is gone. node_put drops the reference to `parent` afterwards. */
	void (*free)(struct node *node);
};

struct node {
	const struct node_ops *ops;
	struct fs *fs;
	uint64_t number; /* the inode number */
	uint64_t size;   /* bytes of the content; for a symbolic link, of its target */
	uint64_t device; /* made by DEVICE_NUMBER, for S_IFCHR and S_IFBLK */
	uint32_t mode;   /* type and permissions */
	uint32_t uid, gid;
	uint32_t links; /* number of names; for a directory as Linux counts: 2, and one for each directory in it */
	uint64_t refs;  /* number of references; all names together hold one. Atomic */
	struct linux_timespec atime, mtime, ctime, btime;
	struct node *parent;   /* a directory's parent; in other nodes for their file system; a reference, or NULL */
	uint64_t mounts;       /* how many mounts lie on this node, in whatever mounts it is seen (mount.h) */
	struct pipe *pipe;     /* for a pipe, or a FIFO that is open; or NULL */
	struct socket *socket; /* for an address of AF_UNIX: the socket that has it, without a reference; or NULL */
	/* a regular file's: how many open files and mappings may write to it (writers), how many processes run it */
	uint64_t writers, runners;
	struct notify_watch *watches; /* list of watches, which are told of events (notify.h) */
	struct file_locks *locks;     /* the advisory locks on the file, and who waits; NULL: none was ever set */
	struct turn writing;   /* a mutex, held by a call that writes a regular file in steps, or sets its size */
	struct open_gate gate; /* closed while a regular file's content (content.h), or the pipe, changes */
};

static inline bool node_is(const struct node *node, enum linux_mode type)
{
	return (node->mode & S_IFMT) == type;
}

/* Take a reference to a node. */
static inline struct node *node_get(struct node *node)
{
	__atomic_add_fetch(&node->refs, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&node->fs->refs, 1, __ATOMIC_RELAXED);
	return node;
}

/* Drop a reference to a node; the last one frees it. NULL is allowed. */
void node_put(struct node *node);

/* Take a reference to a node as a process's program. Returns 0, or -ETXTBSY when the file is open for writing. */
int node_run(struct node *node);
/* Drop the reference of node_run(). NULL is allowed. */
void node_run_end(struct node *node);

/* Initialise a new node, for file systems: one reference, no links, all times now, the next number of `fs`. */
void node_init(struct node *node, const struct node_ops *ops, struct fs *fs, uint32_t mode);

/*
 * Look up one name, which must be neither "." nor "..", in `dir`; what is mounted there is not looked at (place.h).
 * *ret is a new reference. Returns 0, -ENOTDIR, -ENOENT, -ENAMETOOLONG, or what the file system returns.
 */
int node_lookup(struct node *dir, struct name name, struct node **ret);

/*
 * Make, link, remove or rename a node. The caller has a reference to `dir`. Each may return -ENOTDIR, -ENAMETOOLONG,
 * -EROFS, -EPERM (the file system cannot, or `who` may not), -EACCES, -ENOENT (also: `dir` has been removed), -EEXIST,
 * -ENOMEM. For "." and ".." a new name gives -EEXIST, node_rmdir -EINVAL or -ENOTEMPTY, node_rename -EBUSY. A new node
 * belongs to `who`, or to the group of a directory with set-group-ID. *ret is a new reference; `ret` may be NULL.
 */
int node_create(struct node *dir, struct name name, const struct credentials *who, uint32_t mode, uint64_t device,
		struct node **ret);
int node_symlink(struct node *dir, struct name name, const struct credentials *who, struct name target,
		 struct node **ret);
/* Further errors: node_link -EPERM (a directory), -EXDEV, -EMLINK; unlink -EISDIR, -EBUSY; rmdir -ENOTEMPTY, -EBUSY. */
int node_link(struct node *dir, struct name name, const struct credentials *who, struct node *node);
int node_unlink(struct node *dir, struct name name, const struct credentials *who);
int node_rmdir(struct node *dir, struct name name, const struct credentials *who);
/*
 * Rename. flags: at most one of enum linux_rename. May also return -EXDEV, -EINVAL (a directory into itself), -EISDIR,
 * -ENOTDIR, -ENOTEMPTY, -EBUSY.
 */
int node_rename(struct node *from, struct name old_name, const struct credentials *who, struct node *to,
		struct name new_name, unsigned flags);

/* Counts moves of nodes to other directories, and of mounts: while it stays the same, so does what ".." means. */
extern uint64_t node_moves;

/* Get a symbolic link's target; the caller calls link_target_put(). Returns 0, -EINVAL (no symbolic link), -ENOMEM. */
int node_readlink(struct node *node, struct link_target *ret);

/* Set a file's size; new bytes are zeros. Returns 0, -EISDIR, -EINVAL, -EROFS, -EPERM, -EFBIG, -EACCES. */
int node_truncate(struct node *node, uint64_t size);
int node_resize_check(const struct node *node); /* the error that node_truncate() returns for every size, or 0 */

/* Fill in what stat(2), statx(2) or statfs(2) show. All bytes are written. */
void node_stat(const struct node *node, struct linux_stat *ret);
void node_statx(const struct place *place, struct linux_statx *ret);
void node_statfs(const struct place *place, struct linux_statfs *ret);

/* Set the function that returns the time for nodes; node_now() calls it. Until it is set all times are 0. */
void node_set_clock(struct linux_timespec (*now)(void));
struct linux_timespec node_now(void);
