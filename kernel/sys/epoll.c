/*
 * epoll(7); see epoll.h. An item is one watched file of an epoll file. When the file's wait queue is woken, by
 * interrupt handlers too, the item goes into the epoll file's ready list; later file_poll() tells whether it is ready.
 */
#include "kernel/sys/epoll.h"

#include "kernel/fs/anonymous.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sync/wait_queue.h"

/* Most epoll files in a chain in which each watches the next: Linux's EP_MAX_NESTS plus one. */
#define NESTING_MOST (LOCK_QUEUE_5 - LOCK_QUEUE)

/*
 * An epoll file. Guard: `lock` for the ready list, to which wake-ups of files add items; for the rest the kernel, one
 * CPU, not preempted.
 */
struct epoll {
	struct file *file;        /* the open file whose `data` this is */
	struct epoll_item *items; /* list of all items, by next */
	struct lock lock;
	struct epoll_item *ready;       /* lock; the ready list, by next_ready, the oldest first */
	struct epoll_item **ready_tail; /* lock; the pointer at the list's end */
	struct wait_queue queue;        /* tasks that wait for the epoll file; its lock's rank depends on `level` */
	unsigned level;                 /* 1 more than the highest level of the epoll files that it watches */
	uint64_t collects;              /* how often epoll_collect has been called */
	uint64_t visit;                 /* the value of `visits` in the last search that came here */
	unsigned depth;                 /* what that search found: the length of the longest chain */
};

/* A file that an epoll file watches. Guard: as of struct epoll. */
struct epoll_item {
	struct epoll *epoll;      /* the epoll file */
	struct file *file;        /* the watched file, without a reference: `watch` is called when it is closed */
	int fd;                   /* the descriptor that the program passed; an item is known by file and fd */
	struct epoll_event event; /* the events to watch for, and the user's data */
	bool disabled;            /* a one-shot watch that has fired */
	bool is_ready;            /* epoll->lock; the item is in the ready list */
	bool gone;                /* the item was removed from its epoll file, and is in no list any more */
	uint64_t refs;            /* references: the epoll file's, and that of a call that reports the item */
	uint64_t collect;         /* number of the last epoll_collect call that has put the item back into the list */
	struct epoll_item *next;
	struct epoll_item *next_ready; /* epoll->lock; next in the ready list */
	struct waiter waiter;          /* the item's place in the watched file's wait queue */
	struct file_watch watch;       /* the item's place in file->watches */
};

static const struct file_ops epoll_ops;

bool epoll_is(const struct file *file)
{
	return file->ops == &epoll_ops;
}

/* ---- the ready list ---- */

/* Add an item at the ready list's end. Returns false if it is there or disabled. Call with epoll->lock held. */
static bool add_ready(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;

	if (item->is_ready || item->disabled)
		return false;
	item->is_ready = true;
	item->next_ready = NULL;
	*epoll->ready_tail = item;
	epoll->ready_tail = &item->next_ready;
	return true;
}

/*
 * Add an item to the ready list, and wake the tasks that wait for the epoll file if the item was not in the list yet:
 * repeated wake-ups of a watched file wake them only once.
 */
static void make_ready(struct epoll_item *item)
{
	uint64_t flags = lock_take(&item->epoll->lock);
	bool news = add_ready(item);

	lock_release(&item->epoll->lock, flags);
	if (news)
		wait_queue_wake(&item->epoll->queue);
}

static void item_wake(struct waiter *waiter)
{
	make_ready((struct epoll_item *)((char *)waiter - offsetof(struct epoll_item, waiter)));
}

static void put_item(struct epoll_item *item)
{
	if (!--item->refs)
		kfree(item);
}

/* Remove and return the ready list's first item; NULL: none, or epoll_collect call `collect` or later put it back. */
static struct epoll_item *take_first(struct epoll *epoll, uint64_t collect)
{
	uint64_t flags = lock_take(&epoll->lock);
	struct epoll_item *item = epoll->ready;

	if (item && item->collect >= collect)
		item = NULL;
	if (item) {
		item->refs++;
		epoll->ready = item->next_ready;
		if (!epoll->ready)
			epoll->ready_tail = &epoll->ready;
		item->is_ready = false;
	}
	lock_release(&epoll->lock, flags);
	return item;
}

/* Put an item back at the ready list's start, unless a wake-up has added it at the end meanwhile. */
static void put_first(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;
	uint64_t flags = lock_take(&epoll->lock);

	if (!item->is_ready && !item->gone) {
		item->is_ready = true;
		item->next_ready = epoll->ready;
		if (!epoll->ready)
			epoll->ready_tail = &item->next_ready;
		epoll->ready = item;
	}
	lock_release(&epoll->lock, flags);
}

