/*
 * Permissions, owners and times of nodes (inodes): how they are set, and who may set them.
 */
#pragma once

#include "kernel/fs/node.h"

/*
 * Set a node's permissions, its owner (UINT32_MAX: an ID stays), or its times (NULL: a time stays), and its ctime to
 * now. Whether the caller may do so is not checked.
 */
void node_set_mode(struct node *node, uint32_t mode);
void node_set_owner(struct node *node, uint32_t uid, uint32_t gid);
void node_put_times(struct node *node, const struct linux_timespec *atime, const struct linux_timespec *mtime);
void node_own(struct node *node, const struct credentials *who); /* make `who` the owner of a new node */

/*
 * Set a node's permissions, owner or times if `who` may; node_touch() sets both times to now, for which the right to
 * write is enough. node_chown() clears set-ID bits. Return 0, -EROFS or -EPERM; node_touch() also -EACCES. After an
 * error nothing has changed.
 */
int node_chmod(struct node *node, const struct credentials *who, uint32_t mode);
int node_chown(struct node *node, const struct credentials *who, uint32_t uid, uint32_t gid);
int node_set_times(struct node *node, const struct credentials *who, const struct linux_timespec *atime,
		   const struct linux_timespec *mtime);
int node_touch(struct node *node, const struct credentials *who);

/* Drop the capabilities of a file that `who` has written to, and, unless `who` has CAP_FSETID, its set-ID bits. */
void node_written(struct node *node, const struct credentials *who);
