/*
 * Open file descriptions: the code that files of every kind share; the rest is in their file_ops.
 */
#include "kernel/fs/file.h"

#include "kernel/fs/device.h"
#include "kernel/fs/file_lock.h"
#include "kernel/fs/listing.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/open_objects.h"
#include "kernel/fs/pipe.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"

#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC)
/* Flags that matter only while a file is opened: file->flags does not keep them. */
#define NOT_KEPT (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

static const struct file_ops nothing_ops = { 0 };

static int open_regular(struct node *node, struct mount *mount, struct file *file)
{
	int error;

	/* The node of an anonymous file has no `open`: such a file cannot be opened again through /proc/self/fd. */
	if (!node->ops->open)
		return -ENXIO;
	if (!file_writes(file))
		return node->ops->open(node, file);
	if (fs_is_read_only(node->fs) || mount_is_read_only(mount))
		return -EROFS;
	if (node->runners)
		return -ETXTBSY;
	error = node->ops->open(node, file);
	if (!error) {
		file->properties |= FILE_WRITER;
		node->fs->writers++;
		node->writers++;
		if (mount)
			mount->writers++;
	}
	return error;
}

static int open_by_type(struct node *node, struct mount *mount, struct file *file)
{
	if (file->flags & O_PATH)
		return 0;
	/*
	 * Refuse O_DIRECT, since no file here is on a disk. What it means for a pipe is asked for by pipe2(2) or
	 * fcntl(2) only.
	 */
	if (file->flags & O_DIRECT)
		return -EINVAL;
	switch (node->mode & S_IFMT) {
	case S_IFREG:
		return open_regular(node, mount, file);
	case S_IFDIR:
		if (file_writes(file))
			return -EISDIR;
		file->ops = &listing_ops;
		file->properties = FILE_SEEKS;
		return 0;
	case S_IFCHR:
	case S_IFBLK:
		if (mount_flags(mount) & MS_NODEV)
			return -EACCES;
		return device_open(node, file);
	case S_IFIFO:
		return pipe_open(node, file);
	case S_IFLNK:
		return -ELOOP;
	}
	return -ENXIO;
}

static inline struct file new_file(struct node *node, const struct file_ops *ops, unsigned flags, unsigned properties)
{
	return (struct file){
		.ops = ops,
		.node = node,
		.flags = flags & ~(unsigned)NOT_KEPT,
		.properties = properties,
		.refs = 1,
	};
}

static struct file *make_file(struct node *node, const struct file_ops *ops, unsigned flags, unsigned properties)
{
	struct file *file = kmalloc(sizeof(*file));

	if (file)
		*file = new_file(node, ops, flags, properties);
	return file;
}

void file_open_in(struct file *file, const struct place *place, unsigned flags)
{
	int error;

	*file = new_file(place->node, &nothing_ops, flags, 0);
	error = place->node->ops->open(place->node, file);
	ASSERT(!error && file->properties & FILE_OPEN_READS);
	node_get(place->node);
	file->mount = mount_get(place->mount);
}

int file_open(const struct place *place, unsigned flags, struct file **ret)
{
	struct file *file = make_file(place->node, &nothing_ops, flags, 0);
	int error;

	if (!file)
		return -ENOMEM;
	/* The device's open function must see O_NOCTTY: without it a terminal may become the controlling terminal. */
	file->flags |= flags & O_NOCTTY;
	error = open_by_type(place->node, place->mount, file);
	file->flags &= ~(unsigned)O_NOCTTY;
	if (error) {
		kfree(file);
		return error;
	}
	node_get(file->node);
	file->mount = mount_get(place->mount);
	*ret = file;
	return 0;
}

int file_create(struct node *node, const struct file_ops *ops, unsigned flags, unsigned properties, struct file **ret)
{
	struct file *file = make_file(node, ops, flags, properties);

	if (!file)
		return -ENOMEM;
	*ret = file;
	return 0;
}

void file_uncount_writer(struct file *file)
{
	if (!(file->properties & FILE_WRITER))
		return;
	file->properties &= ~(uint32_t)FILE_WRITER;
	file->node->fs->writers--;
	file->node->writers--;
	if (file->mount)
		file->mount->writers--;
}

