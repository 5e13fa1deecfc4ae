/*
 * epoll(7); see epoll.h. An item is one watched file of an epoll file. A wake-up of the watched file's wait queue,
 * which may come in an interrupt handler, puts the item into the epoll file's ready list. Whether the file is really
 * ready is only asked, by file_poll(), when the items of that list are reported.
 */
#include "kernel/sys/epoll.h"

#include "kernel/fs/anonymous.h"
#include "kernel/lib/tree_insert.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/epoll_internal.h"

#define BATCH 16  /* most items that are reported together */
#define ENDS  128 /* most items that one call of end_some() removes; other tasks can run between two calls */

static const struct file_ops epoll_ops;

bool epoll_is(const struct file *file)
{
	return file->ops == &epoll_ops;
}

/* ---- the ready list ---- */

/* Return whether the item is in the ready list. Call with epoll->lock held. */
static bool is_ready(const struct epoll_item *item)
{
	return !list_is_empty(&item->in_ready);
}

/*
 * Add an item at the ready list's end. Returns false if it is in the list already, or is disabled. Call with
 * epoll->lock held.
 */
static bool add_ready(struct epoll_item *item)
{
	if (is_ready(item) || item->disabled)
		return false;
	list_add_last(&item->epoll->ready, &item->in_ready);
	return true;
}

/*
 * Add an item to the ready list. If it was not in there yet, wake one of the tasks in epoll_wait(2), and everybody who
 * watches the epoll file in another way: tasks in poll(2), and other epoll files. Further wake-ups of a watched file
 * wake nobody while its item is in the list.
 */
void epoll_make_ready(struct epoll_item *item)
{
	uint64_t flags = lock_take(&item->epoll->lock);
	bool news = add_ready(item);

	lock_release(&item->epoll->lock, flags);
	if (news)
		wait_queue_wake_one(&item->epoll->queue, WAIT_BYTES);
}

void epoll_pass_on(struct file *epoll_file)
{
	struct epoll *epoll = epoll_file->data;

	if (wait_queue_is_wanted(&epoll->queue, WAIT_BYTES) && !list_is_empty(&epoll->ready))
		wait_queue_wake_one(&epoll->queue, WAIT_BYTES);
}

static void item_wake(struct waiter *waiter)
{
	epoll_make_ready((struct epoll_item *)((char *)waiter - offsetof(struct epoll_item, waiter)));
}

static void put_item(struct epoll_item *item)
{
	if (!--item->refs)
		kfree(item);
}

/*
 * Take the ready list's first item, with a reference to it. Returns NULL, and takes nothing, when the list is empty, or
 * when that item was reported already by the collection with the number `collect` or a later one (epoll_collect in
 * epoll.h says what a collection is).
 */
static struct epoll_item *take_first(struct epoll *epoll, uint64_t collect)
{
	uint64_t flags = lock_take(&epoll->lock);
	struct epoll_item *item = NULL;

	if (!list_is_empty(&epoll->ready))
		item = list_item(epoll->ready.next, struct epoll_item, in_ready);
	if (item && item->collect >= collect)
		item = NULL;
	if (item) {
		item->refs++;
		list_remove(&item->in_ready);
	}
	lock_release(&epoll->lock, flags);
	return item;
}

/*
 * Put an item back at the ready list's start. Do nothing if the item was removed from the epoll file, or if a wake-up
 * has meanwhile put it at the list's end.
 */
static void put_first(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;
	uint64_t flags = lock_take(&epoll->lock);

	if (!is_ready(item) && !item->gone)
		list_add_first(&epoll->ready, &item->in_ready);
	lock_release(&epoll->lock, flags);
}

static void leave_ready(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;
	uint64_t flags = lock_take(&epoll->lock);

	list_remove(&item->in_ready);
	lock_release(&epoll->lock, flags);
}

static unsigned look(const struct epoll_item *item)
{
	if (item->disabled)
		return 0;
	return file_poll(item->file) & (item->event.events | POLLERR | POLLHUP);
}

/* ---- items ---- */

