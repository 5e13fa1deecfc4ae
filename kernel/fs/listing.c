/*
 * Makes linux_dirent64 records of the entries that a directory's node operations list.
 */
#include "kernel/fs/listing.h"

#include "kernel/lib/string.h"
#include "kernel/mm/user/user_io.h"

#define RECORD_MAX 280 /* the longest record: 19 bytes, a name of 255, NUL, padding */

_Static_assert(sizeof(struct linux_dirent64) + NAME_MAX + 1 <= RECORD_MAX, "the longest name fits");

/* Write one record to `record`. Returns its size. */
static size_t put_record(uint8_t *record, const struct dir_entry *entry, uint64_t next)
{
	size_t fixed = sizeof(struct linux_dirent64);
	size_t size = align_up(fixed + entry->name.size + 1, 8);
	struct linux_dirent64 head = {
		.ino = entry->number,
		.off = (int64_t)next,
		.reclen = (uint16_t)size,
		.type = (uint8_t)DIRENT_TYPE(entry->mode),
	};

	memset(record, 0, size);
	memcpy(record, &head, fixed);
	memcpy(record + fixed, entry->name.text, entry->name.size);
	return size;
}

/* Get the entry at *position; "." and ".." are at 0 and 1. Returns 1, or 0 at the end, as node_ops.next does. */
static int next_entry(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	struct node *parent = dir;

	if (*position > 1)
		return dir->links ? dir->ops->next(dir, position, ret) : 0;
	if (*position == 1) {
		while (parent->covers)
			parent = parent->covers;
		parent = parent->parent ? parent->parent : dir;
	}
	*ret = (struct dir_entry){ { "..", *position + 1 }, parent->number, S_IFDIR };
	++*position;
	return 1;
}

static int64_t getdents(struct file *file, struct user_io *io)
{
	uint8_t record[RECORD_MAX];
	struct dir_entry entry;
	int64_t done = 0;
	int found;

	for (;;) {
		uint64_t position = file->entry;
		enum status status;
		size_t size;

		found = next_entry(file->node, &position, &entry);
		if (found <= 0)
			break;
		size = put_record(record, &entry, position);
		if (size > io->left)
			return done ? done : -EINVAL;
		status = user_io_put_all(io, record, size);
		if (status != OK)
			return done ? done : copy_errno(status);
		file->entry = position;
		done += (int64_t)size;
	}
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
