/*
 * Reading and writing that may have to wait: kernel/fs says -EAGAIN, the task waits here and calls again.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/mm/user/user_io.h"

/*
 * Move what `io` has room for, or part of it, as read(2) and write(2) do. Bytes; -ERESTARTSYS (a signal, nothing moved
 * yet), -EAGAIN (O_NONBLOCK), -EFBIG (file_size_check), and the file's errors. A broken pipe also sends SIGPIPE. The caller holds the file.
 */
int64_t file_transfer(struct file *file, enum file_move how, struct user_io *io, uint64_t offset);

/* Whether the current process may make a file that long (RLIMIT_FSIZE): 0; -EFBIG, and SIGXFSZ is on its way. */
int file_size_check(uint64_t size);

/* Wait until `ready(file)`, which the file's queue tells of; the caller holds the file. 0, -ERESTARTSYS. */
int file_wait(struct file *file, bool (*ready)(struct file *file));
