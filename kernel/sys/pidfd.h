/*
 * Files that stand for a process (pidfd_open(2)). A pid may be given to another process later; such a file means the
 * same process for ever.
 */
#pragma once

#include "kernel/task/find.h"

/*
 * Make a file that stands for `process`, and takes a reference of its own to it; *ret is a reference to the file.
 * flags: O_NONBLOCK or 0. Returns 0 or -ENOMEM.
 */
int pidfd_create(struct process *process, unsigned flags, struct file **ret);

/* Return the process for which a file stands, valid while the caller holds the file; NULL: the file is no pidfd. */
struct process *pidfd_process(const struct file *file);
