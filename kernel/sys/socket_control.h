/*
 * Control data of messages (cmsg(3)): files and senders, which come with the bytes.
 */
#pragma once

#include "kernel/sys/socket_args.h"

/* Where the control data of a receive goes. Guard: only the calling task uses it. */
struct control_room {
	/* user addresses of the buffer and of what is left of it, and the bytes that are left */
	uint64_t start, at, left;
	unsigned flags;     /* MSG_CTRUNC: not all of the control data has fitted; or 0 */
	int32_t *installed; /* descriptors that were made; a heap block, or NULL */
	unsigned count;     /* number of descriptors in `installed` */
};

/*
 * Get the control data of a send from `size` bytes at user address `from`: sets message->passed, a new object, and the
 * message's sender.
 * Returns 0, -EINVAL, -EBADF, -ENOBUFS (`size` is too large), -ENOMEM, -EFAULT, -EPERM (the caller may
 * not name that sender), -ESRCH (no such process).
 */
int control_get(uint64_t from, uint64_t size, struct socket_message *message);

/*
 * Write the control data of a received message to the user, and make descriptors of its files. The caller then calls
 * control_end(), which frees the list of the new descriptors, and if the call has `failed` closes them. Returns 0,
 * -ENOMEM, or the errors of copies to the user.
 */
int control_put(struct control_room *room, const struct socket_message *message, unsigned flags);
void control_end(struct control_room *room, bool failed);
