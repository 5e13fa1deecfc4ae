/*
 * System V's message queues (msgget(2), msgop(2), msgctl(2)). Guard of all: tasks only, which the kernel does not
 * preempt.
 */
#pragma once

#include "kernel/ipc/ipc.h"
#include "kernel/ipc/message.h"
#include "kernel/sync/wait_queue.h"

#define MSG_NOERROR 010000 /* a message that is too long is cut off */
#define MSG_EXCEPT  020000 /* any type but the given one */
#define MSG_COPY    040000 /* a copy of the n-th message, which stays */

/* A queue. Guard: tasks only, which the kernel does not preempt. */
struct msg_queue {
	struct ipc_object ipc;
	struct link messages;            /* the oldest first */
	struct link receivers;           /* tasks that wait in msg_receive(), the first to come first */
	struct wait_queue room;          /* tasks that wait in msg_send() for room */
	uint64_t bytes, count;           /* the sum of the messages' bytes, and their number */
	uint64_t most_bytes;             /* most bytes, and also most messages, but no more than MSG_COUNT_MOST */
	int64_t send_time, receive_time; /* seconds by the wall clock; 0: never */
	int sender_pid, receiver_pid;    /* pids of the processes that sent and received last; 0: none did */
};

/*
 * The limits in /proc/sys/kernel, and the totals of all queues. Guard: tasks only, which the kernel does not preempt.
 */
extern struct ipc_table msg_table;
extern int msg_max;                   /* most bytes of a message: MSGMAX */
extern int msg_queue_bytes;           /* most_bytes of a new queue: MSGMNB */
extern uint64_t msg_count, msg_bytes; /* number of the messages in all queues, and their bytes */

/* most messages in a queue: a receiver looks at all of them without letting other tasks run */
#define MSG_COUNT_MOST 65536

#define MSG_MAX_MOST (1 << 20) /* the highest MSGMAX: a call copies a message without letting other tasks run */

static inline struct msg_queue *msg_of(struct ipc_object *object)
{
	return object ? (struct msg_queue *)((char *)object - offsetof(struct msg_queue, ipc)) : NULL;
}

/* Make a queue for msgget(2). Returns its id; -ENOSPC, -ENOMEM. */
int msg_create(int key, unsigned flags);

/* Take a reference to a queue, or drop one; dropping the last one frees it. */
void msg_hold(struct msg_queue *queue);
void msg_drop(struct msg_queue *queue);

/* Remove a queue: tasks that wait return -EIDRM. Lets other tasks run while many messages are freed. */
void msg_remove(struct msg_queue *queue);

/* Have the tasks that wait to send or receive look again, since the queue's owner or size has changed. */
void msg_look_again(struct msg_queue *queue);

/*
 * Send a message, which then belongs to the queue or its receiver; wait for room unless flags have IPC_NOWAIT. The
 * caller holds the queue. Returns 0; -EAGAIN, -EINTR, -EIDRM, -EACCES: the message is still the caller's.
 */
int msg_send(struct msg_queue *queue, struct ipc_message *message, unsigned flags);

/* What a receiver wants. */
struct msg_wish {
	int64_t type;   /* msgrcv(2)'s type */
	uint64_t most;  /* bytes that there is room for */
	unsigned flags; /* IPC_NOWAIT, MSG_… */
};

/*
 * Find the message that is wished for, and wait for it unless flags have IPC_NOWAIT. *ret becomes the message; it stays
 * in the queue if *ret_queued, and is the caller's otherwise. The caller holds the queue. Before other tasks run, it
 * either takes a queued message by msg_take(), or leaves it; a message of its own it may give back by msg_put_back().
 * Returns 0; -ENOMSG, -E2BIG, -EINTR, -EIDRM, -EACCES.
 */
int msg_receive(struct msg_queue *queue, const struct msg_wish *wish, struct ipc_message **ret, bool *ret_queued);

/* Take a message out of its queue; the caller frees it. */
void msg_take(struct msg_queue *queue, struct ipc_message *message);

/*
 * Give back a message that its receiver could not take: it goes to another receiver that waits for it, or else becomes
 * the first in the queue; it is freed if the queue has been removed.
 */
void msg_put_back(struct msg_queue *queue, struct ipc_message *message);
