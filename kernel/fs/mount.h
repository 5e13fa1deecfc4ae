/*
 * Which file system is mounted where: the list of /proc/mounts, and the work of mount(2) and umount(2) on nodes. The
 * list of kinds of file systems is here, too; node_mount() and node_unmount() (node.h) connect two trees.
 */
#pragma once

#include "kernel/fs/node.h"
#include "kernel/lib/list.h"
#include "kernel/lib/tree.h"

struct text;

/* A kind of file system. Fixed after boot. */
struct mount_type {
	const char *name;
	/*
	 * Mounting this kind twice at one place returns -EBUSY, as on Linux, where all its mounts show the same
	 * files.
	 */
	bool single;
	/*
	 * Make a file system; *ret is a reference to its root. `options` as for mount -o, "" for none. Returns 0,
	 * -EINVAL (a bad option), -ENOMEM.
	 */
	int (*create)(const char *options, struct node **ret);
	/*
	 * Change options (MS_REMOUNT). Returns as `create`; on an error the options before the bad one have been
	 * changed. NULL: options are ignored.
	 */
	int (*change)(struct node *root, const char *options);
	/* Free a file system. The caller's reference to the root must be the only one to any of its nodes. */
	void (*destroy)(struct node *root);
	struct mount_type *next; /* next in the list of types; set by mount_type_add() */
};

/* A mounted file system. Guard: tasks only, which the kernel does not preempt. */
struct mount {
	struct node *root; /* a counted reference */
	const struct mount_type *type;
	char *source;              /* mount(2)'s source, a copy in the heap */
	uint64_t number;           /* 1 for the first mount, and one more for each after it; no number comes twice */
	struct tree_node in_order; /* the mount's place in the tree of all, which is sorted by number */
	struct link inside;        /* list of the mounts on nodes of this one's file system, by `beside` */
	struct link beside;        /* the mount's place in `inside` of the mount that it lies on */
};

/* Add a kind of file system, whose name must be new. `type` must stay valid for ever. */
void mount_type_add(struct mount_type *type);

/* Add the lines of /proc/filesystems, "nodev\tNAME", to `text`. */
void mount_list_types(struct text *text);

/* Enter the tree's root as a mount that cannot be unmounted. Call once. Returns 0 or -ENOMEM. */
int mount_set_root(const char *type, struct node *root);

/*
 * Mount a new file system on the directory `at`. flags: MS_…, of which only MS_ATTRIBUTES are used. Returns 0,
 * -ENODEV (no such type), -ENOTDIR, -EBUSY (the type is `single`, and is mounted there already), -EINVAL (options; or
 * `at` is in a file system that was detached), -ENOENT (`at` was removed), -ENOMEM.
 */
int mount_add(const char *type, const char *source, struct node *at, unsigned flags, const char *options);

/*
 * Change flags and options of the file system whose root is `root` (MS_REMOUNT). Returns 0, -EINVAL (not a mount's
 * root, or a bad option), -EBUSY (MS_RDONLY, while files are open for writing).
 */
int mount_change(struct node *root, unsigned flags, const char *options);

/*
 * Move the mount whose root is `root` to the directory `at` (MS_MOVE). Returns 0, -EINVAL (not a mount's root, or the
 * tree's root; `at` lies in a file system that was detached), -ENOENT (`at` was removed), -ELOOP (into itself),
 * -ENOTDIR, -EBUSY (something is mounted on `at`).
 */
int mount_move(struct node *root, struct node *at);

/*
 * Unmount the file system whose root is `root`. Drops the caller's reference to `root`, on an error too. Returns 0,
 * -EINVAL (not a mount's root), -EBUSY (files are open in it, or something is mounted in it, or it is the tree's
 * root).
 */
int mount_remove(struct node *root);

/*
 * Take the mount whose root is `root`, and all that is mounted inside, out of the tree at once (MNT_DETACH). The file
 * systems are freed when no reference to their nodes is left. Drops the caller's reference to `root`, on an error
 * too. Returns 0, -EINVAL (not a mount's root), -EBUSY (the tree's root).
 */
int mount_detach(struct node *root);

/*
 * Do a step of mount_detach(), with mounts inside first. Does not drop the caller's reference, by which the root
 * stays valid. Returns 1 when there is more to do, otherwise what mount_detach() returns.
 */
int mount_detach_some(struct node *root);

/*
 * Add lines of /proc/mounts to `text`, as a process with the root directory `root` sees them, until `text` has
 * `enough` bytes. *place is 0 at first, and says where to go on. Returns whether there are more mounts, of which
 * perhaps none has a line: the others do not lie below `root`.
 */
bool mount_list_some(struct node *root, uint64_t *place, size_t enough, struct text *text);
