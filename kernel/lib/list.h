/*
 * Lists whose links lie in what they hold: circular, linked both ways, so that anything leaves its list without a
 * search.
 *
 * A list's head is a link of its own. Guard: whoever has the list. One store puts a link where a reader that goes
 * forward finds it, and one takes it away, so a reader in an interrupt handler sees each list as it was before or after
 * a change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link {
	struct link *next, *prev; /* guard: the list's */
};

/* Make `head` an empty list; or a link one that is in no list, which list_remove leaves alone. */
static inline void list_init(struct link *head)
{
	head->next = head->prev = head;
}

static inline bool list_is_empty(const struct link *head)
{
	return head->next == head;
}

/* Put `link`, which is in no list, behind `before`. */
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

/* Take `link` out of its list. It is in none then, and may be removed once more. */
static inline void list_remove(struct link *link)
{
	link->next->prev = link->prev;
	__atomic_store_n(&link->prev->next, link->next, __ATOMIC_RELEASE);
	list_init(link);
}

/* The structure of that type whose field `member` is `link`. */
#define list_item(link, type, member) ((type *)((uintptr_t)(link)-offsetof(type, member)))

/* Go through what a list holds; `item` must stay in it meanwhile. */
#define LIST_EACH(head, type, member, item)                                               \
	for (type *item = list_item((head)->next, type, member); &item->member != (head); \
	     item = list_item(item->member.next, type, member))

/* Go through what a list holds, where `item` may leave it, but not what comes behind. */
#define LIST_EACH_LEAVING(head, type, member, item)                          \
	for (type *item = list_item((head)->next, type, member),             \
		  *item##_next = list_item(item->member.next, type, member); \
	     &item->member != (head); item = item##_next, item##_next = list_item(item->member.next, type, member))
