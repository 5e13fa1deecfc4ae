/*
 * A fair queue: decides which of many waiting members (the scheduler's tasks) is served next, so that each gets service
 * in proportion to its weight: a nice value is a share of the CPU, not a rank. The queue reads no clock and knows no
 * tasks,
 * only nodes and the times that its caller gives. Guard: the owner's lock; for the scheduler task_lock.
 *
 * The members of one level (nice value) take turns of the same length, one after the other; if a member's turn is
 * interrupted by a member of another level, the rest of that turn comes before the next member's turn. So two members
 * of a level that both want service all the time never differ by more than a turn. A level has the weight of its
 * members together, and a virtual time: how long it was served, divided by its weight. The level with the least virtual
 * time is served next. So the virtual times of two levels that always have members waiting differ by no more than one
 * turn of either, divided by its weight.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/task/run_list.h"

#define FAIR_LEVELS 41 /* one for each nice value, -20 to 19, and FAIR_IDLE */
#define FAIR_IDLE   40 /* the level of SCHED_IDLE: tasks that run when hardly any other task wants to */
#define FAIR_UNIT   1024

/*
 * The weight of one member of each level. The values are Linux's: when one of two tasks becomes nicer by 1, about a
 * tenth of the CPU goes to the other.
 */
extern const uint32_t fair_weights[FAIR_LEVELS];

struct fair_level {
	struct run_list list; /* the waiting members in their order */
	unsigned count;       /* how many members wait */
	uint64_t time;        /* virtual time: ns of service * FAIR_UNIT / weight of the level */
	uint64_t turn_ns;     /* how long the first member's turn had lasted when it was interrupted; 0: a new turn */
};

/* A queue that is all zero is empty. */
struct fair_queue {
	struct fair_level levels[FAIR_LEVELS];
	uint64_t waiting; /* a bit for each level that has members waiting */
	uint64_t time;    /* the highest virtual time that a level had when fair_take() chose it; never goes back */
	uint64_t turn_ns; /* how long the turn of the node that fair_take() returned last had lasted; 0: a new turn */
};

/*
 * Make a level that is empty one that has members waiting. The level gets the queue's virtual time if its own is less:
 * it has no claim on the service that it did not want while it was empty.
 */
static inline void fair_begin_level(struct fair_queue *queue, unsigned level)
{
	struct fair_level *l = &queue->levels[level];

	queue->waiting |= 1ULL << level;
	if (l->time < queue->time)
		l->time = queue->time;
}

/* Add a node at the end of its level. */
static inline void fair_add(struct fair_queue *queue, struct run_node *node, unsigned level)
{
	struct fair_level *l = &queue->levels[level];

	if (!l->list.first)
		fair_begin_level(queue, level);
	run_list_add_last(&l->list, node);
	l->count++;
}

/* Add the node of a member whose turn was interrupted after `turn_ns`, so that its turn goes on: before all others. */
static inline void fair_add_interrupted(struct fair_queue *queue, struct run_node *node, unsigned level,
					uint64_t turn_ns)
{
	struct fair_level *l = &queue->levels[level];

	if (!l->list.first)
		fair_begin_level(queue, level);
	run_list_add_first(&l->list, node);
	l->turn_ns = turn_ns;
	l->count++;
}

/* Remove a node from its level. */
static inline void fair_remove(struct fair_queue *queue, struct run_node *node, unsigned level)
{
	struct fair_level *l = &queue->levels[level];

	if (l->list.first == node)
		l->turn_ns = 0;
	run_list_remove(&l->list, node);
	if (!l->list.first)
		queue->waiting &= ~(1ULL << level);
	l->count--;
}

/*
 * Return which of the level `first` and the levels `others` (a bit for each) has the least virtual time; among equals,
 * `first`, then the lowest number, the least nice. Also raises the queue's time to that level's virtual time, if the
 * queue's time is less: a level that becomes active later starts with the queue's time.
 */
unsigned fair_behind(struct fair_queue *queue, unsigned first, uint64_t others);

/* Remove and return the first node of a level, which must not be empty. */
static inline struct run_node *fair_take_from(struct fair_queue *queue, unsigned level)
{
	struct run_node *node = queue->levels[level].list.first;

	fair_remove(queue, node, level);
	return node;
}

/*
 * Remove and return the node that is to be served next; NULL when the queue is empty. queue->turn_ns is how long its
 * turn has been already.
 */
static inline struct run_node *fair_take(struct fair_queue *queue)
{
	uint64_t others = queue->waiting;
	unsigned behind;

	if (!others)
		return NULL;
	behind = (unsigned)__builtin_ctzll(others);
	others &= others - 1;
	/* Raise the queue's time even if one level waits alone: the level may have passed it while others waited. */
	if (others)
		behind = fair_behind(queue, behind, others);
	else if (queue->time < queue->levels[behind].time)
		queue->time = queue->levels[behind].time;
	queue->turn_ns = queue->levels[behind].turn_ns;
	return fair_take_from(queue, behind);
}

/* Return whether nodes wait in `level`, and in no other level. */
static inline bool fair_only_waits(const struct fair_queue *queue, unsigned level)
{
	return queue->waiting == 1ULL << level;
}

/*
 * Add a node to the end of its level; remove and return the level's first. Call only while fair_only_waits(queue,
 * level).
 */
static inline struct run_node *fair_rotate(struct fair_queue *queue, struct run_node *node, unsigned level)
{
	queue->levels[level].turn_ns = 0;
	return run_list_rotate(&queue->levels[level].list, node);
}

/* Add the virtual time for `ns` of service to `level`. For fair_charge() only. */
void fair_charge_level(struct fair_queue *queue, unsigned level, uint64_t ns);

/*
 * Add the virtual time for `ns` of service to `level`; the member that was served is not in the queue now. Adds nothing
 * while no node waits in another level: a virtual time has a meaning only beside that of another level, and the queue's
 * time, with which a level that becomes active later starts, does not move meanwhile either.
 */
static inline void fair_charge(struct fair_queue *queue, unsigned level, uint64_t ns)
{
	if (queue->waiting & ~(1ULL << level))
		fair_charge_level(queue, level, ns);
}
