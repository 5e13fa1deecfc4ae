/*
 * The device /dev/kmsg. An open file keeps the number of the record that it reads next; it has no offset in bytes.
 */
#include "kernel/fs/kmsg.h"

#include "kernel/fs/content_memory.h"
#include "kernel/fs/device.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sync/wait_queue.h"

#define HEADER_SIZE  64
#define ESCAPED_SIZE 4 /* most bytes that escape() writes for one byte, as in "\x0a" */

static struct wait_queue readers = WAIT_QUEUE_INITIAL; /* tasks that wait for the next record */

struct wait_queue *kmsg_queue(void)
{
	return &readers;
}

static void wake_readers(void)
{
	wait_queue_wake(&readers);
}

/* ---- reading ---- */

/*
 * Write a byte of a record as /dev/kmsg shows it: a byte that is not printable, and a backslash, as \xNN. A record that
 * a program has written (LOG_USER) was escaped when the log took it, so its backslashes stay. Returns how many bytes
 * were written.
 */
static size_t escape(const struct log_record *record, size_t at, char to[ESCAPED_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t value = (uint8_t)record->text[at];

	if (value >= ' ' && value < 127 && (value != '\\' || record->priority >= LOG_USER)) {
		to[0] = (char)value;
		return 1;
	}
	to[0] = '\\';
	to[1] = 'x';
	to[2] = digits[value >> 4];
	to[3] = digits[value & 15];
	return ESCAPED_SIZE;
}

static size_t escaped_size(const struct log_record *record)
{
	char piece[ESCAPED_SIZE];
	size_t size = 0;

	for (size_t i = 0; i < record->size; i++)
		size += escape(record, i, piece);
	return size;
}

/* Copy the escaped text and '\n' to the user, in pieces; *moved is advanced by the bytes copied. */
static enum status put_text(struct user_io *io, const struct log_record *record, size_t *moved)
{
	char piece[256];
	enum status status = OK;
	size_t size = 0, done;

	for (size_t i = 0; i <= record->size && status == OK; i++) {
		if (i < record->size)
			size += escape(record, i, piece + size);
		else
			piece[size++] = '\n';
		if (i < record->size && size + ESCAPED_SIZE <= sizeof(piece))
			continue;
		status = user_io_put(io, piece, size, &done);
		*moved += done;
		size = 0;
	}
	return status;
}

/*
 * Read one record. When the log has dropped records that this file had not read yet, one call returns -EPIPE, and the
 * next call goes on with the oldest record that is left.
 */
static int64_t kmsg_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct log_record record;
	char header[HEADER_SIZE];
	size_t size, moved = 0;
	enum status status;

	(void)offset;
	if (file->record < log_first()) {
		file->record = log_first();
		return -EPIPE;
	}
	if (!log_get(file->record, &record))
		return -EAGAIN;
	size = format_s(header, sizeof(header), "%u,%llu,%llu,-;", record.priority, (unsigned long long)record.seq,
			(unsigned long long)record.ns / 1000);
	if (io->left < size + escaped_size(&record) + 1)
		return -EINVAL;
	status = user_io_put(io, header, size, &moved);
	if (status == OK)
		status = put_text(io, &record, &moved);
	if (status != OK)
		return copy_errno(status);
	file->record = record.seq + 1;
	return (int64_t)moved;
}

static int64_t kmsg_seek(struct file *file, int64_t offset, int whence)
{
	if (offset)
		return -ESPIPE;
	switch (whence) {
	case SEEK_SET:
		file->record = log_first();
		return 0;
	case SEEK_DATA:
		file->record = syslog_cleared();
		return 0;
	case SEEK_END:
		file->record = log_end();
		return 0;
	}
	return -EINVAL;
}

static unsigned kmsg_poll(struct file *file)
{
	unsigned events = POLLOUT | POLLWRNORM;

	if (file->record < log_end())
		events |= POLLIN | POLLRDNORM;
	if (file->record < log_first())
		events |= POLLERR | POLLPRI;
	return events;
}

static struct wait_queue *queue_of(struct file *file)
{
	(void)file;
	return &readers;
}

/* ---- writing ---- */

/*
 * Parse the priority before a message, "<6>text". Returns the size of the prefix; 0 when there is none, and
 * *ret_priority is then as before.
 */
static size_t parse_priority(const char *line, size_t size, unsigned *ret_priority)
{
	unsigned number = 0;

	if (!size || line[0] != '<')
		return 0;
	for (size_t i = 1; i < size && i < 5; i++) {
		if (line[i] == '>' && i > 1) {
			*ret_priority = number;
			return i + 1;
		}
		if (line[i] < '0' || line[i] > '9')
			return 0;
		number = number * 10 + (unsigned)(line[i] - '0');
	}
	return 0;
}

/* Write one message into the log. A message that is too long is refused, as on Linux. */
static int64_t kmsg_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	unsigned priority = LOG_WARN;
	char line[LOG_LINE_MOST];
	size_t size = io->left, start;
	enum status status;

	(void)file;
	(void)offset;
	if (size > sizeof(line))
		return -EINVAL;
	if (!size)
		return 0;
	status = user_io_get_all(io, line, size);
	if (status != OK)
		return copy_errno(status);
	start = parse_priority(line, size, &priority);
	if (priority < LOG_USER)
		priority |= LOG_USER;
	log_write(priority, line + start, size - start);
	return (int64_t)size;
}

static const struct file_ops kmsg_ops = {
	.read = kmsg_read,
	.write = kmsg_write,
	.seek = kmsg_seek,
	.poll = kmsg_poll,
	.queue = queue_of,
};

static int open_kmsg(struct device *device, struct file *file)
{
	(void)device;
	file->ops = &kmsg_ops;
	file->record = log_first();
	return 0;
}

void kmsg_init(void)
{
	/* Fixed after boot. */
	static struct device device = {
		.name = "kmsg",
		.number = DEVICE_NUMBER(DEVICE_MEM_MAJOR, 11),
		.open = open_kmsg,
	};

	log_set_listener(wake_readers);
	ASSERT(device_register(&device) == 0);
}
