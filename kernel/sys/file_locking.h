/*
 * fcntl(2)'s locks, which sys_fd.c passes on.
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

/* One of these commands for `file`, which was found at descriptor `fd`; the struct flock is at user address `at`. */
int64_t fcntl_lock(struct file *file, int fd, unsigned command, uint64_t at);