/* Return in which subtree of `item`, which has another file or descriptor, the item of `file` and `fd` belongs. */
static enum tree_side side_of(const struct epoll_item *item, const struct file *file, int fd)
{
	return file == item->file ? fd > item->fd : file > item->file;
}

static struct epoll_item *find(struct epoll *epoll, const struct file *file, int fd)
{
	struct epoll_item *item = epoll_item_in(epoll->items);

	while (item && (item->file != file || item->fd != fd))
		item = epoll_item_in(item->in_items.child[side_of(item, file, fd)]);
	return item;
}

static bool is_behind(const struct tree_node *node, const struct tree_node *other)
{
	const struct epoll_item *item = epoll_item_in(node);

	return side_of(epoll_item_in(other), item->file, item->fd) == TREE_HIGH;
}

/*
 * Remove an item from its epoll file and from the watched file's wait queue, and drop the epoll file's reference to it.
 * The caller has taken the item out of file->watches already.
 */
static void drop(struct epoll_item *item)
{
	if (item->group)
		epoll_leave_group(item);
	wait_queue_remove(&item->waiter);
	leave_ready(item);
	tree_remove(&item->epoll->items, &item->in_items, NULL);
	if (epoll_is(item->file))
		epoll_set_level(item->epoll);
	item->gone = true;
	put_item(item);
}

void epoll_file_gone(struct file_watch *watch)
{
	drop(epoll_item_of(watch));
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
	if (find(epoll, file, fd))
		return -EEXIST;
	error = epoll_check_nesting(epoll, file);
	if (error)
		return error;
	item = kmalloc(sizeof(*item));
	if (!item)
		return -ENOMEM;
	*item = (struct epoll_item){ .epoll = epoll, .file = file, .fd = fd, .event = *event, .refs = 1 };
	item->waiter.wake = item_wake;
	item->watch.gone = epoll_file_gone;
	list_init(&item->in_ready);
	queue = file_queue(file);
	if (queue && event->events & EPOLLEXCLUSIVE && epoll_join_group(queue, item) != 0) {
		kfree(item);
		return -ENOMEM;
	}
	tree_insert(&epoll->items, &item->in_items, is_behind, NULL);
	file_watch(file, &item->watch);
	if (epoll_is(file))
		epoll_set_level(epoll);
	if (queue && !item->group)
		wait_queue_add(queue, &item->waiter);
	if (look(item))
		epoll_make_ready(item);
	return 0;
}

int epoll_modify(struct file *epoll_file, struct file *file, int fd, const struct epoll_event *event)
{
	struct epoll_item *item = find(epoll_file->data, file, fd);

	if (!item)
		return -ENOENT;
	if (item->event.events & EPOLLEXCLUSIVE)
		return -EINVAL;
	item->event = *event;
	item->disabled = false;
	if (look(item))
		epoll_make_ready(item);
	return 0;
}

int epoll_remove(struct file *epoll_file, struct file *file, int fd)
{
	struct epoll_item *item = find(epoll_file->data, file, fd);

	if (!item)
		return -ENOENT;
	file_unwatch(&item->watch);
	drop(item);
	return 0;
}

/* ---- reporting ready files ---- */

/*
 * Return whether a reported item goes back into the ready list. An edge-triggered item does not, nor does a one-shot
 * item, which is disabled here.
 */
static bool stays_ready(struct epoll_item *item)
{
	if (item->event.events & EPOLLONESHOT) {
		item->disabled = true;
		return false;
	}
	return !(item->event.events & EPOLLET);
}

/* Items that are reported together. Lives on the stack. */
struct batch {
	int count;
	/* a reference to each item; the items are in no ready list unless a wake-up has put them there */
	struct epoll_item *items[BATCH];
	struct epoll_event events[BATCH];
};

/*
 * Take up to `most` items that the collection has not reported yet off the ready list's front, and ask their files: the
 * batch gets those that are ready. Returns how many were taken.
 */
