/*
 * Permissions, owners and times of nodes (inodes): how they are set, and who may set them.
 */
#pragma once

#include "kernel/fs/node.h"

/* Set permissions, owner (UINT32_MAX: unchanged), times (NULL: unchanged), unchecked; ctime becomes now. */
void node_set_mode(struct node *node, uint32_t mode);
void node_set_owner(struct node *node, uint32_t uid, uint32_t gid);
void node_put_times(struct node *node, const struct linux_timespec *atime, const struct linux_timespec *mtime);
void node_own(struct node *node, const struct credentials *who); /* make `who` the owner of a new node */

/*
 * Do the same for a call of `who`; node_touch() sets both times to now, which also who may write may do. A chown clears
 * set-ID bits. Return 0, -EROFS, -EPERM, and node_touch() -EACCES.
 */
int node_chmod(struct node *node, const struct credentials *who, uint32_t mode);
int node_chown(struct node *node, const struct credentials *who, uint32_t uid, uint32_t gid);
int node_set_times(struct node *node, const struct credentials *who, const struct linux_timespec *atime,
		   const struct linux_timespec *mtime);
int node_touch(struct node *node, const struct credentials *who);

/* Clear the set-ID bits of a file that `who` has written to, unless it has CAP_FSETID. */
void node_written(struct node *node, const struct credentials *who);
