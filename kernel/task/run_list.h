/*
 * A list of tasks that wait for the CPU: a task is added at either end and removed from anywhere, in a few
 * instructions, however many tasks there are.
 *
 * Guard of all state: chosen by the owner of the list; the scheduler's is task_lock.
 */
#pragma once

#include <stddef.h>

/* A task's place in a list. */
struct run_node {
	struct run_node *next;
	struct run_node **link; /* the pointer to this node: `next` of the node before, or list->first */
};

/* A list of tasks. It is empty while `first` is NULL; all zeros make an empty list. */
struct run_list {
	struct run_node *first, **end; /* `end` is the last node's `next`; valid only while `first` is not NULL */
};

static inline void run_list_add_last(struct run_list *list, struct run_node *node)
{
	if (!list->first)
		list->end = &list->first;
	node->next = NULL;
	node->link = list->end;
	*list->end = node;
	list->end = &node->next;
}

static inline void run_list_add_first(struct run_list *list, struct run_node *node)
{
	node->next = list->first;
	node->link = &list->first;
	if (node->next)
		node->next->link = &node->next;
	else
		list->end = &node->next;
	list->first = node;
}

static inline void run_list_remove(struct run_list *list, struct run_node *node)
{
	*node->link = node->next;
	if (node->next)
		node->next->link = node->link;
	else
		list->end = node->link;
}

/* Add a node to the end of a list, which must not be empty; remove and return the first node. */
static inline struct run_node *run_list_rotate(struct run_list *list, struct run_node *node)
{
	struct run_node *first = list->first;

	node->next = NULL;
	node->link = list->end;
	*list->end = node;
	list->end = &node->next;
	list->first = first->next;
	list->first->link = &list->first;
	return first;
}
