/*
 * The locks of fcntl(2): sys_fd.c passes these commands on to sys_lock.c.
 */
#pragma once

#include "kernel/fs/file.h"

enum fcntl_lock_command {
	F_GETLK = 5,
	F_SETLK,
	F_SETLKW,
	F_OFD_GETLK = 36,
	F_OFD_SETLK,
	F_OFD_SETLKW,
};

/*
 * Do one of these commands for `file`, which was found at descriptor `fd`; the struct flock is at user address `at`.
 * Returns 0; -EFAULT, -EINVAL, -EOVERFLOW, -EBADF (not open for that, or `fd` was closed meanwhile), -EAGAIN, -ENOMEM,
 * -EDEADLK (it would wait for ever), -ERESTARTSYS (a signal came while it waited), and the lock is not set.
 */
int64_t fcntl_lock(struct file *file, int fd, unsigned command, uint64_t at);
