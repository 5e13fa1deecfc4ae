/*
 * Pipes and FIFOs: up to 64 KiB on the way from writers to readers, in frames that are allocated when they are filled.
 */
#pragma once

#include "kernel/fs/file.h"

#define PIPE_SIZE       65536
#define PIPE_SMALL_SIZE 8192 /* bytes of a pipe that is made when pipes may take many pages already */

/*
 * How many pages all pipes may take before new pipes are small; 0: any number. As Linux's pipe-user-pages-soft, but it
 * binds root too, who is everybody here. Guard: the kernel, one CPU, not preempted.
 */
extern uint64_t pipe_pages_soft;

/* Return how many bytes a pipe holds at the most. */
uint32_t pipe_capacity(const struct pipe *pipe);

/* Return how many bytes of frames it has. */
uint64_t pipe_bytes(const struct pipe *pipe);

/*
 * Make a pipe: its two ends, one reference each. flags: O_NONBLOCK; O_DIRECT is -EINVAL; O_CLOEXEC is for the
 * descriptors.
 * Returns 0 or -ENOMEM. A write to a pipe without readers is -EPIPE; the caller adds SIGPIPE.
 */
int pipe_create(unsigned flags, struct file **ret_read, struct file **ret_write);

/*
 * Open the end of the FIFO `node` that `file` asks for; file_open calls this. -ENXIO (O_WRONLY | O_NONBLOCK without
 * reader), -ENOMEM.
 */
int pipe_open(struct node *node, struct file *file);

/*
 * Return whether the FIFO's other side has been opened: open(2) without O_NONBLOCK waits in file_queue until then. True
 * for any other file.
 */
bool pipe_open_ready(struct file *file);
