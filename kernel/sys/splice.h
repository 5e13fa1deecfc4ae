/*
 * Moves bytes from a file to a pipe without copying them through a program's memory.
 */
#pragma once

#include "kernel/fs/file.h"

#define SPLICE_PIECE 16384 /* bytes that are copied at once, through a buffer in the heap */

/*
 * Move up to `size` bytes from `in` to the pipe `out`, as many as the pipe has room for. *offset: where to read, is
 * advanced; it is not used for a file without FILE_SEEKS. nonblock: do not wait for room, nor for bytes of a socket.
 * Returns how many bytes, 0 at the end of `in`; or -EAGAIN, -EPIPE (SIGPIPE has been sent), -ERESTARTSYS, -EINVAL (a
 * file from which nothing can be spliced), -ENOMEM, or what a read of `in` returns.
 */
int64_t splice_to_pipe(struct file *in, uint64_t *offset, struct file *out, uint64_t size, bool nonblock);