/* Put an item at the ready list's end, and mark it so that take_first() stops there in the same call, `collect`. */
static void put_last(struct epoll_item *item, uint64_t collect)
{
	struct epoll *epoll = item->epoll;
	uint64_t flags = lock_take(&epoll->lock);

	item->collect = collect;
	if (!item->gone)
		add_ready(item);
	lock_release(&epoll->lock, flags);
}

static void leave_ready(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;
	uint64_t flags = lock_take(&epoll->lock);
	struct epoll_item **link = &epoll->ready;

	while (item->is_ready && *link != item)
		link = &(*link)->next_ready;
	if (item->is_ready) {
		*link = item->next_ready;
		if (!*link)
			epoll->ready_tail = link;
		item->is_ready = false;
	}
	lock_release(&epoll->lock, flags);
}

static unsigned look(const struct epoll_item *item)
{
	if (item->disabled)
		return 0;
	return file_poll(item->file) & (item->event.events | POLLERR | POLLHUP);
}

/* ---- items ---- */

static unsigned level_of(const struct file *file)
{
	const struct epoll *epoll = file->data;

	return epoll->level;
}

static struct epoll_item **find(struct epoll *epoll, const struct file *file, int fd)
{
	struct epoll_item **link = &epoll->items;

	while (*link && ((*link)->file != file || (*link)->fd != fd))
		link = &(*link)->next;
	return link;
}

static void file_gone(struct file_watch *watch);

static struct epoll_item *item_of(struct file_watch *watch)
{
	return (struct epoll_item *)((char *)watch - offsetof(struct epoll_item, watch));
}

/*
 * Compute the level of an epoll file, and of the epoll files that watch it. The queue of an epoll file is woken while
 * the queue of a file that it watches is locked, so its lock must come later in the order of locks: the lock's rank
 * grows with the level. As no chain has more than NESTING_MOST epoll files, there are enough ranks.
 */
static void set_level(struct epoll *epoll)
{
	unsigned level = 1;

	for (const struct epoll_item *item = epoll->items; item; item = item->next)
		if (epoll_is(item->file) && level_of(item->file) >= level)
			level = level_of(item->file) + 1;
	if (level == epoll->level)
		return;
	epoll->level = level;
	lock_set_rank(&epoll->queue.lock, (enum lock_rank)(LOCK_QUEUE + level));
	for (struct file_watch *watch = epoll->file->watches; watch; watch = watch->next)
		if (watch->gone == file_gone)
			set_level(item_of(watch)->epoll);
}

/* Remove an item from all lists but file->watches, and drop the epoll file's reference to it. */
static void drop(struct epoll_item *item)
{
	struct epoll_item **link = find(item->epoll, item->file, item->fd);

	wait_queue_remove(&item->waiter);
	leave_ready(item);
	*link = item->next;
	if (epoll_is(item->file))
		set_level(item->epoll);
	item->gone = true;
	put_item(item);
}

static void file_gone(struct file_watch *watch)
{
	drop(item_of(watch));
}

/* ---- nesting ---- */

/*
 * The number of the current search for chains of epoll files: an epoll file with the same `visit` is not searched
 * again. Guard: the kernel, one CPU, not preempted.
 */
static uint64_t visits;

/*
 * Return how many epoll files the longest chain downwards from `epoll` has, itself included: each watches the next one.
 * If `not` is in such a chain, the result is at least NESTING_MOST, which the caller refuses.
 */
static unsigned depth_below(struct epoll *epoll, const struct epoll * not )
{
	unsigned deepest = 0;

	if (epoll == not )
		return NESTING_MOST;
	if (epoll->visit == visits)
		return epoll->depth;
	for (struct epoll_item *item = epoll->items; item; item = item->next) {
		unsigned depth = epoll_is(item->file) ? depth_below(item->file->data, not ) : 0;

		if (depth > deepest)
			deepest = depth;
	}
	epoll->visit = visits;
	epoll->depth = deepest + 1;
	return epoll->depth;
}

/* Return how many epoll files the longest chain upwards from `epoll` has, itself included. */
static unsigned depth_above(struct epoll *epoll)
{
	unsigned highest = 0;

	if (epoll->visit == visits)
		return epoll->depth;
	for (struct file_watch *watch = epoll->file->watches; watch; watch = watch->next) {
		unsigned height = watch->gone == file_gone ? depth_above(item_of(watch)->epoll) : 0;

		if (height > highest)
			highest = height;
	}
	epoll->visit = visits;
	epoll->depth = highest + 1;
	return epoll->depth;
}

