/*
 * Sets the time when a file was last read (atime); see access_time.h.
 */
#include "kernel/fs/access_time.h"

#include "kernel/fs/linux_mount.h"
#include "kernel/fs/mount.h"

#define DAY (24 * 60 * 60)

/* Return whether `a` is before `b`, or the same time. */
static bool is_not_after(const struct linux_timespec *a, const struct linux_timespec *b)
{
	return a->seconds < b->seconds || (a->seconds == b->seconds && a->nanoseconds <= b->nanoseconds);
}

/* Return whether a read made now must set the node's atime; *ret_now is then the time to set it to. */
static bool is_due(const struct node *node, const struct mount *mount, struct linux_timespec *ret_now)
{
	const unsigned flags = mount ? mount->flags : MS_RELATIME;
	struct linux_timespec now;

	if (flags & (MS_NOATIME | MS_RDONLY) || (flags & MS_NODIRATIME && node_is(node, S_IFDIR)) ||
	    fs_is_read_only(node->fs))
		return false;
	now = node_now();
	if (flags & MS_RELATIME && !is_not_after(&node->atime, &node->mtime) &&
	    !is_not_after(&node->atime, &node->ctime) && now.seconds - node->atime.seconds < DAY)
		return false;
	*ret_now = now;
	return true;
}

void access_time_set(struct node *node, const struct mount *mount)
{
	struct linux_timespec now;

	if (is_due(node, mount, &now))
		node->atime = now;
}

bool access_time_is_due(const struct file *file)
{
	struct linux_timespec now;

	return !(file->flags & O_NOATIME) && is_due(file->node, file->mount, &now);
}
