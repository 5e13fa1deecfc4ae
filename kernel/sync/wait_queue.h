/*
 * A queue of waiters, and how to wake them. Knows no task: a waiter brings the function that wakes it, so files
 * and devices, which lie below the tasks, can have queues. Tasks wait by kernel/task/wait_until.h.
 *
 * No wake-up is lost if a waiter adds itself first and tests the condition after that, and if whoever makes the
 * condition true wakes the queue after the change.
 */
#pragma once

#include "kernel/sync/lock.h"
#include "paging/types.h"

struct waiter {
	/*
	 * Called by wait_queue_wake with the queue's lock held: may take locks of a later rank, and must not change the
	 * queue.
	 */
	void (*wake)(struct waiter *waiter);
	struct wait_queue *queue;   /* the queue that the waiter is in, or NULL. Guard: the waiter's owner */
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

/* Add `waiter`, which must be in no queue, at the end: wait_queue_wake() calls the first waiter first. */
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

/* Take `waiter` out of its queue, if it is in one. After the return its `wake` is not called any more. */
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

/* Call each waiter's `wake`; the waiters stay in the queue. May be called in any context. */
static inline void wait_queue_wake(struct wait_queue *queue)
{
	uint64_t flags;

	/*
	 * No lock is needed to see an empty queue: a waiter that is added later tests the condition after that, and
	 * finds it true. (With several CPUs a full fence would have to stand between the change and this load.)
	 */
	if (!__atomic_load_n(&queue->first, __ATOMIC_RELAXED))
		return;
	flags = lock_take(&queue->lock);
	for (struct waiter *waiter = queue->first; waiter; waiter = waiter->next)
		waiter->wake(waiter);
	lock_release(&queue->lock, flags);
}
