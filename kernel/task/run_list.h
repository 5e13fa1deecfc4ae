/*
 * A list of tasks that wait for the CPU, in their order: a task is put at either end and taken out anywhere, in a few
 * instructions however many there are. Whoever has a list guards it.
 */
#pragma once

#include <stddef.h>

/* A task's place in a list. */
struct run_node {
	struct run_node *next;
	struct run_node **link; /* what points at this node: the one in front, or the list */
};

/* A list that is all zero is empty. */
struct run_list {
	struct run_node *first, **end; /* `end` is valid only while there is a first */
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

/* Add a node to the end of a list that is not empty, and take the list's first. */
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
