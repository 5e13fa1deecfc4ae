/*
 * POSIX message queues (mq_overview(7)): messages in the order of their priorities. The queues' names are files of
 * mqueue_fs.c. Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/ipc/message.h"
#include "kernel/lib/tree.h"
#include "kernel/sync/late_work.h"
#include "kernel/sync/wait_queue.h"

#define MQUEUE_PRIORITIES 32768 /* MQ_PRIO_MAX */
#define MQUEUE_MOST_HARD  65536 /* messages that CAP_SYS_RESOURCE allows in a queue */
/* bytes that CAP_SYS_RESOURCE allows in a message; it is copied without letting other tasks run */
#define MQUEUE_SIZE_HARD (1 << 20)

struct process;

/* The size of a queue. Users may ask for any numbers; mqueue_create() checks them. */
struct mqueue_size {
	int64_t most;      /* most messages in the queue */
	int64_t most_size; /* most bytes of a message */
};

/* How a process wants to be told of a message: struct sigevent. */
struct mqueue_notice {
	int how;        /* SIGEV_SIGNAL or SIGEV_NONE */
	int signal;     /* for SIGEV_SIGNAL */
	uint64_t value; /* the value that is sent with the signal */
};

/* A queue. Guard: tasks only, which the kernel does not preempt. */
struct mqueue {
	struct late_work end;       /* frees the messages; must be the first member */
	struct mqueue_size size;    /* fixed when it is made */
	uint64_t count, bytes;      /* the number of messages, and the sum of their bytes */
	struct tree_node *messages; /* a tree: the highest priority first, and of equal ones the oldest */
	struct link receivers;      /* tasks that wait in mqueue_receive(), the longest first */
	struct wait_queue queue;    /* tasks that wait to send, and tasks that poll */
	/* the process to tell when a message comes into the empty queue; a reference. NULL: none */
	struct process *owner;
	struct mqueue_notice notice;
	uint32_t uid;       /* the user whose RLIMIT_MSGQUEUE counts the queue; fixed when it is made */
	uint64_t accounted; /* bytes that the queue counts there; fixed when it is made */
};

/*
 * The limits in /proc/sys/fs/mqueue. Guard: tasks only, which the kernel does not preempt.
 */
struct mqueue_limits {
	/* most queues; most messages in a queue, and bytes in a message, without CAP_SYS_RESOURCE */
	int queues, most, most_size;
	int default_most, default_most_size; /* the same numbers for a queue that is made without attributes */
};

extern struct mqueue_limits mqueue_limits;

/*
 * Make a queue of the current user. size: NULL: the defaults. Returns 0; -EINVAL (size), -ENOSPC (too many queues),
 * -EMFILE (RLIMIT_MSGQUEUE), -ENOMEM.
 */
int mqueue_create(const struct mqueue_size *size, struct mqueue **ret);

/* Free a queue that nobody uses any more; its messages are freed in steps (late_work.h). */
void mqueue_end(struct mqueue *queue);

/*
 * Send a message, whose type is its priority; it then belongs to the queue or its receiver. Waits for room until the
 * deadline by the wall clock. Returns 0; or -ETIMEDOUT, -EINTR, or with `at_once` -EAGAIN: the message is then still
 * the caller's.
 */
int mqueue_send(struct mqueue *queue, struct ipc_message *message, bool at_once, uint64_t deadline_ns);

/*
 * Find the first message, and wait for one until the deadline by the wall clock. *ret becomes the message; it stays in
 * the queue if *ret_queued, and is the caller's otherwise. Before other tasks run, the caller either takes a queued
 * message by mqueue_take(), or leaves it; a message of its own it may give back by mqueue_put_back(). Returns 0;
 * -ETIMEDOUT, -EINTR, and with `at_once` -EAGAIN.
 */
int mqueue_receive(struct mqueue *queue, bool at_once, uint64_t deadline_ns, struct ipc_message **ret,
		   bool *ret_queued);

/* Take a message out of the queue; the caller frees it. */
void mqueue_take(struct mqueue *queue, struct ipc_message *message);

/* Put a message in front of all with its priority: its receiver could not take it. */
void mqueue_put_back(struct mqueue *queue, struct ipc_message *message);

/*
 * Have the current process told, once, when the next message comes into the empty queue. Returns 0, or -EBUSY: a
 * process is to be told already.
 */
int mqueue_notify(struct mqueue *queue, const struct mqueue_notice *notice);

/* Undo mqueue_notify() of the current process. */
void mqueue_notify_no_more(struct mqueue *queue);

/* Return the POLL… events that are ready now, for poll(2). */
unsigned mqueue_poll(const struct mqueue *queue);
