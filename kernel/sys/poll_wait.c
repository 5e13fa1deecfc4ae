/*
 * Waits for several files. The task enters the wait queues of all files before it asks each file again, so that no
 * event in between is missed.
 */
#include "kernel/sys/poll_wait.h"

#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/personality.h"
#include "kernel/task/wait_until.h"

uint64_t poll_deadline(int timeout_ms)
{
	if (timeout_ms <= 0)
		return timeout_ms ? POLL_NEVER : POLL_NOW;
	return deadline_in((uint64_t)timeout_ms * NS_PER_MS);
}

/*
 * The loops of look(), join() and leave() let other tasks run between two items. A wake-up that a file sends meanwhile
 * is not lost: WAIT_UNTIL() looks at all files after join(), and a wake-up during that look keeps the task from
 * sleeping.
 */

/* Ask all files, and set each item's `found`. Returns how many items have events; -EINTR: the task must end. */
static int look(struct poll_item *items, size_t count)
{
	int found = 0;

	for (size_t i = 0; i < count; i++) {
		struct poll_item *item = &items[i];

		if (poll_step_on(i))
			return -EINTR;
		if (!item->file)
			continue;
		item->found = file_poll(item->file) & (item->events | POLLERR | POLLHUP);
		found += item->found != 0;
	}
	return found;
}

/* Enter the queues of the files. Returns how many items have done so: all, unless the task must end. */
static size_t join(struct poll_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct task_waiter *waiter = &items[i].waiter;
		struct wait_queue *queue = items[i].file ? file_queue(items[i].file) : NULL;

		if (poll_step_on(i))
			return i;
		task_waiter_init(waiter);
		/*
		 * Of several entries in a row for one file only the first waits: once the task is woken, look() asks
		 * the files of all entries.
		 */
		if (queue && !task_is_at_end(queue))
			wait_queue_add(queue, &waiter->waiter);
	}
	return count;
}

static void leave(struct poll_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)poll_step_on(i);
		wait_queue_remove(&items[i].waiter.waiter);
	}
}

int poll_wait(struct poll_item *items, size_t count, uint64_t deadline_ns)
{
	const size_t joined = join(items, count);
	int found = 0, error = -EINTR;

	if (joined == count)
		error = WAIT_UNTIL((found = look(items, count)) != 0 || clock_monotonic_ns() >= deadline_ns,
				   deadline_ns);
	leave(items, joined);
	return found || error == -ETIMEDOUT ? found : error;
}

void poll_put_files(const struct poll_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)poll_step_on(i);
		if (items[i].file)
			file_put(items[i].file);
	}
}

uint64_t poll_time_left(uint64_t deadline)
{
	uint64_t now = clock_monotonic_ns();

	return deadline > now ? deadline - now : 0;
}

void poll_put_rest(uint64_t to, uint64_t deadline, int64_t result)
{
	struct linux_timespec rest;

	if (deadline == POLL_NOW || result == -ERESTART_MEMORY || task_current()->personality & STICKY_TIMEOUTS)
		return;
	rest = timespec_from_ns(poll_time_left(deadline));
	(void)args_put_late(to, &rest, sizeof(rest));
}
