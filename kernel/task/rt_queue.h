/*
 * Real-time tasks that wait for the CPU: a list for each priority, and a bit for each list that is not empty, so that the
 * most urgent task is found in a few instructions. Data only; whoever has a queue guards it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/task/run_list.h"

#define RT_PRIORITIES 100 /* 1, the least urgent, to 99, as in sched(7); the list of 0 stays empty */

/* A queue that is all zero is empty. */
struct rt_queue {
	struct run_list lists[RT_PRIORITIES];
	uint64_t waiting[2]; /* a bit for each list that has members; the lowest bit is the most urgent one's, 99's */
	unsigned count;      /* how many tasks wait */
};

/* Put a node behind all others of its priority, or before them: who was interrupted in his turn goes on first. */
void rt_queue_add_last(struct rt_queue *queue, struct run_node *node, unsigned priority);
void rt_queue_add_first(struct rt_queue *queue, struct run_node *node, unsigned priority);

/* Take a node out of the list of its priority. */
void rt_queue_remove(struct rt_queue *queue, struct run_node *node, unsigned priority);

/* Return the priority of the most urgent node that waits. 0: none waits. */
unsigned rt_queue_highest(const struct rt_queue *queue);

/* Take out the first of the most urgent nodes. NULL: none waits. */
struct run_node *rt_queue_take(struct rt_queue *queue);

/* Return whether a node of that priority waits. */
static inline bool rt_queue_has(const struct rt_queue *queue, unsigned priority)
{
	return queue->lists[priority].first;
}
