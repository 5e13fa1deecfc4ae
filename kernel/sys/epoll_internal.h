/*
 * The structures and functions that epoll.c (items), epoll_nesting.c (epoll files that watch epoll files) and
 * epoll_exclusive.c (EPOLLEXCLUSIVE) share.
 */
#pragma once

#include "kernel/lib/list.h"
#include "kernel/lib/tree.h"
#include "kernel/sync/late_work.h"
#include "kernel/sync/wait_queue.h"
#include "kernel/sys/epoll.h"

/* Most epoll files in a chain in which each watches the next: Linux's EP_MAX_NESTS plus one. */
#define NESTING_MOST (LOCK_QUEUE_5 - LOCK_QUEUE)

/*
 * An epoll file. Guard: `lock` for the ready list, to which wake-ups of files add items. Guard of the other fields:
 * tasks only, which the kernel does not preempt.
 */
struct epoll {
	struct late_work end;    /* must be the first member; late work that removes the items after a close */
	struct file *file;       /* the open file whose `data` this is; NULL: it has been closed */
	struct tree_node *items; /* all items, sorted by file and descriptor */
	struct lock lock;
	struct link ready; /* the ready list, linked by in_ready, the oldest first. Guard: `lock` */
	/* tasks that wait for the epoll file; `level` gives the rank of the queue's lock */
	struct wait_queue queue;
	unsigned level;    /* 1 more than the highest level of the epoll files that it watches */
	uint64_t collects; /* the number of the last collection (epoll_collect) */
	uint64_t visit;    /* the number of the last search that reached this epoll file (epoll_nesting.c) */
	unsigned depth;    /* the length of the longest chain from this epoll file that the last search found */
};

struct epoll_group;

/* A file that an epoll file watches. Guard: the same as for struct epoll. */
struct epoll_item {
	struct epoll *epoll;       /* the epoll file */
	struct file *file;         /* the watched file, without a reference: watch.gone is called when it is closed */
	int fd;                    /* the descriptor that the program passed; an item is known by file and fd */
	struct epoll_event event;  /* the events to watch for, and the user's data */
	bool disabled;             /* a one-shot watch that has fired */
	bool gone;                 /* the item was removed from its epoll file, and is in no list any more */
	uint64_t refs;             /* references: the epoll file's, and that of a call that reports the item */
	uint64_t collect;          /* number of the last collection that has reported the item */
	struct tree_node in_items; /* the item's place in epoll->items */
	struct link in_ready;      /* the item's place in the ready list, if it is in there. Guard: epoll->lock */
	struct waiter waiter;      /* the item's place in the watched file's wait queue */
	/* with EPOLLEXCLUSIVE: the group that is in that queue instead of `waiter`; otherwise NULL */
	struct epoll_group *group;
	struct link in_group;    /* the item's place in the group. Guard: the watched file's queue->lock */
	struct file_watch watch; /* the item's place in file->watches */
};

static inline struct epoll_item *epoll_item_of(struct file_watch *watch)
{
	return (struct epoll_item *)((char *)watch - offsetof(struct epoll_item, watch));
}

static inline struct epoll_item *epoll_item_in(const struct tree_node *node)
{
	return node ? tree_item(node, struct epoll_item, in_items) : NULL;
}

/* Return the first item of an epoll file, and the one after `item`; NULL: there is none. */
static inline struct epoll_item *epoll_first_item(const struct epoll *epoll)
{
	return epoll_item_in(tree_outermost(epoll->items, TREE_LOW));
}

static inline struct epoll_item *epoll_next_item(const struct epoll_item *item)
{
	return epoll_item_in(tree_beside(&item->in_items, TREE_HIGH));
}

/*
 * Remove the item of a watch whose file has been closed. All watches of epoll files have this function as their `gone`,
 * by which epoll_nesting.c tells them from other watches.
 */
void epoll_file_gone(struct file_watch *watch);

/* Add an item to the ready list, and wake those who wait for the epoll file. Interrupt handlers may call this. */
void epoll_make_ready(struct epoll_item *item);

/*
 * epoll_join_group() adds an item to the group that stands in `queue` for all items with EPOLLEXCLUSIVE, and returns 0
 * or -ENOMEM. epoll_leave_group() takes the item out of its group (epoll_exclusive.c).
 */
int epoll_join_group(struct wait_queue *queue, struct epoll_item *item);
void epoll_leave_group(struct epoll_item *item);

/* Compute the level of an epoll file anew, and if it changes, the levels of the epoll files that watch this one. */
void epoll_set_level(struct epoll *epoll);

/* Return 0; or -ELOOP if epoll files would form a circle, or too long a chain, once `epoll` watches `file`. */
int epoll_check_nesting(struct epoll *epoll, struct file *file);
