/*
 * Doubly linked circular lists. The links are fields of the structures in the list, so that a structure can be removed
 * without a search.
 *
 * A list's head is a struct link as well. Guard: whoever uses the list says what guards it. Adding or removing a link
 * changes the forward links by one store: so an interrupt handler that goes forward sees the list as it was either
 * before or after the change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link {
	struct link *next, *prev; /* guard: the list's */
};

/* Make `head` an empty list; or mark a link as being in no list, so that list_remove() has no effect on it. */
static inline void list_init(struct link *head)
{
	head->next = head->prev = head;
}

static inline bool list_is_empty(const struct link *head)
{
	return head->next == head;
}

/* Add `link`, which must be in no list, after `before`. */
static inline void list_add_behind(struct link *before, struct link *link)
{
	link->prev = before;
	link->next = before->next;
	before->next->prev = link;
	__atomic_store_n(&before->next, link, __ATOMIC_RELEASE);
}

static inline void list_add_first(struct link *head, struct link *link)
{
	list_add_behind(head, link);
}

static inline void list_add_last(struct link *head, struct link *link)
{
	list_add_behind(head->prev, link);
}

/* Remove `link` from its list, and mark it as being in no list. No effect on a link that is marked so. */
static inline void list_remove(struct link *link)
{
	link->next->prev = link->prev;
	__atomic_store_n(&link->prev->next, link->next, __ATOMIC_RELEASE);
	list_init(link);
}

/* Return the structure of type `type` whose field `member` is *link. */
#define list_item(link, type, member) ((type *)((uintptr_t)(link)-offsetof(type, member)))

/* The head of a loop over a list, with the variable `item`. The loop's body must not remove `item`. */
#define LIST_EACH(head, type, member, item)                                               \
	for (type *item = list_item((head)->next, type, member); &item->member != (head); \
	     item = list_item(item->member.next, type, member))

/* The head of a loop like LIST_EACH whose body may remove `item`, but not the structure after it. */
#define LIST_EACH_LEAVING(head, type, member, item)                          \
	for (type *item = list_item((head)->next, type, member),             \
		  *item##_next = list_item(item->member.next, type, member); \
	     &item->member != (head); item = item##_next, item##_next = list_item(item->member.next, type, member))
