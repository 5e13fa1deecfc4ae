/*
 * Walks along plain paths in open sections; see open_walk.h.
 */
#include "kernel/fs/open_walk.h"

#include "kernel/fs/node_internal.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/place.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/tmpfs_names.h"

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
		place_to_top(&at);
		if (node_is(at.node, S_IFLNK))
			return false;
	} while (*path);
	*ret = at;
	return true;
}
