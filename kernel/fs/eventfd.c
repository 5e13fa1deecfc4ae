/*
 * eventfd(2): an open file that is a counter. A write that would raise it to UINT64_MAX or more returns -EAGAIN, on
 * which the caller waits in the file's queue (kernel/fs/file.h).
 */
#include "kernel/fs/eventfd.h"

#include "kernel/fs/anonymous.h"
#include "kernel/fs/text.h"
#include "kernel/lib/likely.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sync/wait_queue.h"

/* file->data of an eventfd. Guard: tasks only, which the kernel does not preempt. */
struct eventfd {
	uint64_t count;
	bool semaphore;
	struct wait_queue queue; /* readers wait for a count, writers for room */
};

/*
 * Wake tasks after a read: those that poll, and all writers that wait, since how much room each of them needs is not
 * known. Readers are not woken: a read leaves nothing to read; or, with `semaphore`, the reader that leaves the queue
 * wakes the next (kernel/sys/file_transfer.c).
 */
static void tell_of_room(struct eventfd *event)
{
	if (unlikely(wait_queue_is_wanted(&event->queue, WAIT_ROOM)))
		wait_queue_wake(&event->queue);
	else
		wait_queue_wake_one(&event->queue, WAIT_ROOM);
}

static int64_t eventfd_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct eventfd *event = file->data;
	uint64_t value = event->semaphore ? 1 : event->count;
	enum status status;

	(void)offset;
	if (io->left < sizeof(value))
		return -EINVAL;
	if (!event->count)
		return -EAGAIN;
	status = user_io_put_all(io, &value, sizeof(value));
	if (status != OK)
		return copy_errno(status);
	event->count -= value;
	tell_of_room(event);
	return sizeof(value);
}

/*
 * Add the value that the user writes. The value is fetched through a copy of `io`, and `io` itself advances only when
 * the counter has room, so that after -EAGAIN the same write can be tried again.
 */
static int64_t eventfd_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct eventfd *event = file->data;
	struct user_io after = *io;
	enum status status;
	uint64_t value;

	(void)offset;
	if (io->left < sizeof(value))
		return -EINVAL;
	status = user_io_get_all(&after, &value, sizeof(value));
	if (status != OK)
		return copy_errno(status);
	if (value == UINT64_MAX)
		return -EINVAL;
	if (value >= UINT64_MAX - event->count)
		return -EAGAIN;
	user_io_skip(io, sizeof(value));
	event->count += value;
	/* Waking one reader is enough: it takes the whole count or, with `semaphore`, wakes the next reader. */
	wait_queue_wake_one(&event->queue, WAIT_BYTES);
	return sizeof(value);
}

static unsigned eventfd_poll(struct file *file)
{
	const struct eventfd *event = file->data;

	return (event->count ? POLLIN : 0) | (event->count < UINT64_MAX - 1 ? POLLOUT : 0) |
	       (event->count == UINT64_MAX ? POLLERR : 0);
}

static struct wait_queue *eventfd_queue(struct file *file)
{
	struct eventfd *event = file->data;

	return &event->queue;
}

static void eventfd_release(struct file *file)
{
	kfree(file->data);
}

static void eventfd_info(struct file *file, struct text *ret)
{
	const struct eventfd *event = file->data;

	text_add(ret, "eventfd-count: %16llx\n", (unsigned long long)event->count);
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.queue = eventfd_queue,
	.info = eventfd_info,
	.release = eventfd_release,
};

bool eventfd_is(const struct file *file)
{
	return file->ops == &eventfd_ops;
}

void eventfd_add_one(struct file *file)
{
	struct eventfd *event = file->data;

	if (event->count < UINT64_MAX)
		event->count++;
	wait_queue_wake_one(&event->queue, WAIT_BYTES);
}

int eventfd_create(uint32_t count, unsigned flags, struct file **ret)
{
	struct eventfd *event = kmalloc(sizeof(*event));
	int error;

	if (!event)
		return -ENOMEM;
	*event = (struct eventfd){ .count = count, .semaphore = flags & EFD_SEMAPHORE, .queue = WAIT_QUEUE_INITIAL };
	error = anonymous_file_create("[eventfd]", &eventfd_ops, event, flags, ret);
	if (error)
		kfree(event);
	else
		(*ret)->properties |= FILE_NOWAIT | FILE_USES_UP;
	return error;
}
