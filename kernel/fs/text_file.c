/*
 * Files whose content is a text that is generated when the file is read; see text_file.h.
 */
#include "kernel/fs/text_file.h"

#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"

#define WRITE_MAX PAGE_SIZE /* most bytes that one write takes */

/* The text that a read at offset 0 has generated. Guard: the kernel, one CPU, not preempted. */
struct made_text {
	struct text text;
	uint64_t refs; /* number of references: the open file's, and those of calls that are copying from the text */
};

/* file->data of an open file with generated text. Guard: the kernel, one CPU, not preempted. */
struct reader {
	text_make_fn *make;
	text_take_fn *take;
	struct made_text *made; /* a reference; NULL: no text yet, or generating it failed */
};

static void put_text(struct made_text *made)
{
	if (!made || --made->refs)
		return;
	text_free(&made->text);
	kfree(made);
}

/* Replace the file's text by a new one. The old text is freed when no call copies from it any more. */
static int make_text(struct file *file, struct reader *reader)
{
	struct made_text *made = kzalloc(sizeof(*made));
	int error;

	put_text(reader->made);
	reader->made = NULL;
	if (!made)
		return -ENOMEM;
	made->refs = 1;
	error = reader->make(file->node, &made->text);
	if (!error && made->text.lost)
		error = -ENOMEM;
	if (error)
		put_text(made);
	else
		reader->made = made;
	return error;
}

static int64_t copy_text(const struct text *text, struct user_io *io, uint64_t *offset)
{
	size_t size, moved = 0;
	enum status status;

	if (*offset >= text->size)
		return 0;
	size = text->size - *offset;
	if (size > io->left)
		size = io->left;
	status = user_io_put(io, text->bytes + *offset, size, &moved);
	if (status != OK && !moved)
		return copy_errno(status);
	*offset += moved;
	return (int64_t)moved;
}

static int64_t read_text(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct reader *reader = file->data;
	struct made_text *made;
	int64_t moved;

	if (!*offset || !reader->made) {
		int error = make_text(file, reader);

		if (error)
			return error;
	}
	made = reader->made;
	made->refs++;
	moved = copy_text(&made->text, io, offset);
	put_text(made);
	return moved;
}

static int64_t write_text(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct reader *reader = file->data;
	size_t size = io->left < WRITE_MAX ? io->left : WRITE_MAX, moved = 0;
	char *bytes = kmalloc(size + 1);
	enum status status;
	int error = 0;

	if (!bytes)
		return -ENOMEM;
	status = user_io_get(io, bytes, size, &moved);
	/* If memory ran out halfway, fail: a part of the text must not be taken for the whole. */
	if (status != OK && (status == ERR_NO_MEMORY || !moved))
		error = copy_errno(status);
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

	put_text(reader->made);
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
