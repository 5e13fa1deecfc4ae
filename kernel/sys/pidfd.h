/*
 * Files that stand for a process (pidfd_open(2)): unlike its number they mean the same process for ever.
 */
#pragma once

#include "kernel/task/find.h"

/* Make a file of a process, of which it takes a reference; *ret is a reference. flags: O_NONBLOCK or 0. */
int pidfd_create(struct process *process, unsigned flags, struct file **ret);

/* Return the process of a file, good as long as the file is held; NULL: the file is no pidfd. */
struct process *pidfd_process(const struct file *file);
