/*
 * Open file descriptions (open(2)'s word): what a descriptor leads to, shared by dup and fork.
 *
 * Nothing here blocks. A call that would have to returns -EAGAIN; a caller that wants to wait does so in file_queue's
 * queue and calls again. The caller holds the file: another thread may close the descriptor in the middle of the call.
 * Data comes from and goes to user memory through kernel/mm/user/user_io.h. Calls are made in the context of the task
 * whose memory the user_io is, and leave that context as it was. Guard: the kernel, one CPU, not preempted.
 */
#pragma once

#include "kernel/fs/node.h"

struct file;
struct memory_object;
struct user_io;
struct wait_queue;

/*
 * The operations of a kind of file. NULL gives the error in brackets. Sizes are what the user_io has left. `offset` is
 * where in the file to start; the operation adds what it moved. Files without FILE_SEEKS ignore it.
 */
struct file_ops {
	/*
	 * Move what is there now, up to all that `io` has room for. Bytes moved, 0 at the end, -EAGAIN,
	 * copy_errno's (nothing was moved, and nothing has happened). [-EINVAL]
	 */
	int64_t (*read)(struct file *file, struct user_io *io, uint64_t *offset);
	/*
	 * Return how long a read that gave -EAGAIN may wait for more: nanoseconds, or 0 for as long as it takes.
	 * *ret_there: the bytes that such a read leaves unread; when their number changes, the time begins anew. [0]
	 */
	uint64_t (*patience)(struct file *file, uint32_t *ret_there);
	/* Read, once that time is over, what there is: 0 if nothing. Only together with patience. */
	int64_t (*read_late)(struct file *file, struct user_io *io);
	/*
	 * Take what fits now. Bytes taken, -EAGAIN, copy_errno's (nothing was taken), -EPIPE, -ENOSPC, -ENOMEM,
	 * -EFBIG. [-EINVAL]
	 */
	int64_t (*write)(struct file *file, struct user_io *io, uint64_t *offset);
	/* Called when a call has made all its writes, and before it waits: show what they brought. [nothing] */
	void (*written)(struct file *file);
	/* Do lseek(2) for files whose offsets are not bytes. [by bytes with FILE_SEEKS, or else -ESPIPE] */
	int64_t (*seek)(struct file *file, int64_t offset, int whence);
	/* `io` is the user's memory from `arg` on; `arg` itself is for requests that take a number. [-ENOTTY] */
	int64_t (*ioctl)(struct file *file, unsigned request, uint64_t arg, struct user_io *io);
	/* Return which of POLL… hold now. [POLLIN | POLLOUT and their NORM] */
	unsigned (*poll)(struct file *file);
	/* Return the queue that is woken when poll may say more. [none: the file never blocks] */
	struct wait_queue *(*queue)(struct file *file);
	/* Get what mmap(2) maps; not held for the caller. -ENODEV. [-ENODEV] */
	int (*object)(struct file *file, struct memory_object **ret);
	/* Put whole linux_dirent64 records. Returns bytes, 0 at the end, -EINVAL (not even one fits). [-ENOTDIR] */
	int64_t (*getdents)(struct file *file, struct user_io *io);
	/* Free what the operations keep: nobody holds the file. `node` is put afterwards. [nothing] */
	void (*release)(struct file *file);
};

enum file_properties {
	FILE_SEEKS = 1,  /* lseek, pread and pwrite work */
	FILE_STREAM = 2, /* a blocking write goes on until all is written: pipes, terminals */
	FILE_WRITER = 4, /* set by file_open: the file is counted in fs.writers and node.writers */
};

/* Somebody who is told, without holding the file, that it is closed. Guard: the kernel, one CPU, not preempted. */
struct file_watch {
	void (*gone)(struct file_watch *watch); /* called when in no list any more; the file is still whole */
	struct file_watch *next;
	struct file_watch **link; /* the pointer that points at this watch */
};

