/*
 * The queue of ready real-time tasks; see rt_queue.h. In the words `waiting` the highest priority has the lowest bit.
 */
#include "kernel/task/rt_queue.h"

#define MOST_URGENT (RT_PRIORITIES - 1)

static void note_waiting(struct rt_queue *queue, unsigned priority)
{
	unsigned bit = MOST_URGENT - priority;

	queue->waiting[bit / 64] |= 1ULL << bit % 64;
	queue->count++;
}

void rt_queue_add_last(struct rt_queue *queue, struct run_node *node, unsigned priority)
{
	run_list_add_last(&queue->lists[priority], node);
	note_waiting(queue, priority);
}

void rt_queue_add_first(struct rt_queue *queue, struct run_node *node, unsigned priority)
{
	run_list_add_first(&queue->lists[priority], node);
	note_waiting(queue, priority);
}

void rt_queue_remove(struct rt_queue *queue, struct run_node *node, unsigned priority)
{
	unsigned bit = MOST_URGENT - priority;

	run_list_remove(&queue->lists[priority], node);
	if (!rt_queue_has(queue, priority))
		queue->waiting[bit / 64] &= ~(1ULL << bit % 64);
	queue->count--;
}

unsigned rt_queue_highest(const struct rt_queue *queue)
{
	if (queue->waiting[0])
		return MOST_URGENT - (unsigned)__builtin_ctzll(queue->waiting[0]);
	if (queue->waiting[1])
		return MOST_URGENT - 64 - (unsigned)__builtin_ctzll(queue->waiting[1]);
	return 0;
}

struct run_node *rt_queue_take(struct rt_queue *queue)
{
	unsigned priority = rt_queue_highest(queue);
	struct run_node *node = queue->lists[priority].first;

	if (node)
		rt_queue_remove(queue, node, priority);
	return node;
}