static int check_nesting(struct epoll *epoll, struct file *file)
{
	unsigned below;

	if (!epoll_is(file))
		return 0;
	visits++;
	below = depth_below(file->data, epoll);
	visits++;
	return below + depth_above(epoll) > NESTING_MOST ? -ELOOP : 0;
}

int epoll_add(struct file *epoll_file, struct file *file, int fd, const struct epoll_event *event)
{
	struct epoll *epoll = epoll_file->data;
	struct wait_queue *queue;
	struct epoll_item *item;
	int error;

	if (!file->ops->poll)
		return -EPERM;
	if (file == epoll_file)
		return -EINVAL;
	if (*find(epoll, file, fd))
		return -EEXIST;
	error = check_nesting(epoll, file);
	if (error)
		return error;
	item = kmalloc(sizeof(*item));
	if (!item)
		return -ENOMEM;
	*item = (struct epoll_item){
		.epoll = epoll, .file = file, .fd = fd, .event = *event, .next = epoll->items, .refs = 1
	};
	item->waiter.wake = item_wake;
	item->watch.gone = file_gone;
	epoll->items = item;
	file_watch(file, &item->watch);
	queue = file_queue(file);
	if (epoll_is(file))
		set_level(epoll);
	if (queue)
		wait_queue_add(queue, &item->waiter);
	if (look(item))
		make_ready(item);
	return 0;
}

int epoll_modify(struct file *epoll_file, struct file *file, int fd, const struct epoll_event *event)
{
	struct epoll_item *item = *find(epoll_file->data, file, fd);

	if (!item)
		return -ENOENT;
	item->event = *event;
	item->disabled = false;
	if (look(item))
		make_ready(item);
	return 0;
}

int epoll_remove(struct file *epoll_file, struct file *file, int fd)
{
	struct epoll_item *item = *find(epoll_file->data, file, fd);

	if (!item)
		return -ENOENT;
	file_unwatch(&item->watch);
	drop(item);
	return 0;
}

/* ---- what is ready ---- */

/* Return whether an item that was reported goes back into the ready list. A one-shot item is disabled. */
static bool stays_ready(struct epoll_item *item)
{
	if (item->event.events & EPOLLONESHOT) {
		item->disabled = true;
		return false;
	}
	return !(item->event.events & EPOLLET);
}

int epoll_collect(struct file *epoll_file, int most, int (*put)(void *ctx, const struct epoll_event *event), void *ctx)
{
	struct epoll *epoll = epoll_file->data;
	uint64_t collect = ++epoll->collects;
	struct epoll_item *item;
	int count = 0, error = 0;

	while (count < most && !error && (item = take_first(epoll, collect))) {
		struct epoll_event event = item->event;

		event.events = look(item);
		if (event.events) {
			/* `put` may let other tasks remove the item or close item->file: do not use the file after. */
			error = put(ctx, &event);
			if (error)
				put_first(item);
			else if (stays_ready(item))
				put_last(item, collect);
			count += !error;
		}
		put_item(item);
	}
	return count ? count : error;
}

static unsigned epoll_poll(struct file *file)
{
	struct epoll *epoll = file->data;
	struct epoll_item *item;
	bool found = false;

	while (!found && (item = take_first(epoll, UINT64_MAX))) {
		found = look(item);
		if (found)
			put_first(item);
		put_item(item);
	}
	return found ? POLLIN | POLLRDNORM : 0;
}

static struct wait_queue *epoll_queue(struct file *file)
{
	struct epoll *epoll = file->data;

	return &epoll->queue;
}

static void epoll_release(struct file *file)
{
	struct epoll *epoll = file->data;

	while (epoll->items) {
		file_unwatch(&epoll->items->watch);
		drop(epoll->items);
	}
	kfree(epoll);
}

static const struct file_ops epoll_ops = {
	.poll = epoll_poll,
	.queue = epoll_queue,
	.release = epoll_release,
};

int epoll_create_file(struct file **ret)
{
	struct epoll *epoll = kzalloc(sizeof(*epoll));
	int error;

	if (!epoll)
		return -ENOMEM;
	epoll->ready_tail = &epoll->ready;
	epoll->lock = (struct lock)LOCK_INITIAL(LOCK_EPOLL);
	epoll->queue = (struct wait_queue){ .lock = LOCK_INITIAL(LOCK_QUEUE_1) };
	epoll->level = 1;
	error = anonymous_file_create("[eventpoll]", &epoll_ops, epoll, 0, &epoll->file);
	if (error) {
		kfree(epoll);
		return error;
	}
	*ret = epoll->file;
	return 0;
}
