/*
 * Functions that the files of kernel/fs/mount*.c share.
 */
#pragma once

#include "kernel/fs/mount.h"

/* Most mounts that one step detaches, copies, or looks at for a list; few, since their paths may be long. */
#define MOUNT_STEP 64

/* Return the kind of file system with that name, or NULL. */
const struct mount_type *mount_find_type(const char *name);

/* Make a mount without a root, which is in no list. Returns 0, -ENOSPC (MOUNTS_MOST), -ENOMEM. */
int mount_make(const struct mount_type *type, const char *source, unsigned flags, struct mount **ret);

/* Free a mount that mount_make() made, and that has no root yet. */
void mount_free(struct mount *mount);

/*
 * Give a mount that mount_make() made its root, whose reference is taken over, a number, and a place among all mounts.
 */
void mount_enlist(struct mount *mount, struct node *root);

/* Attach a mount that is attached nowhere to the place `at`, on which no mount lies. */
void mount_attach(struct mount *mount, const struct place *at);

/* Take a mount off the place that it lies on. */
void mount_unhook(struct mount *mount);

/*
 * Detach some of the mounts inside `top`, and `top` at last; the caller has a reference to it. Returns whether there is
 * more to do.
 */
bool mount_shut_some(struct mount *top);

/*
 * mount_from() returns the mount with the lowest number that is at least `number`; mount_next() the one with the next
 * higher number than `mount`. NULL: there is none.
 */
struct mount *mount_from(uint64_t number);
struct mount *mount_next(const struct mount *mount);

/* Return the mount whose `beside` is *node; NULL for NULL. */
static inline struct mount *mount_beside(struct tree_node *node)
{
	return node ? tree_item(node, struct mount, beside) : NULL;
}

/* Return whether `place` is the root of a mount that has not been unmounted. */
static inline bool mount_is_root(const struct place *place)
{
	return place->mount && place->mount->listed && place->mount->root == place->node;
}
