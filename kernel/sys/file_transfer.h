/*
 * Reading and writing that may have to wait: kernel/fs answers -EAGAIN, and the task waits here and tries again.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/mm/user/user_io.h"

/*
 * Move what `io` has room for, or part of it, as read(2) and write(2) do. The caller holds the file. Returns how many
 * bytes; -ERESTARTSYS (a signal, nothing moved yet), -EAGAIN (O_NONBLOCK), -EFBIG (file_size_check), and the file's
 * errors. A broken pipe also sends SIGPIPE.
 */
int64_t file_transfer(struct file *file, enum file_move how, struct user_io *io, uint64_t offset);

/*
 * Return whether the current process may make a file that long (RLIMIT_FSIZE): 0, or -EFBIG, and SIGXFSZ has been sent.
 */
int file_size_check(uint64_t size);

/*
 * Wait until `ready(file)`; the file's queue is woken when that may change. The caller holds the file. Returns 0, or
 * -ERESTARTSYS: a signal came.
 */
int file_wait(struct file *file, bool (*ready)(struct file *file));
