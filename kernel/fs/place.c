/*
 * Looks names up across mounts; see place.h.
 */
#include "kernel/fs/place.h"

#include "kernel/fs/node_internal.h"

/* Find what ".." is in `dir`; *ret has no references. Returns 0, or -ENOENT: see place_lookup(). */
static int parent_of(const struct place *root, struct place dir, struct place *ret)
{
	while (!place_is(&dir, root) && dir.mount && dir.node == dir.mount->root && dir.mount->parent)
		dir = (struct place){ dir.mount->parent, dir.mount->at };
	if (!place_is(&dir, root) && !(dir.mount && dir.node == dir.mount->root) && dir.node->parent) {
		if (place_is_of_part(&dir) && !node_is_inside(dir.node, dir.mount->root))
			return -ENOENT;
		dir.node = dir.node->parent;
		place_to_top(&dir);
	}
	*ret = dir;
	return 0;
}

int place_lookup(const struct place *root, const struct place *dir, struct name name, struct place *ret)
{
	int error;

	if (!node_is(dir->node, S_IFDIR))
		return -ENOTDIR;
	if (node_is_dot(name) || node_is_dot_dot(name)) {
		*ret = *dir;
		error = name.size == 1 ? 0 : parent_of(root, *dir, ret);
		if (!error)
			node_get(ret->node);
		return error;
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
