/*
 * Timers in the order of their deadlines: a binary heap whose nodes lie in the timers themselves, so that starting a
 * timer needs no memory. Adding and removing are O(log n) at the worst, since both may happen with interrupts off. The
 * queue has no lock of its own: the caller guards it, and the fields of the timers in it.
 */
#pragma once

#include "paging/types.h"

/* The clocks that a deadline can be measured by. */
enum timer_clock {
	TIMER_MONOTONIC, /* clock_monotonic_ns */
	TIMER_WALL,      /* clock_realtime_ns: setting that clock makes these timers fire earlier or later */
	TIMER_CLOCKS,    /* how many clocks there are */
};

struct cpu_timers;

/* A timer. Guard: the lock of timer.c (rank LOCK_TIMERS) while the timer is in a queue; otherwise its owner's. */
struct timer {
	/* Called when the deadline has passed, one time for each start; see timer_start(). */
	void (*fire)(struct timer *timer);
	enum timer_clock clock;
	bool queued; /* the timer is in a queue, which alone changes this and the fields from deadline_ns on */
	struct cpu_timers *cpu; /* the CPU whose queue the timer is in, or was in last */
	uint64_t deadline_ns;   /* by `clock` */
	uint64_t order;         /* grows with each start: of equal deadlines the timer started first fires first */
	struct timer *parent, *left, *right;
};

/* A complete binary tree: the path to its n-th node is the binary digits of n. All zero: empty. */
struct timer_queue {
	struct timer *root; /* the timer with the earliest deadline; NULL: the queue is empty */
	uint64_t count;
	uint64_t started; /* how many timers were ever added: the `order` of the next one */
};

/* Add a timer, which must be in no queue. */
void timer_queue_add(struct timer_queue *queue, struct timer *timer, uint64_t deadline_ns);

/*
 * Give a timer that is in this queue another deadline, as if it were removed and added again. This costs less, since
 * the timer only moves up or down in the heap from the place where it is.
 */
void timer_queue_move(struct timer_queue *queue, struct timer *timer, uint64_t deadline_ns);

/* Remove a timer, which must be in this queue. */
void timer_queue_remove(struct timer_queue *queue, struct timer *timer);

/* Return the timer with the earliest deadline, or NULL. */
static inline struct timer *timer_queue_first(const struct timer_queue *queue)
{
	return queue->root;
}
