/*
 * Pipes and FIFOs: up to 64 KiB on the way from writers to readers, in frames that are taken as they fill.
 */
#pragma once

#include "kernel/fs/file.h"

#define PIPE_SIZE 65536

/*
 * pipe2(2): the two ends, one reference each. flags: O_NONBLOCK, O_DIRECT is -EINVAL; O_CLOEXEC is the descriptors'.
 * -ENOMEM. A write to a pipe without readers is -EPIPE; the caller adds SIGPIPE.
 */
int pipe_create(unsigned flags, struct file **ret_read, struct file **ret_write);

/*
 * For file_open: the end of the FIFO `node` that `file` wants. -ENXIO (O_WRONLY | O_NONBLOCK without reader), -ENOMEM.
 */
int pipe_open(struct node *node, struct file *file);

/*
 * Has the FIFO's other side been opened? open(2) without O_NONBLOCK waits in file_queue until it has. True for all
 * else.
 */
bool pipe_open_ready(struct file *file);