/* Guard: the kernel, one CPU, not preempted. */
struct file {
	const struct file_ops *ops;
	struct node *node; /* held */
	void *data;        /* what the file's operations keep, as its kind wants it */
	uint64_t offset;   /* bytes from the file's start: where read and write go on; 0 for files without FILE_SEEKS */
	union {            /* what one kind of file keeps for each open description, instead of or beside `data` */
		uint64_t entry;    /* for a directory: where getdents goes on */
		uint64_t record;   /* for /dev/kmsg: the number of the record that is read next */
		uint64_t hang_ups; /* for a terminal: how many hang-ups it had had when it was opened */
		uint64_t openings; /* for a FIFO: how often its other side had been opened when this side was */
	};
	uint32_t flags;      /* O_…; F_SETFL changes some */
	uint32_t properties; /* enum file_properties */
	uint64_t refs;       /* number of holders: descriptors, and calls that use the file */
	struct file_watch *watches;
};

/*
 * Open `node`: *ret is held, and holds the node. flags: open(2)'s access mode and status flags; O_TRUNC is path_open's
 * task. -ENXIO (no driver for the device), -ENOMEM, -EISDIR (writing a directory), -EROFS, -ETXTBSY, -EACCES (a device, nodev),
 * or what the driver returns.
 */
int file_open(struct node *node, unsigned flags, struct file **ret);

/* Make a file with these operations, for pipes and the like. Takes over the hold of `node`, but not on -ENOMEM. */
int file_create(struct node *node, const struct file_ops *ops, unsigned flags, unsigned properties, struct file **ret);

static inline struct file *file_get(struct file *file)
{
	file->refs++;
	return file;
}

/* Close a file that nobody holds any more; for file_put only. */
void file_end(struct file *file);

/* Stop holding a file; the last holder closes it. */
static inline void file_put(struct file *file)
{
	/* A file put once too often ends there too, and file_end notices. */
	if (file->refs-- <= 1)
		file_end(file);
}

/* Start and stop to watch for the file's end. */
void file_watch(struct file *file, struct file_watch *watch);
void file_unwatch(struct file_watch *watch);

/* Return whether the file is open for reading, for writing. An O_PATH file is open for neither. */
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
	FILE_PREAD, /* this and the next: at the offset that the call brings */
	FILE_PWRITE,
};

/*
 * Move bytes once, as read(2) and write(2) with O_NONBLOCK: at the file's offset, which moves on, or at `offset` with
 * FILE_PREAD and FILE_PWRITE; a write with O_APPEND at the end. Returns what the operation returns, or -EBADF (not open
 * for that), -EISDIR, -EINVAL; at an offset also -ESPIPE, -EINVAL (beyond 2^63 - 1).
 */
int64_t file_move(struct file *file, enum file_move how, struct user_io *io, uint64_t offset);

/* Return the offset that SEEK_SET, SEEK_CUR or SEEK_END counts from; -EINVAL for another `whence`. */
int64_t file_position(const struct file *file, int whence);

/* Return the new offset; -ESPIPE, -EINVAL, -ENXIO (SEEK_DATA and SEEK_HOLE beyond the end; all before it is data). */
int64_t file_seek(struct file *file, int64_t offset, int whence);

/* Do lseek for an operation that counts its own places from 0: *place is where it stands, and moves. */
int64_t file_seek_place(const struct file *file, uint64_t *place, int64_t offset, int whence);

int64_t file_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io);
int64_t file_getdents(struct file *file, struct user_io *io);
int file_truncate(struct file *file, uint64_t size); /* as node_truncate; also -EINVAL: not open for writing */
unsigned file_poll(struct file *file);
/* Do what file_ops.patience and file_ops.read_late say. */
uint64_t file_patience(struct file *file, uint32_t *ret_there);
int64_t file_read_late(struct file *file, struct user_io *io);

/*
 * Return the queue to wait in; NULL: the file never blocks. After the call that returned -EAGAIN, call again once the waiter
 * is in the queue: interrupt handlers wake terminals' readers in between.
 */
struct wait_queue *file_queue(struct file *file);
int file_object(struct file *file, struct memory_object **ret);

/* Do F_SETFL: O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME and O_ASYNC become as in `flags`; the rest stays. */
void file_set_flags(struct file *file, unsigned flags);
