/*
 * Control data of messages (cmsg(3)): files and senders, which come with the bytes.
 */
#pragma once

#include "kernel/sys/socket_args.h"

/* Where received control data goes. Guard: only the calling task uses it. */
struct control_room {
	uint64_t start, at, left; /* user address of the buffer, and of what is left of it */
	unsigned flags;           /* MSG_CTRUNC: not all did fit */
	int32_t *installed;       /* descriptors that were made; a heap block, or NULL */
	unsigned count;           /* how many */
};

/*
 * Get what a message sends besides bytes from `size` bytes at `from`: sets message->passed, a new object, and `sender`.
 * Returns 0, -EINVAL, -EBADF, -ENOBUFS (`size` is too large), -ENOMEM, -EFAULT, -EPERM (the caller may
 * not name that sender), -ESRCH (no such process).
 */
int control_get(uint64_t from, uint64_t size, struct socket_message *message);

/*
 * Put what a received message has besides bytes. New descriptors are `installed` then: the caller calls control_end(),
 * which frees the list, and takes the descriptors back if the call fails. Returns 0, -EFAULT, -ENOMEM.
 */
int control_put(struct control_room *room, const struct socket_message *message, unsigned flags);
void control_end(struct control_room *room, bool failed);
