/*
 * Pipes and FIFOs. A pipe holds up to 64 KiB between writers and readers, or what F_SETPIPE_SZ says, in frames that are
 * allocated when bytes are written.
 */
#pragma once

#include "kernel/fs/file.h"

#define PIPE_PROPERTIES (FILE_STREAM | FILE_USES_UP | FILE_OPEN_POLLS) /* file->properties of a pipe's ends */

#define PIPE_SMALL_SIZE 8192 /* capacity of a new pipe if 64 KiB would lead beyond pipe_pages_soft */

/*
 * The sum of all pipes' capacities, in pages, beyond which new pipes get PIPE_SMALL_SIZE; 0: no limit. This is Linux's
 * pipe-user-pages-soft, except that one sum counts the pipes of all users, root's too. Guard: tasks only, which the
 * kernel does not preempt.
 */
extern uint64_t pipe_pages_soft;

/*
 * The largest capacity in bytes that a task without CAP_SYS_RESOURCE can give a pipe: Linux's pipe-max-size. A power of
 * two, at least a page and at most PIPE_MOST_SIZE. Guard: tasks only, which the kernel does not preempt.
 */
#define PIPE_MOST_SIZE (1U << 31)
extern uint64_t pipe_most_size;

/* Return the most bytes that `who` may give to a pipe; NULL is the kernel. */
uint64_t pipe_most_for(const struct credentials *who);

/* Return the capacity for a pipe of `bytes`: a power of two, at least a page. bytes: at most PIPE_MOST_SIZE. */
uint64_t pipe_size_for(uint64_t bytes);

/* Return how many bytes a pipe holds at the most. */
uint32_t pipe_capacity(const struct pipe *pipe);

/*
 * Give a pipe room for `bytes`, rounded up to a power of two that is at least a page, as F_SETPIPE_SZ does. Returns the
 * capacity, -EINVAL (beyond 2^31), -EPERM (it would grow beyond what `who` may have, or all pipes together beyond
 * pipe_pages_soft), -EBUSY (the pipe has more bytes or packets), -ENOMEM.
 */
int64_t pipe_resize(struct pipe *pipe, const struct credentials *who, uint32_t bytes);

/*
 * For splice(2): return how many bytes the pipe has, or has room for (none while all slots have packets); and whether
 * it is open for writing, reading.
 */
uint64_t pipe_fill(const struct pipe *pipe);
uint64_t pipe_room(const struct pipe *pipe);
bool pipe_has_writers(const struct pipe *pipe);
bool pipe_has_readers(const struct pipe *pipe);

/*
 * pipe_peek() copies up to `most` of the oldest bytes to a buffer in the heap, and returns how many; pipe_skip() drops
 * `size` bytes, which the pipe must have, and wakes writers. No other task may run between a pipe_peek() and the
 * pipe_skip() of its bytes.
 */
size_t pipe_peek(const struct pipe *pipe, void *buffer, size_t most);
void pipe_skip(struct pipe *pipe, size_t size);

/* Return how many bytes of memory the pipe's frames take now. */
uint64_t pipe_bytes(const struct pipe *pipe);

/*
 * Make a pipe for `who` and open its two ends; *ret_read and *ret_write are references. flags: O_NONBLOCK; O_DIRECT:
 * what is written becomes packets (pipe_packets.h); O_CLOEXEC is ignored. Returns 0 or -ENOMEM. A write to a pipe
 * without readers returns -EPIPE; the system call sends SIGPIPE.
 */
int pipe_create(const struct credentials *who, unsigned flags, struct file **ret_read, struct file **ret_write);

/*
 * Open an end of the FIFO `node`, by the access mode in file->flags; file_open calls this. Returns 0, -ENXIO (O_WRONLY
 * | O_NONBLOCK without a reader), -ENOMEM.
 */
int pipe_open(struct node *node, struct file *file);

/*
 * Return whether the FIFO's other end has been opened: open(2) without O_NONBLOCK waits in file_queue() until then. For
 * any other file return true.
 */
bool pipe_open_ready(struct file *file);
