/*
 * Who waits for something, and how to tell them. Knows no task: a waiter brings the function that wakes it, so files
 * and devices, which lie below the tasks, can have queues. How a task waits: kernel/task/wait_until.h.
 *
 * Whoever waits adds himself first and looks at what he waits for after that; whoever changes it wakes the queue after
 * the change. So no wake-up is lost.
 */
#pragma once

#include "kernel/sync/lock.h"
#include "paging/types.h"

struct waiter {
	/*
	 * Called by wait_queue_wake with the queue's lock held: may take locks behind that one, and leaves the queue as
	 * it is.
	 */
	void (*wake)(struct waiter *waiter);
	struct wait_queue *queue;   /* the one that it is in, or NULL; the waiter's owner's */
	struct waiter *next, *prev; /* queue->lock */
};

struct wait_queue {
	struct lock lock;
	struct waiter *first, *last; /* lock */
};

#define WAIT_QUEUE_INITIAL                       \
	{                                        \
		.lock = LOCK_INITIAL(LOCK_QUEUE) \
	}

static inline void wait_queue_init(struct wait_queue *queue)
{
	*queue = (struct wait_queue)WAIT_QUEUE_INITIAL;
}

/* Last in, last woken. `waiter` must be in no queue. */
static inline void wait_queue_add(struct wait_queue *queue, struct waiter *waiter)
{
	uint64_t flags = lock_take(&queue->lock);

	waiter->queue = queue;
	waiter->next = NULL;
	waiter->prev = queue->last;
	if (queue->last)
		queue->last->next = waiter;
	else
		queue->first = waiter;
	queue->last = waiter;
	lock_release(&queue->lock, flags);
}

/* No effect when it is in none. Once this has returned nobody calls its `wake`. */
static inline void wait_queue_remove(struct waiter *waiter)
{
	struct wait_queue *queue = waiter->queue;
	uint64_t flags;

	if (!queue)
		return;
	flags = lock_take(&queue->lock);
	if (waiter->next)
		waiter->next->prev = waiter->prev;
	else
		queue->last = waiter->prev;
	if (waiter->prev)
		waiter->prev->next = waiter->next;
	else
		queue->first = waiter->next;
	lock_release(&queue->lock, flags);
	waiter->queue = NULL;
}

/* Call each waiter's `wake`; they stay in the queue. Any context. */
static inline void wait_queue_wake(struct wait_queue *queue)
{
	uint64_t flags;

	/* One CPU: who is not there yet has still to look. With more, the change needs a full fence before this. */
	if (!__atomic_load_n(&queue->first, __ATOMIC_RELAXED))
		return;
	flags = lock_take(&queue->lock);
	for (struct waiter *waiter = queue->first; waiter; waiter = waiter->next)
		waiter->wake(waiter);
	lock_release(&queue->lock, flags);
}
