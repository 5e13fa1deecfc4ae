/*
 * See text_file.h.
 */
#include "kernel/fs/text_file.h"

#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"

#define WRITE_MAX PAGE_SIZE /* what is taken of one write */

/* A description's. */
struct reader {
	text_make_fn *make;
	text_take_fn *take;
	struct text text; /* of the last read at the start */
	bool made;
};

static int make_text(struct file *file, struct reader *reader)
{
	int error;

	text_free(&reader->text);
	reader->made = false;
	error = reader->make(file->node, &reader->text);
	if (!error && reader->text.lost)
		error = -ENOMEM;
	if (error)
		text_free(&reader->text);
	else
		reader->made = true;
	return error;
}

static int64_t read_text(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct reader *reader = file->data;
	size_t size, moved = 0;

	if (!*offset || !reader->made) {
		int error = make_text(file, reader);

		if (error)
			return error;
	}
	if (*offset >= reader->text.size)
		return 0;
	size = reader->text.size - *offset;
	if (size > io->left)
		size = io->left;
	if (user_io_put(io, reader->text.bytes + *offset, size, &moved) != OK && !moved)
		return -EFAULT;
	*offset += moved;
	return (int64_t)moved;
}

static int64_t write_text(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct reader *reader = file->data;
	size_t size = io->left < WRITE_MAX ? io->left : WRITE_MAX, moved = 0;
	char *bytes = kmalloc(size + 1);
	int error;

	if (!bytes)
		return -ENOMEM;
	error = user_io_get(io, bytes, size, &moved) == OK || moved ? 0 : -EFAULT;
	if (!error) {
		bytes[moved] = '\0';
		error = reader->take(file->node, bytes, moved);
	}
	kfree(bytes);
	if (error)
		return error;
	*offset += moved;
	return (int64_t)moved;
}

static void release(struct file *file)
{
	struct reader *reader = file->data;

	text_free(&reader->text);
	kfree(reader);
}

static const struct file_ops read_ops = { .read = read_text, .release = release };
static const struct file_ops write_ops = { .read = read_text, .write = write_text, .release = release };

int text_file_open(struct file *file, text_make_fn *make, text_take_fn *take)
{
	struct reader *reader = kzalloc(sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->make = make;
	reader->take = take;
	file->ops = take ? &write_ops : &read_ops;
	file->data = reader;
	file->properties = FILE_SEEKS;
	return 0;
}
