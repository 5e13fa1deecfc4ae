/*
 * A queue of those who wait for something, and how to wake them. Knows no task: a waiter brings the function that wakes
 * it, so files and devices, which lie below the tasks, can have queues.
 *
 * Guard: the kernel runs on one CPU; whoever shares a queue with an interrupt handler keeps interrupts off around the
 * calls.
 */
#pragma once

#include "paging/types.h"

struct wait_queue;

struct waiter {
	/* called by wait_queue_wake(); may remove this waiter from the queue, and no other */
	void (*wake)(struct waiter *waiter);
	struct waiter *next;
	struct waiter **link; /* the pointer that points at this waiter; NULL: in no queue */
};

struct wait_queue {
	struct waiter *first;
};

/* Add `waiter`, which must be in no queue, at the end: the one added last is woken last. */
static inline void wait_queue_add(struct wait_queue *queue, struct waiter *waiter)
{
	struct waiter **link = &queue->first;

	while (*link)
		link = &(*link)->next;
	waiter->next = NULL;
	waiter->link = link;
	*link = waiter;
}

/* Remove a waiter from its queue; no effect when it is in none. */
static inline void wait_queue_remove(struct waiter *waiter)
{
	if (!waiter->link)
		return;
	*waiter->link = waiter->next;
	if (waiter->next)
		waiter->next->link = waiter->link;
	waiter->link = NULL;
}

/* Call each waiter's `wake`. The waiters stay in the queue unless they remove themselves. */
static inline void wait_queue_wake(struct wait_queue *queue)
{
	struct waiter *next;

	for (struct waiter *waiter = queue->first; waiter; waiter = next) {
		next = waiter->next;
		waiter->wake(waiter);
	}
}
