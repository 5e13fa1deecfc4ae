/*
 * Who waits for something, and how to tell them. Knows no task: a waiter brings the function that wakes it, so files
 * and devices, which lie below the tasks, can have queues.
 *
 * One CPU: whoever shares a queue with an interrupt handler keeps interrupts off around the calls.
 */
#pragma once

#include "paging/types.h"

struct wait_queue;

struct waiter {
	void (*wake)(struct waiter *waiter); /* called by wait_queue_wake; may remove this waiter, and no other */
	struct waiter *next;
	struct waiter **link; /* what points at this one; NULL: in no queue */
};

struct wait_queue {
	struct waiter *first;
};

/* Last in, last woken. `waiter` must be in no queue. */
static inline void wait_queue_add(struct wait_queue *queue, struct waiter *waiter)
{
	struct waiter **link = &queue->first;

	while (*link)
		link = &(*link)->next;
	waiter->next = NULL;
	waiter->link = link;
	*link = waiter;
}

/* No effect when it is in none. */
static inline void wait_queue_remove(struct waiter *waiter)
{
	if (!waiter->link)
		return;
	*waiter->link = waiter->next;
	if (waiter->next)
		waiter->next->link = waiter->link;
	waiter->link = NULL;
}

/* Call each waiter's `wake`. They stay in the queue unless they remove themselves. */
static inline void wait_queue_wake(struct wait_queue *queue)
{
	struct waiter *next;

	for (struct waiter *waiter = queue->first; waiter; waiter = next) {
		next = waiter->next;
		waiter->wake(waiter);
	}
}
