/*
 * The queue of real-time tasks that wait for the CPU: a list for each priority, and a bit for each list that is not
 * empty, so that the task with the highest priority is found in a few instructions. The queue knows only nodes, not
 * tasks. Guard: chosen by the owner of the queue; the scheduler's is task_lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/task/run_list.h"

#define RT_PRIORITIES 100 /* priorities 1, the lowest, to 99, as in sched(7); the list of 0 stays empty */

/* A queue; an empty one is all zeros. */
struct rt_queue {
	struct run_list lists[RT_PRIORITIES];
	uint64_t waiting[2]; /* a bit for each list that is not empty: for priority 99 - n bit n % 64 of word n / 64 */
	unsigned count;      /* how many tasks wait */
};

/*
 * rt_queue_add_last: add a node behind all others of its priority. rt_queue_add_first: add a node before all others of
 * its priority, for a task whose turn was interrupted.
 */
void rt_queue_add_last(struct rt_queue *queue, struct run_node *node, unsigned priority);
void rt_queue_add_first(struct rt_queue *queue, struct run_node *node, unsigned priority);

/* Remove a node, which must wait with that priority. */
void rt_queue_remove(struct rt_queue *queue, struct run_node *node, unsigned priority);

/* Return the highest priority of a node that waits; 0: none waits. */
unsigned rt_queue_highest(const struct rt_queue *queue);

/* Remove and return the first node with the highest priority; NULL: none waits. */
struct run_node *rt_queue_take(struct rt_queue *queue);

/* Return whether a node of that priority waits. */
static inline bool rt_queue_has(const struct rt_queue *queue, unsigned priority)
{
	return queue->lists[priority].first;
}
