/*
 * EPOLLEXCLUSIVE: when many epoll files watch one wait queue with this bit, an event wakes as few of them as it needs:
 * one with a task that waits to read, and one with a task that waits to write. Their items are not in the wait queue
 * themselves. One waiter is there for all of them, and passes a wake-up on to the items in the order in which they were
 * added, until it has reached tasks in epoll_wait(2).
 */
#include "kernel/lib/tree_insert.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/epoll_internal.h"

#define EITHER (POLLIN | POLLOUT)

/*
 * The items with EPOLLEXCLUSIVE that watch one wait queue. Guard of fields that say nothing else: tasks only, which the
 * kernel does not preempt.
 */
struct epoll_group {
	struct tree_node in_groups;
	/* the queue that the items watch, by whose address `groups` is sorted; fixed when the group is made */
	struct wait_queue *queue;
	bool left; /* the group is not in `groups` any more, since its queue has gone */
	struct waiter waiter;
	struct link items;  /* struct epoll_item by in_group, the oldest first. Guard: the queue's lock */
	uint64_t wanted[2]; /* how many items watch for POLLIN, and for POLLOUT. Guard: the queue's lock */
};

/* All groups, sorted by the queue's address. Guard: tasks only, which the kernel does not preempt. */
static struct tree_node *groups;

static struct epoll_group *group_in(const struct tree_node *node)
{
	return node ? tree_item(node, struct epoll_group, in_groups) : NULL;
}

/*
 * Pass a wake-up of the queue on to items of the group. Called with the queue's lock held, also in interrupt handlers.
 */
static void group_wake(struct waiter *waiter)
{
	struct epoll_group *group = (struct epoll_group *)((char *)waiter - offsetof(struct epoll_group, waiter));
	unsigned left = (group->wanted[0] ? POLLIN : 0) | (group->wanted[1] ? POLLOUT : 0);

	for (struct link *link = group->items.next; link != &group->items; link = link->next) {
		struct epoll_item *item = list_item(link, struct epoll_item, in_group);
		const unsigned wants = item->event.events & EITHER;
		const bool waits = wait_queue_is_wanted(&item->epoll->queue, WAIT_BYTES);

		if (wants && !(wants & left))
			continue;
		epoll_make_ready(item);
		if (waits)
			left &= ~wants;
		if (!left)
			break;
	}
}

static struct epoll_group *find(struct wait_queue *queue)
{
	struct epoll_group *group = group_in(groups);

	while (group && group->queue != queue)
		group = group_in(group->in_groups.child[queue > group->queue]);
	return group;
}

static bool is_behind(const struct tree_node *node, const struct tree_node *other)
{
	return group_in(node)->queue > group_in(other)->queue;
}

static void leave_groups(struct epoll_group *group)
{
	if (!group->left)
		tree_remove(&groups, &group->in_groups, NULL);
	group->left = true;
}

/* Return the group of a queue; makes an empty one if there is none. NULL: no memory. */
static struct epoll_group *get_group(struct wait_queue *queue)
{
	struct epoll_group *group = find(queue);

	if (group && group->waiter.queue)
		return group;
	/*
	 * A group that is in no queue belongs to an older queue that has gone, and was at the same address: forget that
	 * group.
	 */
	if (group)
		leave_groups(group);
	group = kzalloc(sizeof(*group));
	if (!group)
		return NULL;
	group->queue = queue;
	group->waiter.wake = group_wake;
	list_init(&group->items);
	tree_insert(&groups, &group->in_groups, is_behind, NULL);
	wait_queue_add(queue, &group->waiter);
	return group;
}

static void count(struct epoll_group *group, const struct epoll_item *item, uint64_t more)
{
	group->wanted[0] += item->event.events & POLLIN ? more : 0;
	group->wanted[1] += item->event.events & POLLOUT ? more : 0;
}

int epoll_join_group(struct wait_queue *queue, struct epoll_item *item)
{
	struct epoll_group *group = get_group(queue);
	uint64_t flags;

	if (!group)
		return -ENOMEM;
	flags = lock_take(&queue->lock);
	list_add_last(&group->items, &item->in_group);
	count(group, item, 1);
	lock_release(&queue->lock, flags);
	item->group = group;
	return 0;
}

void epoll_leave_group(struct epoll_item *item)
{
	struct epoll_group *group = item->group;
	struct wait_queue *queue = group->waiter.queue;
	uint64_t flags = queue ? lock_take(&queue->lock) : 0;

	list_remove(&item->in_group);
	count(group, item, (uint64_t)-1);
	if (queue)
		lock_release(&queue->lock, flags);
	item->group = NULL;
	if (!list_is_empty(&group->items))
		return;
	leave_groups(group);
	wait_queue_remove(&group->waiter);
	kfree(group);
}
