/*
 * Which of many that wait is served next, in proportion to weights: nice values are shares of the CPU, not ranks. Data
 * only, without a clock and without tasks; whoever has a queue guards it.
 *
 * The members of one level (nice value) take turns, one after the other. A level has the weight of its members
 * together, and a virtual time: how long it was served, divided by its weight. The level that is behind all others is
 * served next, so two levels that both want all they can get are never further apart than what one of them was served
 * at once, divided by its weight.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAIR_LEVELS 40 /* one for each nice value, -20 to 19 */
#define FAIR_UNIT   1024

/* The weight of one member of each level: Linux's weights, so that a step of nice is a tenth of the CPU. */
extern const uint32_t fair_weights[FAIR_LEVELS];

struct fair_node {
	struct fair_node *next;
};

struct fair_level {
	/* the members that wait, in their order; `end` is valid only while there is a first */
	struct fair_node *first, **end;
	unsigned count;
	uint64_t time; /* virtual time: nanoseconds for a weight of FAIR_UNIT */
};

/* A queue that is all zero is empty. */
struct fair_queue {
	struct fair_level levels[FAIR_LEVELS];
	uint64_t waiting; /* a bit for each level that has members waiting */
	uint64_t time;    /* virtual time of the level that was served last; never goes back */
};

/* Put a node at the end of its level. A level that was empty is not owed the time that it did not want meanwhile. */
static inline void fair_add(struct fair_queue *queue, struct fair_node *node, unsigned level)
{
	struct fair_level *l = &queue->levels[level];

	if (!l->first) {
		l->end = &l->first;
		queue->waiting |= 1ULL << level;
		if (l->time < queue->time)
			l->time = queue->time;
	}
	node->next = NULL;
	*l->end = node;
	l->end = &node->next;
	l->count++;
}

/* Take out the node that *link points at; *link is in that level's list. */
static inline void fair_unlink(struct fair_queue *queue, struct fair_node **link, unsigned level)
{
	struct fair_level *l = &queue->levels[level];
	struct fair_node *node = *link;

	*link = node->next;
	if (!node->next)
		l->end = link;
	if (!l->first)
		queue->waiting &= ~(1ULL << level);
	l->count--;
}

/* Take a node out of the level that it is in. O(members of the level). */
void fair_remove(struct fair_queue *queue, struct fair_node *node, unsigned level);

/*
 * Return which of the level `first` and the levels `others` (a bit for each) is behind the rest; among equals, the most
 * urgent one. The queue's time moves on to that level's: a level that becomes active from now on starts no further
 * behind.
 */
unsigned fair_behind(struct fair_queue *queue, unsigned first, uint64_t others);

/* Take out the first node of a level that is not empty. */
static inline struct fair_node *fair_take_from(struct fair_queue *queue, unsigned level)
{
	struct fair_node *node = queue->levels[level].first;

	fair_unlink(queue, &queue->levels[level].first, level);
	return node;
}

/* Take out the node that is to be served next. NULL: the queue is empty. */
static inline struct fair_node *fair_take(struct fair_queue *queue)
{
	uint64_t others = queue->waiting;
	unsigned behind;

	if (!others)
		return NULL;
	behind = (unsigned)__builtin_ctzll(others);
	others &= others - 1;
	if (others)
		behind = fair_behind(queue, behind, others);
	return fair_take_from(queue, behind);
}

/* Return whether nodes wait in `level`, and in no other level. */
static inline bool fair_only_waits(const struct fair_queue *queue, unsigned level)
{
	return queue->waiting == 1ULL << level;
}

/* Add a node to the end of its level and take that level's first, when only that level waits (fair_only_waits). */
static inline struct fair_node *fair_rotate(struct fair_queue *queue, struct fair_node *node, unsigned level)
{
	struct fair_level *l = &queue->levels[level];
	struct fair_node *first = l->first;

	node->next = NULL;
	*l->end = node;
	l->end = &node->next;
	l->first = first->next;
	return first;
}

/* Charge a level as fair_charge() does, when nodes wait in another level. */
void fair_charge_level(struct fair_queue *queue, unsigned level, uint64_t ns);

/*
 * Charge `level` for serving a member, which is not in the queue now, for `ns`. While no node waits in another level,
 * time stands still: a level that becomes active then starts where this one is.
 */
static inline void fair_charge(struct fair_queue *queue, unsigned level, uint64_t ns)
{
	if (queue->waiting & ~(1ULL << level))
		fair_charge_level(queue, level, ns);
}

/*
 * Return whether a node that has come to `level` is to be served at once, before a member of the level `served` that
 * has been served for `ns` so far: never when it is of the same or a nicer level, and only if its level is behind.
 */
bool fair_goes_first(const struct fair_queue *queue, unsigned level, unsigned served, uint64_t ns);
