/*
 * The file system of type mqueue: a directory with a file for each POSIX message queue. It is there from boot on, and
 * can be mounted at one place at a time. Guard: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/ipc/mqueue.h"

/* Make the file system, and make it known to mount(2). Call once. Returns 0 or -ENOMEM. */
int mqueue_fs_init(void);

/*
 * Open the queue `name` as mq_open(2) does. flags: O_…; mode: of a queue that is made, without the umask's bits; size:
 * as mqueue_create() gets it. *ret is a reference. Returns 0; -EACCES (a slash in the name, "." or "..", or no
 * permission), -ENAMETOOLONG, -ENOENT, -EEXIST, -EROFS, -EINVAL, and mqueue_create()'s errors.
 */
int mqueue_open(const char *name, unsigned flags, uint32_t mode, const struct mqueue_size *size, struct file **ret);

/* Remove the name of a queue. Returns 0, -EACCES, -EPERM, -EROFS, -ENOENT, -ENAMETOOLONG. */
int mqueue_unlink(const char *name);

/* Return the queue of an open file, which the file holds; NULL: the file is something else. */
struct mqueue *mqueue_of_file(const struct file *file);
