/*
 * Reads and writes that may block: kernel/fs never blocks, but returns -EAGAIN; the functions here wait and try again.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/mm/user/user_io.h"

/*
 * Read or write the bytes that `io` describes, or some of them, as read(2) and write(2) do. The caller has a reference
 * to the file. Returns how many bytes; or, with nothing moved, -ERESTARTSYS (a signal), -EAGAIN (O_NONBLOCK), -EFBIG
 * (file_size_check), or the file operation's error. A broken pipe also sends SIGPIPE.
 */
int64_t file_transfer(struct file *file, enum file_move how, struct user_io *io, uint64_t offset);

/* Do lseek(2); wait while another call is moving the position. Returns as file_seek, or -EINTR: the task must end. */
int64_t file_transfer_seek(struct file *file, int64_t offset, int whence);

/*
 * Check whether the current process may make a file of `size` bytes (RLIMIT_FSIZE). Returns 0, or -EFBIG after sending
 * SIGXFSZ.
 */
int file_size_check(uint64_t size);

/*
 * Shorten a write that would cross RLIMIT_FSIZE. Returns 0, or -EFBIG when it starts at or beyond the limit; SIGXFSZ
 * has been sent then.
 */
int file_heed_size_limit(const struct file *file, enum file_move how, struct user_io *io, uint64_t offset);

/*
 * Wait until `ready(file)` returns true; `ready` is called whenever the file's queue is woken. The caller has a
 * reference to the file. Returns 0, or -ERESTARTSYS when a signal comes.
 */
int file_wait(struct file *file, bool (*ready)(struct file *file));
