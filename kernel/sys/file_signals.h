/*
 * The commands of fcntl(2) and ioctl(2) about signals from files (kernel/task/file_owner.h).
 */
#pragma once

#include "kernel/fs/file.h"

/* Do a command of fcntl(2) about owners and their signals. Returns its result; -EINVAL also for any other command. */
int64_t fcntl_owner(struct file *file, unsigned command, uint64_t value);

/*
 * Do fcntl(2)'s F_SETFL for the file of descriptor `fd`: set `flags`, and begin or end signals as O_ASYNC says. Returns
 * 0; or, with nothing changed, -EINVAL (O_DIRECT for a file that is no pipe), -ENOMEM.
 */
int file_signals_set_flags(struct file *file, int fd, unsigned flags);

/*
 * Do the ioctl requests FIOASYNC, and of sockets FIOSETOWN, SIOCSPGRP, FIOGETOWN and SIOCGPGRP. Returns whether
 * `request` is one of them; then *ret is its result.
 */
bool file_signals_ioctl(struct file *file, int fd, unsigned request, uint64_t value, int64_t *ret);
