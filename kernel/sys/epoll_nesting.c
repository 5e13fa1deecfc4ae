/*
 * Serves epoll files that watch epoll files: sets the order in which their wait queues are locked, and refuses circles
 * and too long chains.
 */
#include "kernel/sys/epoll_internal.h"

static unsigned level_of(const struct file *file)
{
	const struct epoll *epoll = file->data;

	return epoll->level;
}

/*
 * Compute the level of an epoll file, and of the epoll files that watch it. The queue of an epoll file is woken while
 * the queue of a file that it watches is locked, so the lock of the epoll file's queue must come later in the order of
 * locks: that lock's rank grows with the level. As no chain has more than NESTING_MOST epoll files, there are enough
 * ranks.
 */
void epoll_set_level(struct epoll *epoll)
{
	unsigned level = 1;

	if (!epoll->file)
		return;
	for (struct epoll_item *item = epoll_first_item(epoll); item; item = epoll_next_item(item))
		if (epoll_is(item->file) && level_of(item->file) >= level)
			level = level_of(item->file) + 1;
	if (level == epoll->level)
		return;
	epoll->level = level;
	lock_set_rank(&epoll->queue.lock, (enum lock_rank)(LOCK_QUEUE + level));
	for (struct file_watch *watch = epoll->file->watches; watch; watch = watch->next)
		if (watch->gone == epoll_file_gone)
			epoll_set_level(epoll_item_of(watch)->epoll);
}

/*
 * The number of the current search for chains of epoll files: an epoll file with the same `visit` is not searched
 * again. Guard: tasks only, which the kernel does not preempt.
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
	for (struct epoll_item *item = epoll_first_item(epoll); item; item = epoll_next_item(item)) {
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
	/* An epoll file that is closed already, but still has items that wait to be removed, is in no chain. */
	if (!epoll->file)
		return 0;
	for (struct file_watch *watch = epoll->file->watches; watch; watch = watch->next) {
		unsigned height = watch->gone == epoll_file_gone ? depth_above(epoll_item_of(watch)->epoll) : 0;

		if (height > highest)
			highest = height;
	}
	epoll->visit = visits;
	epoll->depth = highest + 1;
	return epoll->depth;
}

int epoll_check_nesting(struct epoll *epoll, struct file *file)
{
	unsigned below;

	if (!epoll_is(file))
		return 0;
	visits++;
	below = depth_below(file->data, epoll);
	visits++;
	return below + depth_above(epoll) > NESTING_MOST ? -ELOOP : 0;
}