static int take_batch(struct epoll *epoll, uint64_t collect, int most, struct batch *ret)
{
	int taken = 0, kept = 0;
	uint64_t flags = lock_take(&epoll->lock);

	while (taken < most && !list_is_empty(&epoll->ready)) {
		struct epoll_item *item = list_item(epoll->ready.next, struct epoll_item, in_ready);

		if (item->collect >= collect)
			break;
		item->refs++;
		list_remove(&item->in_ready);
		ret->items[taken++] = item;
	}
	lock_release(&epoll->lock, flags);
	for (int i = 0; i < taken; i++) {
		struct epoll_item *item = ret->items[i];
		const unsigned events = look(item);

		if (!events) {
			put_item(item);
			continue;
		}
		ret->items[kept] = item;
		ret->events[kept] = item->event;
		ret->events[kept++].events = events;
	}
	ret->count = kept;
	return taken;
}

/*
 * Give the batch's items back: the first `reported` ones, which the collection has reported, to the ready list's end if
 * they stay ready; take_batch() stops when it comes to them again, so that one collection reports no item twice. The
 * others go back to the list's start.
 */
static void put_batch(struct epoll *epoll, uint64_t collect, const struct batch *batch, int reported)
{
	uint64_t flags;

	for (int i = batch->count; i-- > reported;)
		put_first(batch->items[i]);
	flags = lock_take(&epoll->lock);
	for (int i = 0; i < reported; i++) {
		batch->items[i]->collect = collect;
		/* A wake-up may have put the item at the list's end meanwhile: add_ready() leaves it there. */
		if (stays_ready(batch->items[i]) && !batch->items[i]->gone)
			add_ready(batch->items[i]);
	}
	lock_release(&epoll->lock, flags);
	for (int i = 0; i < batch->count; i++)
		put_item(batch->items[i]);
}

/*
 * Do epoll_collect() for the collection `collect`. Not inlined, so that a call that finds nothing ready does not pay
 * for the large stack frame of this function.
 */
static __attribute__((noinline)) int collect_batches(struct epoll *epoll, uint64_t collect, int most, epoll_put_fn *put,
						     void *ctx)
{
	int count = 0, error = 0;
	struct batch batch;

	while (count < most && !error) {
		int reported;

		if (!take_batch(epoll, collect, most - count < BATCH ? most - count : BATCH, &batch))
			break;
		if (!batch.count)
			continue;
		/*
		 * `put` may let other tasks run, which may remove the items or close the watched files: do not use
		 * those files afterwards. If the user's memory ends within the batch, its first events are still
		 * reported, one by one.
		 */
		reported = batch.count;
		error = put(ctx, batch.events, reported);
		if (error)
			for (reported = 0; reported < batch.count; reported++) {
				error = put(ctx, &batch.events[reported], 1);
				if (error)
					break;
			}
		put_batch(epoll, collect, &batch, reported);
		count += reported;
	}
	return count ? count : error;
}

int epoll_collect(struct file *epoll_file, uint64_t *number, int most, epoll_put_fn *put, void *ctx)
{
	struct epoll *epoll = epoll_file->data;

	/* A wake-up that comes after this look at the list is for the next call, as if it had come after the call. */
	if (list_is_empty(&epoll->ready))
		return 0;
	if (!*number)
		*number = ++epoll->collects;
	return collect_batches(epoll, *number, most, put, ctx);
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

static bool end_some(struct late_work *work)
{
	struct epoll *epoll = (struct epoll *)work;

	for (unsigned i = 0; i < ENDS && epoll->items; i++) {
		struct epoll_item *item = epoll_item_in(epoll->items);

		file_unwatch(&item->watch);
		drop(item);
	}
	if (epoll->items)
		return false;
	kfree(epoll);
	return true;
}

/*
 * Free an epoll file: remove up to ENDS items here, and leave the rest to late work (kernel/sync/late_work.h), which
 * removes ENDS items at a time and lets other tasks run in between. Until an item is removed, the watched file may
 * still wake it, or may be closed, which removes the item, too.
 */
static void epoll_release(struct file *file)
{
	struct epoll *epoll = file->data;

	epoll->file = NULL;
	epoll->end.step = end_some;
	if (!end_some(&epoll->end))
		late_work_add(&epoll->end);
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
	list_init(&epoll->ready);
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
