/*
 * Passes events to the watches that want them; see notify.h. A node has a list of its watches. The node's directory is
 * found by node_ops.place, so that nothing has to be kept up to date when a directory begins to be watched.
 */
#include "kernel/fs/notify.h"

#include "kernel/lib/panic.h"

/* The number of watches in all. Guard: tasks only, which the kernel does not preempt. */
uint64_t notify_watches;

void notify_watch_add(struct notify_watch *watch, struct node *node)
{
	watch->node = node->fs->keeps_nodes ? node : node_get(node);
	watch->next = node->watches;
	watch->link = &node->watches;
	if (watch->next)
		watch->next->link = &watch->next;
	node->watches = watch;
	node->fs->watches++;
	notify_watches++;
}

void notify_watch_remove(struct notify_watch *watch)
{
	struct node *node = watch->node;

	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
	node->fs->watches--;
	notify_watches--;
	if (!node->fs->keeps_nodes)
		node_put(node);
}

/*
 * Tell an event to those watches of a node that want it, or to all if it is the last. The caller keeps the node from
 * being freed.
 */
static void tell_all(struct node *node, const struct notice *notice)
{
	struct notify_watch *watch = node->watches;

	while (watch) {
		struct notify_watch *next = watch->next;

		if (notice->events & watch->mask & ~(uint32_t)IN_ISDIR || notice->last)
			watch->tell(watch, notice);
		watch = next;
	}
}

static uint32_t with_type(uint32_t mode, uint32_t events)
{
	return (mode & S_IFMT) == S_IFDIR ? events | IN_ISDIR : events;
}

void notify_self_now(struct node *node, uint32_t events)
{
	const struct notice notice = { .events = with_type(node->mode, events) };

	tell_all(node, &notice);
}

void notify_node_now(struct node *node, uint32_t events)
{
	struct notice notice = { .events = with_type(node->mode, events), .unlinked = !node->links };
	struct node_place place;

	if (node->ops->place && node->ops->place(node, &place) == 0 && place.dir->watches) {
		notice.name = place.name;
		node_get(place.dir);
		tell_all(place.dir, &notice);
		node_put(place.dir);
	}
	notice.name = (struct name){ 0 };
	tell_all(node, &notice);
}

void notify_name_now(struct node *dir, struct name name, uint32_t mode, uint32_t events, uint32_t cookie)
{
	const struct notice notice = { .events = with_type(mode, events), .cookie = cookie, .name = name };

	tell_all(dir, &notice);
}

uint32_t notify_new_cookie(void)
{
	static uint32_t last; /* guard: tasks only, which the kernel does not preempt */

	if (!++last)
		last = 1;
	return last;
}

void notify_gone(struct node *node)
{
	const struct notice notice = {
		.events = with_type(node->mode, node->fs->ends ? IN_UNMOUNT : IN_DELETE_SELF),
		.last = true,
	};

	tell_all(node, &notice);
	ASSERT(!node->watches);
}
