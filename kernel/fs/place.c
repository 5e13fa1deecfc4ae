/*
 * How names are looked up across mounts; see place.h.
 */
#include "kernel/fs/place.h"

#include "kernel/fs/node_internal.h"

/* Return what ".." is in `dir`, without references. */
static struct place parent_of(const struct place *root, struct place dir)
{
	while (!place_is(&dir, root) && dir.mount && dir.node == dir.mount->root && dir.mount->parent)
		dir = (struct place){ dir.mount->parent, dir.mount->at };
	if (place_is(&dir, root) || (dir.mount && dir.node == dir.mount->root) || !dir.node->parent)
		return dir;
	dir.node = dir.node->parent;
	place_to_top(&dir);
	return dir;
}

int place_lookup(const struct place *root, const struct place *dir, struct name name, struct place *ret)
{
	int error;

	if (!node_is(dir->node, S_IFDIR))
		return -ENOTDIR;
	if (node_is_dot(name) || node_is_dot_dot(name)) {
		*ret = name.size == 1 ? *dir : parent_of(root, *dir);
		node_get(ret->node);
		return 0;
	}
	if (name.size > NAME_MAX)
		return -ENAMETOOLONG;
	ret->mount = dir->mount;
	error = dir->node->ops->lookup(dir->node, name, &ret->node);
	if (!error && unlikely(ret->node->mounts)) {
		struct node *below = ret->node;

		place_to_top(ret);
		node_get(ret->node);
		node_put(below);
	}
	return error;
}

bool place_is_inside(struct node *node, const struct node *dir)
{
	struct node_place place;

	if (node == dir || node_is(node, S_IFDIR))
		return node_is_inside(node, dir);
	return node->ops->place && node->ops->place(node, &place) == 0 && node_is_inside(place.dir, dir);
}
