/*
 * Open file descriptions (open(2)'s word): what a descriptor leads to, shared by dup and fork.
 *
 * Nothing here blocks. A call that would returns -EAGAIN; who wants to wait does so in file_queue's queue and
 * calls again. Whoever calls holds the file: another thread may close the descriptor in the middle of the call.
 * Data comes from and goes to user memory through kernel/mm/user/user_io.h. Calls are made in the context of the task whose
 * memory the user_io is, and leave that context as it was.
 */
#pragma once

#include "kernel/fs/node.h"

struct file;
struct memory_object;
struct user_io;
struct wait_queue;

/*
 * What a kind of file does. NULL: the error in brackets. Sizes are those that the user_io has left. `offset`: where
 * in the file; the operation moves it on by what it moved. Files without FILE_SEEKS ignore it.
 */
struct file_ops {
	/*
	 * Move what is there now, up to all that `io` has room for. Bytes moved, 0 at the end, -EAGAIN,
	 * copy_errno's (nothing was moved, and nothing has happened). [-EINVAL]
	 */
	int64_t (*read)(struct file *file, struct user_io *io, uint64_t *offset);
	/*
	 * How long a read that gave -EAGAIN may wait for more: nanoseconds, 0 for as long as it takes. *ret_there: the
	 * bytes that it would leave where they are; when they change the time begins anew. [0]
	 */
	uint64_t (*patience)(struct file *file, uint32_t *ret_there);
	/* read, once that time is over: what there is, or 0. Only with patience. */
	int64_t (*read_late)(struct file *file, struct user_io *io);
	/*
	 * Take what fits now. Bytes taken, -EAGAIN, copy_errno's (nothing was taken), -EPIPE, -ENOSPC, -ENOMEM,
	 * -EFBIG. [-EINVAL]
	 */
	int64_t (*write)(struct file *file, struct user_io *io, uint64_t *offset);
	/* lseek(2)'s answer, for files whose places are no bytes. [by bytes with FILE_SEEKS, or else -ESPIPE] */
	int64_t (*seek)(struct file *file, int64_t offset, int whence);
	/* `io` is [arg, …) of the user's memory; `arg` itself for requests that take a number. [-ENOTTY] */
	int64_t (*ioctl)(struct file *file, unsigned request, uint64_t arg, struct user_io *io);
	/* Which of POLL… hold now. [POLLIN | POLLOUT and their NORM] */
	unsigned (*poll)(struct file *file);
	/* Woken whenever poll's answer may have grown. [none: never blocks] */
	struct wait_queue *(*queue)(struct file *file);
	/* What mmap(2) maps; not held for the caller. -ENODEV. [-ENODEV] */
	int (*object)(struct file *file, struct memory_object **ret);
	/* Whole linux_dirent64 records into `io`. Bytes; 0 at the end; -EINVAL: not even one fits. [-ENOTDIR] */
	int64_t (*getdents)(struct file *file, struct user_io *io);
	/* The last reference goes; `node` is put afterwards. [nothing] */
	void (*release)(struct file *file);
};

enum file_properties {
	FILE_SEEKS = 1,  /* lseek, pread and pwrite work */
	FILE_STREAM = 2, /* a blocking write goes on until all is written: pipes, terminals */
	FILE_WRITER = 4, /* file_open's: counted in fs.writers */
};

/* Who has to hear, without holding it, that a file is closed for good. */
struct file_watch {
	void (*gone)(struct file_watch *watch); /* called when in no list any more; the file is still whole */
	struct file_watch *next;
	struct file_watch **link; /* what points at this one */
};

