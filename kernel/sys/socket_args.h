/*
 * What the system calls on sockets share: the socket of a descriptor, addresses in user memory, and waiting.
 */
#pragma once

#include "kernel/net/socket.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/wait_until.h"

/*
 * Find the socket of a file; *ret is valid while the caller holds the file. Returns 0, -EBADF (`file` is NULL, or was
 * opened with O_PATH), -ENOTSOCK.
 */
int args_socket(const struct file *file, struct socket **ret);

/* Copy an address of `size` bytes from the user. Returns 0, -EINVAL, -EFAULT. */
int args_name(uint64_t from, uint64_t size, struct socket_name *ret);

/*
 * Copy an address to user address `to`. The number at user address `size_at` says how many bytes there is room for, and
 * is replaced by the whole length. Returns 0, -EINVAL (a negative number), or the errors of copies to the user.
 */
int args_put_name(uint64_t to, uint64_t size_at, const struct socket_name *name);

/* Make a descriptor of a socket, whose reference is taken over, on an error too. Returns the descriptor or an error. */
int64_t args_install_socket(struct socket *socket, uint64_t flags);

/*
 * Find the socket that an address leads to; a path starts at the current process's directories. Returns as
 * socket_ops.find.
 */
int args_find_socket(struct socket *socket, const struct socket_name *name, bool sends, struct socket **ret);

/* Return the deadline for a wait of at most timeout_ns; timeout_ns 0: the wait has no deadline. */
static inline uint64_t socket_deadline(uint64_t timeout_ns)
{
	return timeout_ns ? deadline_in(timeout_ns) : TASK_NO_DEADLINE;
}

/*
 * Return what a call returns whose wait ended with `error`: `late` if the time is over. As on Linux a call with a
 * timeout returns -EINTR after a signal, and is not restarted.
 */
static inline int64_t socket_wait_error(int error, uint64_t timeout_ns, int late)
{
	if (error == -ETIMEDOUT)
		return late;
	return timeout_ns ? -EINTR : -ERESTARTSYS;
}

/*
 * Marks a local variable as a reference to a socket, or NULL; it is dropped where the variable's scope ends.
 */
#define HELD_SOCKET __attribute__((cleanup(socket_leave_scope)))

static inline void socket_leave_scope(struct socket **socket)
{
	socket_put(*socket);
}

/* Make sockets available, and tell them who the calling task is. Call once, before the first program. */
void socket_calls_init(void);
