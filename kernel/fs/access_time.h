/*
 * When a file was read last (atime), kept as mount(8) says: by default, as relatime, a read is noted only when the file
 * has changed since the read noted last, or when that one is a day old.
 */
#pragma once

#include "kernel/fs/file.h"

/*
 * Set the node's atime to now, after its content was read or mapped, or a link's target read, unless the mount or its
 * file system says otherwise. `mount` is the one by which the node was reached, or NULL. Tasks only; never fails.
 */
void access_time_set(struct node *node, const struct mount *mount);

/* Do that for an open file's node, unless the file has O_NOATIME. */
static inline void access_time_note(const struct file *file)
{
	if (!(file->flags & O_NOATIME))
		access_time_set(file->node, file->mount);
}
