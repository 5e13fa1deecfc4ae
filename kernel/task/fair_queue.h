/*
 * Who is served next, in proportion to weights: nice values are shares of the CPU, not ranks. Data only, no clock and no
 * task; whoever has a queue guards it.
 *
 * Those of one level (nice value) take turns, one after the other. A level has the weight of its members together, and a virtual time: what it
 * was served, divided by its weight. The level that is behind all others is served next, so two levels that both want all
 * they can get are never further apart than what one of them was served at once, divided by its weight.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAIR_LEVELS 40 /* nice -20 to 19 */
#define FAIR_UNIT   1024

/* Weights of one member of each level: Linux's, so that a step of nice is a tenth of the CPU. */
extern const uint32_t fair_weights[FAIR_LEVELS];

struct fair_node {
	struct fair_node *next;
};

struct fair_level {
	struct fair_node *first, **end; /* `end` means something while there is a first */
	unsigned count;
	uint64_t time; /* virtual: nanoseconds for a weight of FAIR_UNIT */
};

/* All zero: nobody waits. */
struct fair_queue {
	struct fair_level levels[FAIR_LEVELS];
	uint64_t waiting; /* a bit for each level with somebody in it */
	uint64_t time;    /* of the level that was served last; never goes back */
};

/* Put a node at the end of its level. A level that nobody was in is not owed what it did not want meanwhile. */
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

/* Take out the node that *link, in that level, points at. */
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
 * Which of the level `first` and the levels `others` is behind the rest: of those that are equal, the most urgent one. It
 * is to be served, and who comes from now on starts no further behind.
 */
unsigned fair_behind(struct fair_queue *queue, unsigned first, uint64_t others);

/* Take out the first of a level that somebody is in. */
static inline struct fair_node *fair_take_from(struct fair_queue *queue, unsigned level)
{
	struct fair_node *node = queue->levels[level].first;

	fair_unlink(queue, &queue->levels[level].first, level);
	return node;
}

/* Take out who is to be served next, or NULL. */
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

/* Does somebody wait in `level`, and nobody in another? */
static inline bool fair_only_waits(const struct fair_queue *queue, unsigned level)
{
	return queue->waiting == 1ULL << level;
}

/* The same as adding a node to its level and taking the next, where that one only waits. */
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

/* Charge a level as fair_charge() does, where somebody waits in another. */
void fair_charge_level(struct fair_queue *queue, unsigned level, uint64_t ns);

/*
 * A member of `level`, which is not in the queue, has been served for `ns`. While nobody waits in another level time stands
 * still: who comes then starts where the level is.
 */
static inline void fair_charge(struct fair_queue *queue, unsigned level, uint64_t ns)
{
	if (queue->waiting & ~(1ULL << level))
		fair_charge_level(queue, level, ns);
}

/* Should somebody who has come to `level` be served before a member of `served` who has been for `ns`? Only the nicer waits. */
bool fair_goes_first(const struct fair_queue *queue, unsigned level, unsigned served, uint64_t ns);
