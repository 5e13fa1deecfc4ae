/*
 * Makes open files that have no name in the tree, as for eventfd(2), timerfd_create(2) and epoll_create(2). Pipes are
 * made in pipe.c.
 */
#pragma once

#include "kernel/fs/file.h"

/*
 * Make an open file with the operations `ops`, for reading and writing; *ret is a reference to it. kind: the name that
 * /proc shows, such as "[eventfd]"; the string must stay valid for ever. flags: O_NONBLOCK or 0. `data` becomes
 * file->data, and ops->release must free it; on an error the caller frees it. Returns 0 or -ENOMEM.
 */
int anonymous_file_create(const char *kind, const struct file_ops *ops, void *data, unsigned flags, struct file **ret);
