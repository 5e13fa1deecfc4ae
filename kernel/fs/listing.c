/*
 * Makes linux_dirent64 records of the entries that a directory's node operations list.
 */
#include "kernel/fs/listing.h"

#include "kernel/fs/access_time.h"
#include "kernel/lib/string.h"
#include "kernel/mm/user/user_io.h"

#define RECORD_MAX 280 /* the longest record: 19 bytes, a name of 255, NUL, padding */

_Static_assert(sizeof(struct linux_dirent64) + NAME_MAX + 1 <= RECORD_MAX, "the longest name fits");

static size_t record_size(const struct dir_entry *entry)
{
	return align_up(sizeof(struct linux_dirent64) + entry->name.size + 1, 8);
}

/* Write the record of `entry`. size: record_size(entry); next: the position of the entry behind it. */
static void put_record(uint8_t *record, const struct dir_entry *entry, size_t size, uint64_t next)
{
	struct linux_dirent64 *head = (struct linux_dirent64 *)record;

	/* The NUL and the padding behind the name lie in the record's last word: zero it first. */
	*(uint64_t *)(record + size - 8) = 0;
	*head = (struct linux_dirent64){
		.ino = entry->number,
		.off = (int64_t)next,
		.reclen = (uint16_t)size,
		.type = (uint8_t)DIRENT_TYPE(entry->mode),
	};
	memcpy(head + 1, entry->name.text, entry->name.size);
}

/* Do node_ops.next, but with "." and "..", which are at the positions 0 and 1. */
static int next_entry(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	const struct node *parent = dir;

	if (*position > 1)
		return dir->links ? dir->ops->next(dir, position, ret) : 0;
	/* As on Linux the ".." of a file system's root has the root's number, whatever the root is mounted on. */
	if (*position == 1 && dir->parent)
		parent = dir->parent;
	*ret = (struct dir_entry){ { "..", *position + 1 }, parent->number, S_IFDIR };
	++*position;
	return 1;
}

/* Records that are still to be copied to the program, and the position of the entry behind them. Lives on the stack. */
struct batch {
	size_t size;
	uint64_t position;
	_Alignas(8) uint8_t bytes[3 * RECORD_MAX];
};

/*
 * Copy the records to the program. The next getdents64(2) starts behind them; after ERR_FAULT or ERR_NO_MEMORY it
 * starts with the first of them again.
 */
static enum status put_batch(struct file *file, struct user_io *io, struct batch *batch, int64_t *done)
{
	enum status status = batch->size ? user_io_put_all(io, batch->bytes, batch->size) : OK;

	if (status != OK)
		return status;
	*done += (int64_t)batch->size;
	file->entry = batch->position;
	batch->size = 0;
	return OK;
}

static int64_t getdents(struct file *file, struct user_io *io)
{
	struct batch batch;
	struct dir_entry entry;
	enum status status = OK;
	int64_t done = 0;
	bool full = false;
	int found = 0;

	batch.size = 0;
	batch.position = file->entry;
	while (status == OK && !full) {
		uint64_t position = batch.position;
		size_t size;

		found = next_entry(file->node, &position, &entry);
		if (found <= 0)
			break;
		size = record_size(&entry);
		full = size > io->left - batch.size;
		if (full)
			break;
		if (size > sizeof(batch.bytes) - batch.size)
			status = put_batch(file, io, &batch, &done);
		if (status != OK)
			break;
		put_record(batch.bytes + batch.size, &entry, size, position);
		batch.size += size;
		batch.position = position;
	}
	if (status == OK)
		status = put_batch(file, io, &batch, &done);
	if (!done && status != OK)
		return copy_errno(status);
	if (!done && full)
		return -EINVAL;
	access_time_note(file);
	return done ? done : found;
}

static int64_t seek(struct file *file, int64_t offset, int whence)
{
	return file_seek_place(file, &file->entry, offset, whence);
}

const struct file_ops listing_ops = {
	.seek = seek,
	.getdents = getdents,
};
