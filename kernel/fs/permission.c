/*
 * Checks what credentials allow to be done to nodes; see permission.h.
 */
#include "kernel/fs/permission.h"

/* Return the permissions that the mode gives `who`: a set of enum node_access in the low three bits. */
static unsigned class_bits(const struct node *node, const struct credentials *who)
{
	uint32_t mode = node->mode;

	if (node->uid == who->uid.fs)
		return mode >> 6;
	/* Search the groups only if the group's permissions differ from those of others. */
	if ((mode ^ mode >> 3) & 7 && credentials_in_group(who, node->gid))
		return mode >> 3;
	return mode;
}

/* Return whether capabilities allow what the mode does not. */
static bool overrides(const struct node *node, const struct credentials *who, unsigned access)
{
	if (node_is(node, S_IFDIR)) {
		if (!(access & ACCESS_WRITE) && credentials_can(who, CAP_DAC_READ_SEARCH))
			return true;
		return credentials_can(who, CAP_DAC_OVERRIDE);
	}
	if (access == ACCESS_READ && credentials_can(who, CAP_DAC_READ_SEARCH))
		return true;
	/* Even root executes only a file that has an execute bit for somebody. */
	return (!(access & ACCESS_EXECUTE) || node->mode & MODE_EXECUTE) && credentials_can(who, CAP_DAC_OVERRIDE);
}

int node_permit_some(const struct node *node, const struct credentials *who, unsigned access)
{
	if (access & ACCESS_WRITE && fs_is_read_only(node->fs) &&
	    (node_is(node, S_IFREG) || node_is(node, S_IFDIR) || node_is(node, S_IFLNK)))
		return -EROFS;
	if (!(access & ~class_bits(node, who)) || overrides(node, who, access))
		return 0;
	return node->ops->permit ? node->ops->permit(node, access) : -EACCES;
}

int node_permit_open(const struct node *node, const struct credentials *who, unsigned flags)
{
	static const unsigned char accesses[] = { ACCESS_READ, ACCESS_WRITE, ACCESS_READ | ACCESS_WRITE,
						  ACCESS_READ | ACCESS_WRITE };
	unsigned access = accesses[flags & O_ACCMODE] | (flags & O_TRUNC ? ACCESS_WRITE : 0U);
	int error;

	if (access & ACCESS_WRITE && node_is(node, S_IFDIR))
		return -EISDIR;
	error = node_permit(node, who, access);
	if (!error && flags & O_NOATIME && !node_permit_owner(node, who))
		error = -EPERM;
	return error;
}

int node_permit_create(const struct node *dir, const struct credentials *who, uint32_t mode)
{
	const uint32_t type = mode & S_IFMT;
	int error = node_permit(dir, who, ACCESS_WRITE | ACCESS_EXECUTE);

	if (!error && (type == S_IFCHR || type == S_IFBLK) && !credentials_can(who, CAP_MKNOD))
		error = -EPERM;
	return error;
}

int node_permit_remove(const struct node *dir, const struct credentials *who, const struct node *node)
{
	int error = node_permit(dir, who, ACCESS_WRITE | ACCESS_EXECUTE);

	if (!error && dir->mode & S_ISVTX && dir->uid != who->uid.fs && !node_permit_owner(node, who))
		error = -EPERM;
	return error;
}

/* Return whether a hard link, which the file's owner may not know of and so not remove, gives `who` no new rights. */
static bool is_safe_to_link(const struct node *node, const struct credentials *who)
{
	const uint32_t as_group = S_ISGID | 010;

	return node_is(node, S_IFREG) && !(node->mode & S_ISUID) && (node->mode & as_group) != as_group &&
	       node_permit(node, who, ACCESS_READ | ACCESS_WRITE) == 0;
}

int node_permit_link(const struct node *dir, const struct credentials *who, const struct node *node)
{
	if (!node_permit_owner(node, who) && !is_safe_to_link(node, who))
		return -EPERM;
	return node_permit(dir, who, ACCESS_WRITE | ACCESS_EXECUTE);
}

int node_permit_follow(const struct node *dir, const struct credentials *who, const struct node *link)
{
	const uint32_t shared = S_ISVTX | 02;

	if ((dir->mode & shared) != shared || link->uid == who->uid.fs || link->uid == dir->uid)
		return 0;
	return -EACCES;
}
