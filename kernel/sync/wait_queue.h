/*
 * A queue of waiters, and how to wake them. The queue knows no tasks: a waiter brings the function that wakes it, so
 * files and devices, which lie below the tasks, can have queues. Tasks wait by kernel/task/wait_until.h.
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
	struct wait_queue *queue; /* the queue that the waiter is in, or NULL. Guard: the waiter's owner */
	/*
	 * With WAIT_ALWAYS each wake-up is for this waiter. Otherwise the waiter waits for bytes or for room, which it
	 * uses up: wait_queue_wake_one() wakes one such waiter alone. Guard: the waiter's owner, while in no queue.
	 */
	uint8_t uses;               /* enum wait_use */
	struct waiter *next, *prev; /* the neighbours in the queue. Guard: queue->lock */
};

enum wait_use { WAIT_ALWAYS, WAIT_BYTES, WAIT_ROOM };

struct wait_queue {
	struct lock lock;
	uint32_t blocked[WAIT_ROOM]; /* how many waiters use up bytes, and room: at index `uses` - 1. Guard: lock */
	struct waiter *first, *last; /* waiters that use up bytes or room stand behind all others. Guard: lock */
};

#define WAIT_QUEUE_INITIAL                       \
	{                                        \
		.lock = LOCK_INITIAL(LOCK_QUEUE) \
	}

static inline void wait_queue_init(struct wait_queue *queue)
{
	*queue = (struct wait_queue)WAIT_QUEUE_INITIAL;
}

/* Add `waiter` in front of all others, of which there must be at least one. The caller holds queue->lock. */
static inline void wait_queue_add_first(struct wait_queue *queue, struct waiter *waiter)
{
	waiter->prev = NULL;
	waiter->next = queue->first;
	queue->first->prev = waiter;
	queue->first = waiter;
}

/*
 * Add `waiter`, which must be in no queue. The waiter goes to the queue's end; but a waiter that uses nothing up goes
 * to the front if waiters that use something up are there already, since these must stay behind all others.
 */
static inline void wait_queue_add(struct wait_queue *queue, struct waiter *waiter)
{
	uint64_t flags = lock_take(&queue->lock);

	waiter->queue = queue;
	if (waiter->uses) {
		queue->blocked[waiter->uses - 1]++;
	} else if (queue->last && queue->last->uses) {
		wait_queue_add_first(queue, waiter);
		lock_release(&queue->lock, flags);
		return;
	}
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
	if (waiter->uses)
		queue->blocked[waiter->uses - 1]--;
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

/*
 * Take all waiters out of a queue that is about to go. Their owners find them in no queue, and may remove them as
 * usual. No waiter may be a task that sleeps.
 */
static inline void wait_queue_abandon(struct wait_queue *queue)
{
	uint64_t flags = lock_take(&queue->lock);

	while (queue->first) {
		struct waiter *waiter = queue->first;

		queue->first = waiter->next;
		waiter->queue = NULL;
	}
	queue->last = NULL;
	lock_release(&queue->lock, flags);
}

/* Call each waiter's `wake`; the waiters stay in the queue. Interrupt handlers may call this. */
static inline void wait_queue_wake(struct wait_queue *queue)
{
	uint64_t flags;

	/*
	 * No lock is needed to see an empty queue: a waiter that is added later tests the condition after that, and
	 * finds it true. The kernel lock (kernel_lock.h) orders the two.
	 */
	if (!__atomic_load_n(&queue->first, __ATOMIC_RELAXED))
		return;
	flags = lock_take(&queue->lock);
	for (struct waiter *waiter = queue->first; waiter; waiter = waiter->next)
		waiter->wake(waiter);
	lock_release(&queue->lock, flags);
}

/* Return whether a waiter in the queue waits for `use`, bytes or room, to use it up. */
static inline bool wait_queue_is_wanted(const struct wait_queue *queue, enum wait_use use)
{
	return __atomic_load_n(&queue->blocked[use - 1], __ATOMIC_RELAXED);
}

/*
 * Call `wake` of each waiter that uses nothing up, and of the first that uses up `use`: the bytes, or the room, that
 * there are now. A waiter that was woken calls this again for the next if it leaves some bytes or room, or leaves the
 * queue without having used any.
 */
static inline void wait_queue_wake_one(struct wait_queue *queue, enum wait_use use)
{
	struct waiter *waiter;
	uint64_t flags;

	if (!__atomic_load_n(&queue->first, __ATOMIC_RELAXED))
		return;
	flags = lock_take(&queue->lock);
	for (waiter = queue->first; waiter && !waiter->uses; waiter = waiter->next)
		waiter->wake(waiter);
	if (queue->blocked[use - 1]) {
		while (waiter->uses != use)
			waiter = waiter->next;
		waiter->wake(waiter);
	}
	lock_release(&queue->lock, flags);
}
