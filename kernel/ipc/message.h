/*
 * Messages of System V's and of POSIX's queues. A message's bytes are a user's, so they lie in frames, which only the
 * kernel context maps: whole pages in frames of their own, the rest in a chunk, a part of a frame that other messages
 * may share. Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/lib/list.h"
#include "kernel/lib/tree.h"
#include "paging/types.h"

struct user_io;

/* A part of a frame. Guard: tasks only, which the kernel does not preempt. */
struct message_chunk {
	struct chunk_frame *frame; /* the frame that it is a part of; NULL: there is no chunk */
	unsigned index;            /* its place in the frame, in chunks of its size */
};

/* A message. Guard: tasks only, which the kernel does not preempt. */
struct ipc_message {
	union {
		struct link link;         /* place in msg_queue.messages (msg.h) */
		struct tree_node in_tree; /* place in mqueue.messages (mqueue.h) */
	};
	int64_t type;  /* msgsnd(2)'s type; or mq_send(3)'s priority */
	uint64_t size; /* bytes; fixed when it is made */
	struct message_chunk rest;
	paddr_t pages[]; /* the frames of the whole pages, size / PAGE_SIZE */
};

/*
 * Make a message of `size` bytes, whose content is arbitrary. NULL: no memory, or all messages together would have more
 * than a quarter of RAM.
 */
struct ipc_message *message_create(uint64_t size);
void message_free(struct ipc_message *message);

/*
 * Return how much work message_free() of a message is, in units of about 100 instructions. A caller that frees many
 * messages lets other tasks run after every MESSAGE_WORK_AT_ONCE units.
 */
static inline uint64_t message_work(const struct ipc_message *message)
{
	return 16 + message->size / PAGE_SIZE;
}

#define MESSAGE_WORK_AT_ONCE 2048

/*
 * Copy all of a message from a user, or its first `size` bytes to a user. Call in the user's context. Returns 0 or
 * copy_errno()'s error.
 */
int message_get(struct ipc_message *message, struct user_io *io);
int message_put(const struct ipc_message *message, struct user_io *io, uint64_t size);