struct file {
	const struct file_ops *ops;
	struct node *node; /* held */
	void *data;        /* the operations' own */
	uint64_t offset;   /* bytes from the file's start: where read and write go on. 0 where there are no places */
	union {            /* what one kind of file keeps for each description instead of, or beside, its data */
		uint64_t entry;    /* of a directory: where getdents goes on */
		uint64_t record;   /* of /dev/kmsg: the number of the record that is read next */
		uint64_t hang_ups; /* of a terminal: how many it had had when it was opened */
		uint64_t openings; /* of a FIFO: how often its other side had been opened by then */
	};
	uint32_t flags;      /* O_…; F_SETFL changes some */
	uint32_t properties; /* enum file_properties */
	uint64_t refs;       /* descriptors that lead here, and calls that use it */
	struct file_watch *watches;
};

/*
 * Open `node`: one reference in *ret, the node held. flags as open(2)'s, access mode and status only; O_TRUNC is
 * path_open's.
 * -ENXIO (no driver for the device), -ENOMEM, -EISDIR (writing a directory), -EROFS, -EACCES (a device, nodev), or what the driver says.
 */
int file_open(struct node *node, unsigned flags, struct file **ret);

/*
 * For pipes and their like: a file with these operations. Takes over the caller's hold of `node`, which stays on
 * -ENOMEM.
 */
int file_create(struct node *node, const struct file_ops *ops, unsigned flags, unsigned properties, struct file **ret);

static inline struct file *file_get(struct file *file)
{
	file->refs++;
	return file;
}

/* For file_put: close it, which nobody holds any more. */
void file_end(struct file *file);

/* One reference less; the last one closes it. */
static inline void file_put(struct file *file)
{
	/* One put too many ends there, too, where it is noticed. */
	if (file->refs-- <= 1)
		file_end(file);
}

/* Hear of the file's end, or no longer. */
void file_watch(struct file *file, struct file_watch *watch);
void file_unwatch(struct file_watch *watch);

/* May it be read, written? O_PATH files may neither. */
static inline bool file_reads(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY && !(file->flags & O_PATH);
}

static inline bool file_writes(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY && !(file->flags & O_PATH);
}

enum file_move {
	FILE_READ,
	FILE_WRITE,
	FILE_PREAD, /* from here on at an offset of the call's own */
	FILE_PWRITE,
};

/*
 * Move bytes once, as read(2) and write(2) with O_NONBLOCK: at the file's offset, which moves too, or at `offset` with
 * FILE_PREAD and FILE_PWRITE; a write at the end of the file with O_APPEND. What the operation says, or -EBADF (not opened
 * for that), -EISDIR, -EINVAL; at an offset also -ESPIPE, -EINVAL (beyond 2^63 - 1).
 */
int64_t file_move(struct file *file, enum file_move how, struct user_io *io, uint64_t offset);

/* Where SEEK_SET, SEEK_CUR or SEEK_END counts from; -EINVAL for another `whence`. */
int64_t file_position(const struct file *file, int whence);

/* The new offset; -ESPIPE, -EINVAL, -ENXIO (SEEK_DATA and SEEK_HOLE beyond the end; all that is before it is data). */
int64_t file_seek(struct file *file, int64_t offset, int whence);

/* lseek's rule for places that are counted from 0, for an operation that keeps its own: *place is where it stands, and moves. */
int64_t file_seek_place(const struct file *file, uint64_t *place, int64_t offset, int whence);

int64_t file_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io);
int64_t file_getdents(struct file *file, struct user_io *io);
int file_truncate(struct file *file, uint64_t size); /* -EINVAL: not open for writing; as node_truncate */
unsigned file_poll(struct file *file);
/* file_ops.patience, and read_late's answer. */
uint64_t file_patience(struct file *file, uint32_t *ret_there);
int64_t file_read_late(struct file *file, struct user_io *io);

/*
 * Where to wait; NULL: it never blocks. Interrupt handlers wake terminals' readers, so keep interrupts off from the
 * call that said -EAGAIN until the waiter is in the queue, or ask again once it is; and around adding and removing it.
 */
struct wait_queue *file_queue(struct file *file);
int file_object(struct file *file, struct memory_object **ret);

/* F_SETFL: O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME and O_ASYNC become those of `flags`; the rest stays. */
void file_set_flags(struct file *file, unsigned flags);
