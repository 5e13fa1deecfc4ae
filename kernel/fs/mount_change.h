/*
 * The changes of the tree of mounts that mount(2) and pivot_root(2) make. Each function mounts on top of what is
 * mounted on the place `at` already. The caller holds the places that it passes. Errors that many functions share:
 * -EINVAL (the mount was unmounted), -ENOENT (`at` was removed), -ENOTDIR (only one of the two is a directory), -ENOSPC
 * (MOUNTS_MOST), -ENOMEM. After an error the tree is as before.
 *
 * The caller holds the mutex mount_turn if it lets other tasks run between two steps of one change.
 */
#pragma once

#include "kernel/fs/mount.h"

/*
 * A mutex for changes of the tree of mounts: a change in steps relies on a tree that stays the same between its steps.
 */
extern struct turn mount_turn;

/* Enter the tree's root as a mount that cannot be unmounted; *ret is held. Call once. Returns 0 or -ENOMEM. */
int mount_set_root(const char *type, struct node *root, struct place *ret);

/*
 * Mount a new file system on the directory `at`. flags: MS_…, of which MS_OF_MOUNT and MS_OF_FS are used. Returns 0,
 * -ENODEV (no such type), -EBUSY (the type is `single`, and is mounted there already), -EINVAL (also: a bad option).
 */
int mount_add(const char *type, const char *source, const struct place *at, unsigned flags, const char *options);

/*
 * Change flags and options of the file system whose mount's root is `root`, and the mount's flags (MS_REMOUNT). Returns
 * 0, -EINVAL (not a mount's root, or a bad option), -EBUSY (MS_RDONLY, while files are open for writing).
 */
int mount_change(const struct place *root, unsigned flags, const char *options);

/* Change the flags of one mount alone (MS_REMOUNT with MS_BIND). Returns as mount_change. */
int mount_change_flags(const struct place *root, unsigned flags);

/*
 * Move the mount whose root is `root` to `at` (MS_MOVE). Returns 0, -EINVAL (not a mount's root, or the tree's root),
 * -ELOOP (into itself).
 */
int mount_move(const struct place *root, const struct place *at);

/* A bind mount that is being made. It lives on the stack of the task that makes it. */
struct mount_bind {
	struct mount *from;          /* the mount that is copied; held by the caller */
	struct mount *top;           /* the copy, which is attached nowhere yet; a reference */
	struct mount *source, *copy; /* the mount inside `from` whose mounts are copied now, and its copy */
	struct mount *last;          /* the mount inside `source` that was looked at last; NULL: none yet */
};

/*
 * Start to make a bind mount of `from`, which is not in the tree yet. Returns 0, or -EINVAL (unmounted, or unbindable)
 * or -ENOSPC or -ENOMEM: then nothing is left.
 */
int mount_bind_start(struct mount_bind *bind, const struct place *from);

/* Copy some of the mounts below `from` (MS_REC). Returns 1: there are more, 0: none, or -ENOSPC, -ENOMEM. */
int mount_bind_some(struct mount_bind *bind);

/* Put the bind mount on `at`. After an error the caller goes on with mount_bind_undo_some(). */
int mount_bind_end(struct mount_bind *bind, const struct place *at);

/* Free some mounts of a bind mount that was not attached. Returns whether there are more to free. */
bool mount_bind_undo_some(struct mount_bind *bind);

/* Return the mount that follows `mount` in the tree below `top`, which itself is the first; NULL at the end. */
struct mount *mount_after(const struct mount *top, const struct mount *mount);

/*
 * Put the mount whose root is `new` in the place of the one whose root is `root`, and that one on `old`, for
 * pivot_root(2). Returns 0, or the error that pivot_root(2) names.
 */
int mount_pivot(const struct place *root, const struct place *new, const struct place *old);
