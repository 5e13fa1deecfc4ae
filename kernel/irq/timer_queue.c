/*
 * Implements the binary heap of timer_queue.h. A node changes its place by changing links, since timers must not be
 * moved in memory.
 */
#include "kernel/irq/timer_queue.h"

#include "kernel/lib/panic.h"

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->deadline_ns != b->deadline_ns ? a->deadline_ns < b->deadline_ns : a->order < b->order;
}

/*
 * Return the link that points, or is to point, at the n-th node, counted from 1; *ret_parent is the node with that
 * link, NULL for the root's.
 */
static struct timer **link_of(struct timer_queue *queue, uint64_t n, struct timer **ret_parent)
{
	struct timer **link = &queue->root, *parent = NULL;

	/* The path from the root: the binary digits of n after its leading 1, 0 for left and 1 for right. */
	for (int bit = 62 - __builtin_clzll(n); bit >= 0; bit--) {
		parent = *link;
		link = n >> bit & 1 ? &parent->right : &parent->left;
	}
	*ret_parent = parent;
	return link;
}

/* Return the link that points at `timer` in the tree. */
static struct timer **link_to(struct timer_queue *queue, const struct timer *timer)
{
	if (!timer->parent)
		return &queue->root;
	return timer->parent->left == timer ? &timer->parent->left : &timer->parent->right;
}

static void set_links(struct timer *timer, struct timer *parent, struct timer *left, struct timer *right)
{
	timer->parent = parent;
	timer->left = left;
	timer->right = right;
	if (left)
		left->parent = timer;
	if (right)
		right->parent = timer;
}

/* Exchange `child` and its parent: each takes the other's place in the tree. */
static void swap_with_parent(struct timer_queue *queue, struct timer *child)
{
	struct timer *parent = child->parent;
	struct timer *sibling = parent->left == child ? parent->right : parent->left;
	struct timer *left = child->left, *right = child->right;

	*link_to(queue, parent) = child;
	if (parent->left == child)
		set_links(child, parent->parent, parent, sibling);
	else
		set_links(child, parent->parent, sibling, parent);
	set_links(parent, child, left, right);
}

static void rise(struct timer_queue *queue, struct timer *timer)
{
	while (timer->parent && is_before(timer, timer->parent))
		swap_with_parent(queue, timer);
}

static void sink(struct timer_queue *queue, struct timer *timer)
{
	for (;;) {
		struct timer *least = timer->left;

		if (timer->right && is_before(timer->right, least))
			least = timer->right;
		if (!least || !is_before(least, timer))
			return;
		swap_with_parent(queue, least);
	}
}

void timer_queue_add(struct timer_queue *queue, struct timer *timer, uint64_t deadline_ns)
{
	struct timer *parent, **link;

	ASSERT(!timer->queued);
	timer->deadline_ns = deadline_ns;
	timer->order = queue->started++;
	timer->queued = true;
	link = link_of(queue, ++queue->count, &parent);
	*link = timer;
	set_links(timer, parent, NULL, NULL);
	rise(queue, timer);
}

void timer_queue_move(struct timer_queue *queue, struct timer *timer, uint64_t deadline_ns)
{
	ASSERT(timer->queued);
	timer->deadline_ns = deadline_ns;
	timer->order = queue->started++;
	rise(queue, timer);
	sink(queue, timer);
}

/* Remove a timer. The tree's last node takes its place, and then moves up or down to where it belongs. */
void timer_queue_remove(struct timer_queue *queue, struct timer *timer)
{
	struct timer *parent, *last, **link;

	ASSERT(timer->queued && queue->count > 0);
	link = link_of(queue, queue->count--, &parent);
	last = *link;
	*link = NULL;
	if (last != timer) {
		*link_to(queue, timer) = last;
		set_links(last, timer->parent, timer->left, timer->right);
		rise(queue, last);
		sink(queue, last);
	}
	set_links(timer, NULL, NULL, NULL);
	timer->queued = false;
}
