/*
 * fcntl(2)'s commands for locks, which sys_fd.c passes on to sys_lock.c.
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
 * Do a command (enum fcntl_lock_command) for `file`, the file of descriptor `fd`; the struct flock is at user address
 * `at`. Returns 0; or, without setting a lock, -EFAULT, -EINVAL, -EOVERFLOW, -EBADF (the file is not open for reading
 * or writing, or `fd` was closed meanwhile), -EAGAIN, -ENOMEM, -EDEADLK (it would wait for ever), -ERESTARTSYS (a
 * signal came while it waited).
 */
int64_t fcntl_lock(struct file *file, int fd, unsigned command, uint64_t at);
