/*
 * The queue of an inotify instance. An event that is the same as the last one in the queue is left out. When the queue
 * is full, or there is no memory for one more, the events that do not fit are lost, and IN_Q_OVERFLOW says so once.
 */
#include "kernel/fs/inotify_internal.h"
#include "kernel/fs/linux_termios.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"

#define READ_EVENTS  1024 /* most events that one read takes, so that it ends within a millisecond */
#define LENGTH_UNIT  sizeof(struct inotify_event)
#define NAME_ROOM    (NAME_MAX + 1 + LENGTH_UNIT)
#define MEMORY_SHARE 32 /* the events of one user take at most 1/32 of memory */

static uint64_t size_in_heap(const struct inotify_record *record)
{
	return sizeof(*record) + record->name_size;
}

/* Return how many bytes an event takes in the buffer of a reader. */
static uint64_t size_when_read(const struct inotify_record *record)
{
	return sizeof(record->event) + record->event.length;
}

static uint32_t padded(size_t name_size)
{
	return name_size ? (uint32_t)((name_size + 1 + LENGTH_UNIT - 1) / LENGTH_UNIT * LENGTH_UNIT) : 0;
}

static void append(struct inotify *inotify, struct inotify_record *record)
{
	record->next = NULL;
	if (inotify->first)
		inotify->last->next = record;
	else
		inotify->first = record;
	inotify->last = record;
	inotify->events++;
	inotify->bytes += size_when_read(record);
	if (record != inotify->overflow)
		inotify->user->bytes += size_in_heap(record);
	wait_queue_wake_one(&inotify->queue, WAIT_BYTES);
}

static bool is_same(const struct inotify_record *last, int number, uint32_t mask, struct name name)
{
	return !(last->event.mask & IN_IGNORED) && last->event.mask == mask && last->event.watch == number &&
	       last->name_size == name.size && memcmp(last->name, name.text, name.size) == 0;
}

static struct inotify_record *make(int number, uint32_t mask, uint32_t cookie, struct name name)
{
	struct inotify_record *record = kmalloc(sizeof(*record) + name.size);

	if (!record)
		return NULL;
	record->event = (struct inotify_event){ number, mask, cookie, padded(name.size) };
	record->name_size = (uint32_t)name.size;
	memcpy(record->name, name.text, name.size);
	return record;
}

void inotify_queue(struct inotify *inotify, int number, uint32_t mask, uint32_t cookie, struct name name)
{
	const bool full = inotify->events >= inotify->events_most ||
			  inotify->user->bytes >= machine_frames.total * PAGE_SIZE / MEMORY_SHARE;
	struct inotify_record *record;

	if (!full && inotify->first && is_same(inotify->last, number, mask, name))
		return;
	record = full ? NULL : make(number, mask, cookie, name);
	if (record) {
		append(inotify, record);
	} else if (!inotify->overflowed) {
		inotify->overflowed = true;
		append(inotify, inotify->overflow);
	}
}

static void drop_first(struct inotify *inotify)
{
	struct inotify_record *record = inotify->first;

	inotify->first = record->next;
	inotify->events--;
	inotify->bytes -= size_when_read(record);
	if (record == inotify->overflow) {
		inotify->overflowed = false;
		return;
	}
	inotify->user->bytes -= size_in_heap(record);
	kfree(record);
}

bool inotify_drop_events(struct inotify *inotify, unsigned most)
{
	while (inotify->first && most--)
		drop_first(inotify);
	return !inotify->first;
}

static enum status put(struct user_io *io, const struct inotify_record *record)
{
	struct {
		struct inotify_event event;
		char name[NAME_ROOM];
	} whole = { .event = record->event };

	ASSERT(record->event.length <= NAME_ROOM);
	memcpy(whole.name, record->name, record->name_size);
	return user_io_put_all(io, &whole, size_when_read(record));
}

int64_t inotify_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct inotify *inotify = file->data;
	int64_t total = 0;

	(void)offset;
	for (unsigned i = 0; i < READ_EVENTS && inotify->first; i++) {
		const uint64_t size = size_when_read(inotify->first);
		enum status status;

		if (size > io->left)
			return total ? total : -EINVAL;
		status = put(io, inotify->first);
		if (status != OK)
			return total ? total : copy_errno(status);
		drop_first(inotify);
		total += (int64_t)size;
	}
	return total ? total : -EAGAIN;
}

int64_t inotify_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	const struct inotify *inotify = file->data;
	int32_t bytes = (int32_t)inotify->bytes;

	(void)arg;
	return request == FIONREAD ? copy_errno(user_io_put_all(io, &bytes, sizeof(bytes))) : -ENOTTY;
}

unsigned inotify_poll(struct file *file)
{
	const struct inotify *inotify = file->data;

	return inotify->first ? POLLIN | POLLRDNORM : 0;
}
