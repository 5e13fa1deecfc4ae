/*
 * Files whose content is a text that is generated when the file is read; see text_file.h.
 */
#include "kernel/fs/text_file.h"

#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"

#define WRITE_MAX PAGE_SIZE /* most bytes that one write takes */
/*
 * One step of a read makes records until they have STEP_SIZE bytes or more. The text has room for STEP_ROOM bytes
 * from the start: most records are shorter than STEP_ROOM - STEP_SIZE, so the last record rarely makes the text grow.
 */
#define STEP_SIZE (PAGE_SIZE - 256)
#define STEP_ROOM PAGE_SIZE

/*
 * file->data of an open file with generated text. Guard: tasks only, which the kernel does not preempt; between
 * the steps of one read the turn file->position, which the caller has, keeps other reads out.
 */
struct reader {
	text_make_fn *make; /* adds the whole content; or NULL */
	text_more_fn *more; /* adds records; NULL when `make` is set */
	text_take_fn *take; /* takes what is written; NULL: the file cannot be written */
	bool goes_on;       /* `more` has added nothing, and is to be called again */
	bool begun;         /* the fields below are valid: a text was begun, and making it has not failed since */
	struct text text;   /* the bytes of the file from `start` on that were made last */
	uint64_t start;     /* where `text` begins in the file, in bytes */
	bool made;          /* for `make`: the text has been made */
	uint64_t place[TEXT_PLACES]; /* for `more`: where the next records begin, and what it keeps besides */
};

/* Return the offset behind the bytes that were made last. */
static uint64_t end_of(const struct reader *reader)
{
	return reader->start + reader->text.size;
}

static void begin(struct reader *reader)
{
	reader->text.size = 0;
	reader->start = 0;
	reader->begun = true;
	reader->goes_on = reader->made = false;
	if (reader->more)
		memset(reader->place, 0, sizeof(reader->place));
}

/* Add the whole content, or what comes next of it: at least `enough` bytes, or the rest. */
static int add(struct reader *reader, struct node *node, size_t enough)
{
	if (reader->more) {
		text_reserve(&reader->text, STEP_ROOM);
		return reader->more(node, reader->place, enough, &reader->text);
	}
	reader->made = true;
	return reader->make(node, &reader->text);
}

/*
 * Replace the bytes that were made last by those that follow them in the file. After an error the next read begins
 * anew.
 */
static int make_next(struct reader *reader, struct node *node, size_t enough)
{
	int error;

	reader->start = end_of(reader);
	reader->text.size = 0;
	error = add(reader, node, enough);
	reader->goes_on = error == -EAGAIN;
	if (!error && reader->text.lost)
		error = -ENOMEM;
	if (error && !reader->goes_on) {
		text_free(&reader->text);
		reader->begun = false;
	}
	return error;
}

/* Copy those of the bytes that were made last which lie at *offset and behind. Returns bytes, or an error. */
static int64_t copy_made(const struct reader *reader, struct user_io *io, uint64_t *offset)
{
	size_t size, moved = 0;
	enum status status;

	if (*offset >= end_of(reader))
		return 0;
	size = end_of(reader) - *offset;
	if (size > io->left)
		size = io->left;
	status = user_io_put(io, reader->text.bytes + (*offset - reader->start), size, &moved);
	if (status != OK && !moved)
		return copy_errno(status);
	*offset += moved;
	return (int64_t)moved;
}

/*
 * Return how many bytes to make for a read at `offset`: STEP_SIZE, but no more than the read takes if the bytes made
 * so far end at the offset.
 */
static size_t step_size(const struct reader *reader, const struct user_io *io, uint64_t offset)
{
	return offset == end_of(reader) && io->left < STEP_SIZE ? io->left : STEP_SIZE;
}

static int64_t read_text(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct reader *reader = file->data;
	int64_t moved, more;
	int error;

	if ((!*offset && !reader->goes_on) || !reader->begun || *offset < reader->start)
		begin(reader);
	moved = copy_made(reader, io, offset);
	if (moved < 0 || !io->left || *offset < end_of(reader) || reader->made)
		return moved;
	error = make_next(reader, file->node, step_size(reader, io, *offset));
	if (error)
		return moved ? moved : error;
	/*
	 * The offset lies behind these records: have the caller read again, which makes the records that come next.
	 */
	if (reader->more && reader->text.size && *offset >= end_of(reader))
		return -EAGAIN;
	more = copy_made(reader, io, offset);
	return more < 0 && moved ? moved : moved + more;
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

	text_free(&reader->text);
	kfree(reader);
}

static const struct file_ops read_ops = { .read = read_text, .release = release };
static const struct file_ops write_ops = { .read = read_text, .write = write_text, .release = release };

static int open(struct file *file, const struct reader *wanted)
{
	struct reader *reader = kmalloc(sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	*reader = *wanted;
	file->ops = reader->take ? &write_ops : &read_ops;
	file->data = reader;
	file->properties = FILE_SEEKS | FILE_STEPS;
	return 0;
}

int text_file_open(struct file *file, text_make_fn *make, text_take_fn *take)
{
	return open(file, &(struct reader){ .make = make, .take = take });
}

int text_file_open_records(struct file *file, text_more_fn *more)
{
	return open(file, &(struct reader){ .more = more });
}
