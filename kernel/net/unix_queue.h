/*
 * The queue of what a socket of AF_UNIX has to read: bytes in a ring of frames, and what came with them. Guard of all:
 * tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/pipe_ring.h"
#include "kernel/lib/list.h"
#include "kernel/net/passed.h"
#include "kernel/net/socket.h"

/* A socket's address, shared by the sockets and messages that have it. Guard: fixed when it is made, but for `refs`. */
struct unix_name {
	uint64_t refs; /* references. Guard: tasks only, which the kernel does not preempt */
	struct socket_name name;
};

/* Take, or drop, a reference to an address; NULL is allowed. */
struct unix_name *unix_name_get(struct unix_name *name);
void unix_name_put(struct unix_name *name);

/*
 * A message, or a part of a stream that passes files or has a known sender. Guard: tasks only, which the kernel does
 * not preempt.
 */
struct unix_segment {
	struct link link;            /* place in queue->segments */
	struct link in_passing;      /* place in queue->passing, if the segment passes files */
	uint64_t start, end;         /* positions in the ring: [start, end) */
	struct passed_files *passed; /* files that the segment passes, in flight; or NULL */
	struct unix_name *name;      /* the sender's address, a reference; or NULL */
	struct linux_credentials sender;
};

/*
 * The queue of one socket. Bytes lie in frames; a message has a segment, and so has a part of a stream that passes
 * files or a sender. Guard: tasks only, which the kernel does not preempt.
 */
struct unix_queue {
	struct pipe_ring ring;
	struct link segments; /* the oldest first */
	struct link passing;  /* the segments that pass files, by in_passing */
	uint64_t count;       /* number of segments */
};

static inline bool unix_is_same_sender(const struct linux_credentials *a, const struct linux_credentials *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* What is sent together with bytes. */
struct unix_note {
	struct passed_files *passed;
	struct unix_name *name;
	struct linux_credentials sender;
};

/* Make `queue` an empty queue; or drop all that is in it. */
void unix_queue_init(struct unix_queue *queue);
void unix_queue_free(struct unix_queue *queue); /* afterwards the queue is empty, and can be used again */

/* Return how many of `limit` bytes (SO_SNDBUF) are free; each segment counts as some bytes, too. */
uint64_t unix_queue_room(const struct unix_queue *queue, uint64_t limit);

/*
 * Add bytes from `io`: all `size` of a message, or as many of a stream as there are frames for. `note` says what comes
 * with them, or is NULL. After success the queue owns the references in `note`; after an error they stay the caller's
 * and the queue is as before. Returns bytes; -ENOMEM, -ETOOMANYREFS (too many files in flight), copy_errno()'s errors.
 */
int64_t unix_queue_put(struct unix_queue *queue, struct user_io *io, uint64_t size, bool is_message,
		       const struct unix_note *note);

/* Copy up to `size` bytes from the oldest one on; they stay in the queue. Returns bytes or copy_errno()'s error. */
int64_t unix_queue_copy(const struct unix_queue *queue, struct user_io *io, uint64_t size);

/* Remove the oldest message; or the oldest `bytes` bytes of a stream, and the files that came with these bytes. */
void unix_queue_pop(struct unix_queue *queue);
void unix_queue_skip(struct unix_queue *queue, uint64_t bytes);

/* Drop the files that a segment of a queue passes, if any; they are no longer in flight. */
void unix_queue_drop_files(struct unix_segment *segment);

/* Return the oldest segment, or NULL. */
static inline struct unix_segment *unix_queue_first(const struct unix_queue *queue)
{
	return list_is_empty(&queue->segments) ? NULL : list_item(queue->segments.next, struct unix_segment, link);
}

static inline uint64_t unix_queue_bytes(const struct unix_queue *queue)
{
	return pipe_ring_fill(&queue->ring);
}

/* Return whether there is neither a byte nor a message without bytes. */
static inline bool unix_queue_is_empty(const struct unix_queue *queue)
{
	return !unix_queue_bytes(queue) && !queue->count;
}
