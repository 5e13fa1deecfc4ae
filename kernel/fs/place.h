/*
 * Places: nodes as they are seen by way of a mount. Compares and holds places, and looks names up across mounts.
 *
 * Guard: tasks only, which the kernel does not preempt: no function here blocks.
 */
#pragma once

#include "kernel/fs/mount.h"
#include "kernel/lib/likely.h"

static inline bool place_is(const struct place *a, const struct place *b)
{
	return a->node == b->node && a->mount == b->mount;
}

/* Hold a place: take a reference to its node and to its mount. */
static inline struct place place_get(struct place place)
{
	node_get(place.node);
	mount_get(place.mount);
	return place;
}

/* Drop the references of a place that is held; one without a node is allowed. */
static inline void place_put(struct place place)
{
	node_put(place.node);
	mount_put(place.mount);
}

/* Replace *place by the root of what was mounted last on it, if anything is. No reference is taken or dropped. */
static inline void place_to_top(struct place *place)
{
	while (unlikely(place->node->mounts)) {
		struct mount *mount = mount_on(place);

		if (!mount)
			return;
		*place = (struct place){ mount, mount->root };
	}
}

/* Return whether a place is seen by way of a mount that shows a part of the file system only. */
static inline bool place_is_of_part(const struct place *place)
{
	return place->mount && place->mount->root != place->node->fs->root;
}

/*
 * Look up one name, which may be "." or "..", in the directory `dir`. Mounts are crossed, and ".." of `root` is `root`.
 * ret->node is a new reference; ret->mount has none: the tree's reference keeps the mount until other tasks run.
 * Returns 0, -ENOTDIR, -ENOENT (as on Linux also for ".." of a directory that was moved out of the part of the file
 * system that its mount shows), -ENAMETOOLONG, or what the file system returns.
 *
 * If place_is_of_part(), ".." takes time for each directory between `dir` and the mount's root.
 */
int place_lookup(const struct place *root, const struct place *dir, struct name name, struct place *ret);

/* Return the place of a node by the oldest mount of its file system, without references. */
static inline struct place place_of_node(struct node *node)
{
	return (struct place){ node->fs->mount, node };
}

/*
 * Return whether `node` is the directory `dir`, or lies below it in its file system; of a file with several names only
 * one counts.
 */
bool place_is_inside(struct node *node, const struct node *dir);
