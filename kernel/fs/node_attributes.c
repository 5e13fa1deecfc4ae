/*
 * Sets permissions, owners and times of nodes (inodes); see node_attributes.h.
 */
#include "kernel/fs/node_attributes.h"

#include "kernel/fs/attributes.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/open_objects.h"
#include "kernel/fs/permission.h"

void node_set_mode(struct node *node, uint32_t mode)
{
	node->mode = (node->mode & ~(uint32_t)MODE_PERMISSIONS) | (mode & MODE_PERMISSIONS);
	node->ctime = node_now();
}

/* Return 0, or the error when the file system lets nobody set the attribute. */
static int check_settable(const struct node *node, unsigned attribute)
{
	if (fs_is_read_only(node->fs))
		return -EROFS;
	return node->ops->fixed && node->ops->fixed(node) & attribute ? -EPERM : 0;
}

int node_chmod(struct node *node, const struct credentials *who, uint32_t mode)
{
	const int error = check_settable(node, FIXED_MODE);

	if (error)
		return error;
	if (!node_permit_owner(node, who))
		return -EPERM;
	/* Only a member of a group may make programs that run as that group. */
	if (!credentials_in_group(who, node->gid) && !credentials_can(who, CAP_FSETID))
		mode &= ~(uint32_t)S_ISGID;
	node_set_mode(node, mode);
	notify_node(node, IN_ATTRIB);
	return 0;
}

void node_set_owner(struct node *node, uint32_t uid, uint32_t gid)
{
	open_gate_close(&node_names);
	if (uid != UINT32_MAX)
		node->uid = uid;
	if (gid != UINT32_MAX)
		node->gid = gid;
	open_gate_open(&node_names);
	node->ctime = node_now();
}

/* Return the set-ID bits of a file that are cleared when `who` changes its owner or writes to it. */
static uint32_t bits_to_drop(const struct node *node, const struct credentials *who)
{
	uint32_t bits = S_ISUID;

	if (node->mode & 010 || !(credentials_in_group(who, node->gid) || credentials_can(who, CAP_FSETID)))
		bits |= S_ISGID;
	return bits;
}

int node_chown(struct node *node, const struct credentials *who, uint32_t uid, uint32_t gid)
{
	const bool owner = node->uid == who->uid.fs, can = credentials_can(who, CAP_CHOWN);
	/*
	 * A chown(2) of neither user nor group only sets the ctime and clears the set-ID bits, so a fixed owner is no
	 * reason to refuse it.
	 */
	const int error = check_settable(node, uid == UINT32_MAX && gid == UINT32_MAX ? 0 : FIXED_OWNER);

	if (error)
		return error;
	if (uid != UINT32_MAX && !can && !(owner && uid == node->uid))
		return -EPERM;
	if (gid != UINT32_MAX && !can && !(owner && (gid == node->gid || credentials_in_group(who, gid))))
		return -EPERM;
	/* As on Linux, a change of owner clears the set-ID bits: they would give the program its new owner's rights. */
	if (!node_is(node, S_IFDIR)) {
		node->mode &= ~bits_to_drop(node, who);
		attribute_drop_capabilities(node);
	}
	node_set_owner(node, uid, gid);
	if (uid != UINT32_MAX || gid != UINT32_MAX)
		notify_node(node, IN_ATTRIB);
	return 0;
}

void node_written(struct node *node, const struct credentials *who)
{
	attribute_drop_capabilities(node);
	if (!node_is(node, S_IFREG) || credentials_can(who, CAP_FSETID) || !(node->mode & bits_to_drop(node, who)))
		return;
	node->mode &= ~bits_to_drop(node, who);
	notify_node(node, IN_ATTRIB);
}

void node_put_times(struct node *node, const struct linux_timespec *atime, const struct linux_timespec *mtime)
{
	if (atime)
		node->atime = *atime;
	if (mtime)
		node->mtime = *mtime;
	node->ctime = node_now();
}

int node_set_times(struct node *node, const struct credentials *who, const struct linux_timespec *atime,
		   const struct linux_timespec *mtime)
{
	const int error = check_settable(node, FIXED_TIMES);

	if (error)
		return error;
	if (!node_permit_owner(node, who))
		return -EPERM;
	node_put_times(node, atime, mtime);
	/* As on Linux, setting only the atime is reported as a read, setting only the mtime as a write. */
	notify_node(node, atime && mtime ? IN_ATTRIB : atime ? IN_ACCESS : IN_MODIFY);
	return 0;
}

int node_touch(struct node *node, const struct credentials *who)
{
	const struct linux_timespec now = node_now();
	int error = check_settable(node, FIXED_TIMES);

	if (!error && !node_permit_owner(node, who))
		error = node_permit(node, who, ACCESS_WRITE);
	if (error)
		return error;
	node_put_times(node, &now, &now);
	notify_node(node, IN_ATTRIB);
	return 0;
}
