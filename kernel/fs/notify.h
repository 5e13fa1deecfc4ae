/*
 * Events of files for inotify(7): what is done to a node is told to those who watch the node, and to those who watch
 * the directory that has its name. Code that has done something to a node calls a function from here afterwards. While
 * nobody watches anything a call costs one test of a counter, and while nobody watches a file of that file system one
 * more.
 *
 * Guard: tasks only, which the kernel does not preempt. Nothing here fails or blocks: an event for which there is no
 * memory becomes IN_Q_OVERFLOW.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/lib/likely.h"

/* Linux's bits of events and of inotify_add_watch(2)'s mask (inotify(7)). */
enum inotify_bits {
	IN_ACCESS = 1 << 0,
	IN_MODIFY = 1 << 1,
	IN_ATTRIB = 1 << 2,
	IN_CLOSE_WRITE = 1 << 3,
	IN_CLOSE_NOWRITE = 1 << 4,
	IN_OPEN = 1 << 5,
	IN_MOVED_FROM = 1 << 6,
	IN_MOVED_TO = 1 << 7,
	IN_CREATE = 1 << 8,
	IN_DELETE = 1 << 9,
	IN_DELETE_SELF = 1 << 10,
	IN_MOVE_SELF = 1 << 11,
	NOTIFY_RENAMED = 1 << 12, /* a node got another name in the same directory; not one of inotify's events */
	IN_UNMOUNT = 1 << 13,
	IN_Q_OVERFLOW = 1 << 14,
	IN_IGNORED = 1 << 15,
	IN_ONLYDIR = 1 << 24,
	IN_DONT_FOLLOW = 1 << 25,
	IN_EXCL_UNLINK = 1 << 26,
	IN_MASK_CREATE = 1 << 28,
	IN_MASK_ADD = 1 << 29,
	IN_ISDIR = 1 << 30,
};

#define IN_ONESHOT    (1U << 31)
#define IN_ALL_EVENTS 0xfffU

/* An event that is told to watches. Lives on the stack. */
struct notice {
	uint32_t events;  /* what was done; with IN_ISDIR if it was done to a directory */
	uint32_t cookie;  /* see notify_new_cookie(), or 0 */
	struct name name; /* the node's name in the watched directory; empty: the watched node itself is meant */
	bool unlinked;    /* the file has no name any more */
	bool last;        /* the node is about to be freed: `tell` must remove the watch */
};

/* A watch of a node, for a larger structure to contain. Guard: tasks only, which the kernel does not preempt. */
struct notify_watch {
	/* Called for an event that `mask` has, and for the last one; may remove the watch, but no other. */
	void (*tell)(struct notify_watch *watch, const struct notice *notice);
	struct notify_watch *next, **link; /* the node's watches; link: the pointer to this one */
	/*
	 * The node that is watched. If its file system frees nodes that nobody uses, this is a counted reference. If
	 * not (fs->keeps_nodes), it is not counted: when such a node ends, that is an event, which ends the watch.
	 */
	struct node *node;
	uint32_t mask; /* a set of enum inotify_bits */
};

/* How many watches there are in all. Guard: tasks only, which the kernel does not preempt. */
extern uint64_t notify_watches;

/*
 * Make `watch`, whose `tell` and `mask` are set, watch `node`; or remove it, which may drop the last reference to the
 * node.
 */
void notify_watch_add(struct notify_watch *watch, struct node *node);
void notify_watch_remove(struct notify_watch *watch);

/* Tell the watchers of a node and of its directory about `events`; notify_self_now() those of the node alone. */
void notify_node_now(struct node *node, uint32_t events);
void notify_self_now(struct node *node, uint32_t events);

/*
 * Tell the watchers of a directory that something was done to its name `name`, which is or was that of a node of
 * `mode`. cookie: see notify_new_cookie(), or 0.
 */
void notify_name_now(struct node *dir, struct name name, uint32_t mode, uint32_t events, uint32_t cookie);

/* Return a number that IN_MOVED_FROM and IN_MOVED_TO of one rename have in common; never 0. */
uint32_t notify_new_cookie(void);

/* End all watches of a node that is about to be freed, with the events that say so. The node has no references. */
void notify_gone(struct node *node);

static inline bool notify_is_wanted(const struct node *node)
{
	return unlikely(notify_watches) && node->fs->watches;
}

static inline void notify_node(struct node *node, uint32_t events)
{
	if (notify_is_wanted(node))
		notify_node_now(node, events);
}

static inline void notify_self(struct node *node, uint32_t events)
{
	if (notify_is_wanted(node))
		notify_self_now(node, events);
}

static inline void notify_name(struct node *dir, struct name name, uint32_t mode, uint32_t events)
{
	if (notify_is_wanted(dir))
		notify_name_now(dir, name, mode, events, 0);
}
