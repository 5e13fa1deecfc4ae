/*
 * See eventfd.h. The counter stays below UINT64_MAX: a write that would reach it waits.
 */
#include "kernel/fs/eventfd.h"

#include "kernel/fs/anonymous.h"
#include "kernel/lib/wait_queue.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"

struct eventfd {
	uint64_t count;
	bool semaphore;
	struct wait_queue queue; /* readers wait for a count, writers for room */
};

static int64_t eventfd_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct eventfd *event = file->data;
	uint64_t value = event->semaphore ? 1 : event->count;
	size_t moved;

	(void)offset;
	if (io->left < sizeof(value))
		return -EINVAL;
	if (!event->count)
		return -EAGAIN;
	if (user_io_put(io, &value, sizeof(value), &moved) != OK)
		return -EFAULT;
	event->count -= value;
	wait_queue_wake(&event->queue);
	return sizeof(value);
}

/* What has come when the next byte is not the user's does not count, so its bytes go back. */
static int64_t eventfd_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct eventfd *event = file->data;
	struct user_io start = *io;
	uint64_t value;
	size_t moved;

	(void)offset;
	if (io->left < sizeof(value))
		return -EINVAL;
	if (user_io_get(io, &value, sizeof(value), &moved) != OK)
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	if (value >= UINT64_MAX - event->count) {
		/* Taken again when there is room. */
		io->piece = start.piece;
		io->pieces = start.pieces;
		io->at = start.at;
		io->left = start.left;
		return -EAGAIN;
	}
	event->count += value;
	wait_queue_wake(&event->queue);
	return sizeof(value);
}

static unsigned eventfd_poll(struct file *file)
{
	const struct eventfd *event = file->data;

	return (event->count ? POLLIN : 0) | (event->count < UINT64_MAX - 1 ? POLLOUT : 0);
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

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.queue = eventfd_queue,
	.release = eventfd_release,
};

int eventfd_create(uint32_t count, unsigned flags, struct file **ret)
{
	struct eventfd *event = kmalloc(sizeof(*event));
	int error;

	if (!event)
		return -ENOMEM;
	*event = (struct eventfd){ .count = count, .semaphore = flags & EFD_SEMAPHORE };
	error = anonymous_file_create("[eventfd]", &eventfd_ops, event, flags, ret);
	if (error)
		kfree(event);
	return error;
}