void file_end(struct file *file)
{
	ASSERT(!file->refs);
	if (!(file->flags & O_PATH))
		notify_node(file->node, file_writes(file) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	while (file->watches) {
		struct file_watch *watch = file->watches;

		file_unwatch(watch);
		watch->gone(watch);
	}
	if (file->ops->release)
		file->ops->release(file);
	file_uncount_writer(file);
	if (file->node->locks) {
		file_lock_drop(file->node, LOCK_WHOLE, file);
		file_lock_drop(file->node, LOCK_RECORD, file);
	}
	node_put(file->node);
	mount_put(file->mount);
	kfree(file);
}

void file_watch(struct file *file, struct file_watch *watch)
{
	watch->next = file->watches;
	watch->link = &file->watches;
	if (watch->next)
		watch->next->link = &watch->next;
	file->watches = watch;
}

void file_unwatch(struct file_watch *watch)
{
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
}

/* Return the error for an operation that the file does not have. */
static int64_t refuse(const struct file *file)
{
	return node_is(file->node, S_IFDIR) ? -EISDIR : -EINVAL;
}

static inline int64_t read_at(struct file *file, struct user_io *io, uint64_t *place)
{
	if (!file_reads(file))
		return -EBADF;
	return likely(file->ops->read) ? file->ops->read(file, io, place) : refuse(file);
}

/*
 * Write at the file's end, and move *place behind the bytes if any were written. With O_APPEND pwrite(2) appends, too,
 * as on Linux, although POSIX says that it writes at its offset (pwrite(2), "BUGS").
 */
static int64_t append(struct file *file, struct user_io *io, uint64_t *place)
{
	uint64_t end = file->node->size;
	int64_t written = file->ops->write(file, io, &end);

	if (written > 0)
		*place = end;
	return written;
}

static inline int64_t write_at(struct file *file, enum file_move how, struct user_io *io, uint64_t *place)
{
	if (!file_writes(file))
		return -EBADF;
	if (unlikely(!file->ops->write))
		return refuse(file);
	if (file_move_appends(how, file->flags) && file->properties & FILE_SEEKS)
		return append(file, io, place);
	return file->ops->write(file, io, place);
}

/* Do FILE_PREAD, FILE_PWRITE or FILE_PAPPEND. */
static int64_t move_at(struct file *file, enum file_move how, struct user_io *io, uint64_t offset)
{
	if (offset > INT64_MAX)
		return -EINVAL;
	if (!(file->properties & FILE_SEEKS))
		return -ESPIPE;
	return how == FILE_PREAD ? read_at(file, io, &offset) : write_at(file, how, io, &offset);
}

int64_t file_move(struct file *file, enum file_move how, struct user_io *io, uint64_t offset)
{
	switch (how) {
	case FILE_READ:
		return read_at(file, io, &file->offset);
	case FILE_WRITE:
		return write_at(file, FILE_WRITE, io, &file->offset);
	case FILE_APPEND:
		return write_at(file, FILE_APPEND, io, &file->offset);
	case FILE_PREAD:
	case FILE_PWRITE:
	case FILE_PAPPEND:
		return move_at(file, how, io, offset);
	}
	return -EINVAL;
}

int64_t file_position(const struct file *file, int whence)
{
	switch (whence) {
	case SEEK_SET:
		return 0;
	case SEEK_CUR:
		return (int64_t)file->offset;
	case SEEK_END:
		return (int64_t)file->node->size;
	default:
		return -EINVAL;
	}
}

int64_t file_seek_place(const struct file *file, uint64_t *place, int64_t offset, int whence)
{
	int64_t start, end;

	switch (whence) {
	case SEEK_DATA:
	case SEEK_HOLE:
		if (offset < 0 || (uint64_t)offset >= file->node->size)
			return -ENXIO;
		start = whence == SEEK_HOLE ? (int64_t)file->node->size - offset : 0;
		break;
	case SEEK_CUR:
		start = (int64_t)*place;
		break;
	default:
		start = file_position(file, whence);
		break;
	}
	if (start < 0)
		return start;
	if (__builtin_add_overflow(start, offset, &end) || end < 0)
		return -EINVAL;
	*place = (uint64_t)end;
	return end;
}

int64_t file_seek(struct file *file, int64_t offset, int whence)
{
	if (file->flags & O_PATH)
		return -EBADF;
	if (file->ops->seek)
		return file->ops->seek(file, offset, whence);
	return file->properties & FILE_SEEKS ? file_seek_place(file, &file->offset, offset, whence) : -ESPIPE;
}

int64_t file_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	if (file->flags & O_PATH)
		return -EBADF;
	return file->ops->ioctl ? file->ops->ioctl(file, request, arg, io) : -ENOTTY;
}

int64_t file_getdents(struct file *file, struct user_io *io)
{
	if (file->flags & O_PATH)
		return -EBADF;
	return file->ops->getdents ? file->ops->getdents(file, io) : -ENOTDIR;
}

unsigned file_poll(struct file *file)
{
	return file->ops->poll ? file->ops->poll(file) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

struct wait_queue *file_queue(struct file *file)
{
	return file->ops->queue ? file->ops->queue(file) : NULL;
}

uint64_t file_patience(struct file *file, uint32_t *ret_there)
{
	*ret_there = 0;
	return file->ops->patience ? file->ops->patience(file, ret_there) : 0;
}

int64_t file_read_late(struct file *file, struct user_io *io)
{
	return file->ops->read_late(file, io);
}

int file_object(struct file *file, struct memory_object **ret)
{
	return file->ops->object ? file->ops->object(file, ret) : -ENODEV;
}

void file_set_flags(struct file *file, unsigned flags)
{
	file->flags = (file->flags & ~(unsigned)SETTABLE) | (flags & SETTABLE);
}
