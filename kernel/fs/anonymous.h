/*
 * Files that no name leads to and that are no pipes: eventfd(2), timerfd_create(2), epoll_create(2).
 */
#pragma once

#include "kernel/fs/file.h"

/*
 * One with these operations, open for reading and writing. kind: "[eventfd]", for /proc; kept. flags: O_NONBLOCK or 0.
 * ops->release frees `data`, which stays the caller's on error. -ENOMEM.
 */
int anonymous_file_create(const char *kind, const struct file_ops *ops, void *data, unsigned flags, struct file **ret);
