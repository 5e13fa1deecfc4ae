/*
 * Keeps the time when a file was last read (atime), as the mount's options say (mount(8)). By default (relatime) a read
 * sets it only when the file has changed since the atime, or when the atime is a day old.
 */
#pragma once

#include "kernel/fs/file.h"

/*
 * Set the node's atime to now, after its content was read or mapped, or a link's target read, unless the mount or its
 * file system says otherwise. `mount` is the one by which the node was reached, or NULL. Tasks only; never fails.
 */
void access_time_set(struct node *node, const struct mount *mount);

/*
 * Return whether access_time_note() would change the atime now. Open sections (kernel/sync/open_section.h) may call
 * this, but must not set an atime.
 */
bool access_time_is_due(const struct file *file);

/* Do access_time_set() for an open file's node, unless the file has O_NOATIME. Does nothing in an open section. */
static inline void access_time_note(const struct file *file)
{
	if (!(file->flags & O_NOATIME) && !open_section_is_here())
		access_time_set(file->node, file->mount);
}
