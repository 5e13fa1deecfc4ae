/*
 * Checks what the owner of some credentials may do to nodes (inodes): the permission bits, the capabilities that go
 * beyond them, and the rules about owners, sticky directories and links (path_resolution(7), capabilities(7)). As with
 * Debian's settings, hard links are made only to files that the caller owns or could read and write, and the last link
 * of a path is not followed in a sticky directory that all may write to if a stranger made it (proc(5):
 * protected_hardlinks, protected_symlinks).
 */
#pragma once

#include "kernel/fs/credentials.h"
#include "kernel/fs/node.h"
#include "kernel/lib/likely.h"

/* Ways to use a node. For a directory ACCESS_EXECUTE is the right to search it. */
enum node_access {
	ACCESS_EXECUTE = 1,
	ACCESS_WRITE = 2,
	ACCESS_READ = 4,
};

/* multiplied by a set of accesses: the mode's bits that allow them to owner, group and others */
#define ACCESS_CLASSES 0111U

/* Do the rest of node_permit(), when the mode does not allow everybody all of `access`. */
int node_permit_some(const struct node *node, const struct credentials *who, unsigned access);

/*
 * Check whether `who` may use a node in all the ways of `access`, a set of enum node_access. Returns 0, -EACCES, or
 * -EROFS.
 */
static inline int node_permit(const struct node *node, const struct credentials *who, unsigned access)
{
	/* What the mode lets everybody read or search, neither a read-only file system nor node_ops.permit forbids. */
	if (!(access & ACCESS_WRITE) && likely(!(access * ACCESS_CLASSES & ~node->mode)))
		return 0;
	return node_permit_some(node, who, access);
}

/* Return whether `who` may do what only a node's owner may: it is the owner, or has CAP_FOWNER. */
static inline bool node_permit_owner(const struct node *node, const struct credentials *who)
{
	return node->uid == who->uid.fs || credentials_can(who, CAP_FOWNER);
}

/* Check whether `who` may open a node with open(2)'s flags. Returns 0, -EACCES, -EROFS, -EISDIR, -EPERM (O_NOATIME). */
int node_permit_open(const struct node *node, const struct credentials *who, unsigned flags);

/* Check whether `who` may give a new node of `mode` a name in `dir`. Returns 0, -EACCES, -EROFS, -EPERM (a device). */
int node_permit_create(const struct node *dir, const struct credentials *who, uint32_t mode);

/* Check whether `who` may remove the name of `node` from `dir`. Returns 0, -EACCES, -EROFS, -EPERM (sticky). */
int node_permit_remove(const struct node *dir, const struct credentials *who, const struct node *node);

/* Check whether `who` may give `node` one more name in `dir`. Returns 0, -EACCES, -EROFS, -EPERM. */
int node_permit_link(const struct node *dir, const struct credentials *who, const struct node *node);

/* Check whether `who` may follow `link`, the last name of a path, out of `dir`. Returns 0 or -EACCES. */
int node_permit_follow(const struct node *dir, const struct credentials *who, const struct node *link);
