/*
 * Walks along plain paths in open sections; see open_walk.h.
 */
#include "kernel/fs/open_walk.h"

#include "kernel/fs/node_internal.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/place.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/tmpfs_names.h"

/*
 * Go on in what is mounted on *at, if anything is. Returns false if something is mounted on that as well: there may be
 * any number of mounts on top of each other, and interrupts are off.
 */
static bool cross(struct place *at)
{
	struct mount *mount = unlikely(at->node->mounts) ? mount_on(at) : NULL;

	if (!mount)
		return true;
	*at = (struct place){ mount, mount->root };
	return !at->node->mounts;
}

bool open_walk(const struct path_base *base, const char *path, struct place *ret)
{
	struct place at = *path == '/' ? base->root : base->start;

	do {
		const struct directory_entry *entry;
		struct name name;

		while (*path == '/')
			path++;
		name.text = path;
		while (*path && *path != '/')
			path++;
		name.size = (size_t)(path - name.text);
		if (!name.size || node_is_dots(name) || !node_is(at.node, S_IFDIR) || !tmpfs_is(at.node) ||
		    node_permit(at.node, base->who, ACCESS_EXECUTE) != 0)
			return false;
		entry = directory_find(directory_of(at.node), name);
		if (!entry)
			return false;
		at.node = entry->node;
		if (!cross(&at) || node_is(at.node, S_IFLNK))
			return false;
	} while (*path);
	*ret = at;
	return true;
}
