/*
 * Files that no name leads to and that are not pipes: eventfd(2), timerfd_create(2), epoll_create(2).
 */
#pragma once

#include "kernel/fs/file.h"

/*
 * Make an open file with these operations, for reading and writing. kind: "[eventfd]", shown in /proc; must last.
 * flags: O_NONBLOCK or 0. ops->release frees `data`, which stays the caller's on error. Returns 0 or -ENOMEM.
 */
int anonymous_file_create(const char *kind, const struct file_ops *ops, void *data, unsigned flags, struct file **ret);
