/*
 * See kmsg.h. Keeps one copy of the log's text for each description that is read.
 */
#include "kernel/fs/kmsg.h"

#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/user_io.h"

#define LINE_MAX 224
#define TEXT_MAX 16384 /* what the log keeps */

struct snapshot {
	size_t size;
	char text[TEXT_MAX];
};

/* Whose copy is being made: log_read's function gets no argument. No two at once: nothing here blocks. */
static struct snapshot *filling;

static void fill(const char *text, size_t size)
{
	size_t room = TEXT_MAX - filling->size;

	if (size > room)
		size = room;
	memcpy(filling->text + filling->size, text, size);
	filling->size += size;
}

static int64_t kmsg_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct snapshot *snapshot = file->data;
	size_t size, moved = 0;

	if (!snapshot) {
		snapshot = kmalloc(sizeof(*snapshot));
		if (!snapshot)
			return -ENOMEM;
		snapshot->size = 0;
		filling = snapshot;
		log_read(fill);
		filling = NULL;
		file->data = snapshot;
	}
	if (*offset >= snapshot->size)
		return 0;
	size = snapshot->size - *offset;
	if (size > io->left)
		size = io->left;
	if (user_io_put(io, snapshot->text + *offset, size, &moved) != OK && !moved)
		return -EFAULT;
	*offset += moved;
	return (int64_t)moved;
}

/* "<6>text" as programs write it (Linux's /dev/kmsg): the level's number is that of syslog(3), and so is the log's. */
static void say_line(char *line, size_t size)
{
	int level = LOG_INFO;
	size_t start = 0;
	int number = 0;

	for (size_t i = 1; i < size && line[0] == '<' && i < 5; i++) {
		if (line[i] == '>' && i > 1) {
			start = i + 1;
			level = number;
			break;
		}
		if (line[i] < '0' || line[i] > '9')
			break;
		number = number * 10 + line[i] - '0';
	}
	/* A facility's digits may stand in front: the lowest three bits are the level. */
	while (size > start && line[size - 1] == '\n')
		size--;
	log_at((enum log_level)(level & 7), "%.*s\n", (int)(size - start), line + start);
}

static int64_t kmsg_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	int64_t done = 0;
	enum status status = OK;

	(void)file;
	(void)offset;
	while (io->left && status == OK) {
		char line[LINE_MAX];
		size_t moved = 0;

		status = user_io_get(io, line, io->left < LINE_MAX ? io->left : LINE_MAX, &moved);
		if (moved)
			say_line(line, moved);
		done += (int64_t)moved;
	}
	return status == OK || done ? done : -EFAULT;
}

static void kmsg_release(struct file *file)
{
	kfree(file->data);
}

const struct file_ops kmsg_ops = {
	.read = kmsg_read,
	.write = kmsg_write,
	.release = kmsg_release,
};
