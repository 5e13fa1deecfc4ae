/*
 * Shared by inotify.c and inotify_queue.c: instances, their watches and their queues. Guard of all fields that say
 * nothing else: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/inotify.h"
#include "kernel/fs/notify.h"
#include "kernel/lib/tree.h"
#include "kernel/sync/late_work.h"
#include "kernel/sync/wait_queue.h"

/* The account of a user, for all of the user's instances together; freed with the last of them. */
struct inotify_user {
	uint32_t uid; /* fixed when it is made */
	uint64_t instances, watches;
	uint64_t bytes; /* bytes that the events in the queues take in the heap */
};

/* Linux's struct inotify_event, which the name follows. Guard: fixed when it is put into a queue. */
struct inotify_event {
	int32_t watch;   /* the watch's number; -1: IN_Q_OVERFLOW */
	uint32_t mask;   /* what was done: enum inotify_bits */
	uint32_t cookie; /* a number that both events of a rename have; 0 for others */
	uint32_t length; /* bytes that follow: the name, a NUL, and more of them up to a multiple of 16; or 0 */
};

_Static_assert(sizeof(struct inotify_event) == 16, "Linux's struct inotify_event");

/* An event in a queue. Guard: fixed when it is put there, but for `next`. */
struct inotify_record {
	struct inotify_record *next;
	struct inotify_event event;
	uint32_t name_size; /* bytes of `name` */
	char name[];
};

/* An instance: file->data. */
struct inotify {
	struct late_work end;                /* removes the watches of a closed instance; must be the first member */
	struct inotify_user *user;           /* counted in user->instances */
	struct tree_node *by_number;         /* the watches, sorted by number */
	struct tree_node *by_node;           /* all watches, sorted by the node's address */
	int last_number;                     /* the number that was given last */
	struct inotify_record *first, *last; /* the queue, linked by `next`; first NULL: it is empty */
	/* the event IN_Q_OVERFLOW, allocated with the instance: later there may be no memory */
	struct inotify_record *overflow;
	bool overflowed;         /* `overflow` is in the queue */
	uint64_t events;         /* records in the queue */
	uint64_t events_most;    /* most records, then IN_Q_OVERFLOW comes instead; fixed when made */
	uint64_t bytes;          /* bytes of all events in the queue, as they are read */
	struct wait_queue queue; /* tasks that wait to read */
};

/* One node that an instance watches. */
struct inotify_watch {
	struct notify_watch watch;             /* must be the first member: inotify_tell() gets a pointer to it */
	struct tree_node in_numbers, in_nodes; /* places in the trees of `inotify` */
	struct inotify *inotify;               /* the instance, which ends its watches before it is freed */
	int number;
};

static inline struct inotify_watch *watch_by_number(const struct tree_node *node)
{
	return node ? tree_item(node, struct inotify_watch, in_numbers) : NULL;
}

static inline struct inotify_watch *watch_by_node(const struct tree_node *node)
{
	return node ? tree_item(node, struct inotify_watch, in_nodes) : NULL;
}

/* Put an event into the queue, unless it is the same as the last one there. `name` may be empty. */
void inotify_queue(struct inotify *inotify, int number, uint32_t mask, uint32_t cookie, struct name name);

/* Drop up to `most` events of the queue. Returns whether it is empty now. */
bool inotify_drop_events(struct inotify *inotify, unsigned most);

/* The operations of instances' files that read the queue (inotify_queue.c). */
int64_t inotify_read(struct file *file, struct user_io *io, uint64_t *offset);
int64_t inotify_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io);
unsigned inotify_poll(struct file *file);
