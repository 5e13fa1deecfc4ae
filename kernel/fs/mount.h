/*
 * Which file system is mounted where: the list behind /proc/mounts, and mount(2) and umount(2) without their pointers.
 * node_mount and node_unmount cover a directory; the kinds of file systems and the rules are here.
 */
#pragma once

#include "kernel/fs/node.h"

struct text;

/* A kind of file system. Fixed after boot. */
struct mount_type {
	const char *name;
	bool single; /* Linux has one such file system for all mounts: mounting it again at the same place is -EBUSY */
	/*
	 * Make a file system, its root held in *ret. `options` as for mount -o, "" for none. -EINVAL (an option),
	 * -ENOMEM.
	 */
	int (*create)(const char *options, struct node **ret);
	/*
	 * Change options (MS_REMOUNT). Errors as create's; options before a bad one are in force. NULL: options are
	 * ignored.
	 */
	int (*change)(struct node *root, const char *options);
	/* End a file system. Of its nodes only the root is held, by the caller. */
	void (*destroy)(struct node *root);
	struct mount_type *next; /* used by the list */
};

/* Guard: the kernel, one CPU, not preempted. */
struct mount {
	struct node *root; /* held */
	const struct mount_type *type;
	char *source;       /* a block of the heap */
	bool goes;          /* while mount_detach runs: it lies inside what is detached */
	struct mount *next; /* later in the order of mounting */
};

/* Add a kind of file system, whose name must be new. It must last. */
void mount_type_add(struct mount_type *type);

/* Add the lines of /proc/filesystems, "nodev\tNAME", to `text`. */
void mount_list_types(struct text *text);

/* Mount the root of the tree, which nobody can unmount. Called once. Returns 0 or -ENOMEM. */
int mount_set_root(const char *type, struct node *root);

/*
 * Mount a new file system on the directory `at`. flags: MS_…, only the attributes count. Returns 0, -ENODEV (no such
 * type), -ENOTDIR, -EBUSY (mounted there already, and `single`), -EINVAL (options), -ENOMEM.
 */
int mount_add(const char *type, const char *source, struct node *at, unsigned flags, const char *options);

/*
 * Change flags and options of the file system whose root is `root` (MS_REMOUNT). Returns 0, -EINVAL (not a root; an
 * option), -EBUSY (MS_RDONLY, while files are open for writing).
 */
int mount_change(struct node *root, unsigned flags, const char *options);

/*
 * Move a mount to `at` (MS_MOVE). Returns 0, -EINVAL (not a root, or the tree's), -ELOOP (into itself), -ENOTDIR,
 * -EBUSY.
 */
int mount_move(struct node *root, struct node *at);

/*
 * Unmount the file system whose root is `root`. Drops the caller's reference to that, on error too. Returns 0, -EINVAL
 * (not a root), -EBUSY (somebody uses it, or something is mounted in it, or it is the tree's root).
 */
int mount_remove(struct node *root);

/*
 * Unmount at once, with all that is mounted inside (MNT_DETACH); the file system ends when nobody uses it any more.
 * Drops the caller's reference, too. Returns 0, -EINVAL (not a root), -EBUSY (the tree's root).
 */
int mount_detach(struct node *root);

/* Add the lines of /proc/mounts to `text`, as somebody with this root sees them. */
void mount_list(struct node *root, struct text *text);
