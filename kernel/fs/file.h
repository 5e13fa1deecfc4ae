/*
 * Open file descriptions (as open(2) calls them): what descriptors refer to; dup and fork share them.
 *
 * Nothing here blocks. A call that would have to wait returns -EAGAIN; a caller that wants to wait does so in the queue
 * that file_queue() returns, and calls again. The caller has a reference to the file (file_get), since another thread
 * may close the descriptor during the call. Data comes from and goes to user memory through kernel/mm/user/user_io.h:
 * call in the context of the task whose memory that is. Guard: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/file_move.h"
#include "kernel/fs/node.h"

struct file_owner;
struct memory_object;
struct text;
struct user_io;
struct wait_queue;

/*
 * The operations of a kind of file. Where an operation is NULL, the caller gets the result in brackets. io->left is the
 * number of bytes asked for. *offset is where to start, and is advanced; files without FILE_SEEKS ignore it.
 */
struct file_ops {
	/*
	 * Copy the bytes that are there now, as many as `io` has room for, to user memory. Returns bytes, 0 at the end;
	 * or, with nothing copied and nothing changed (but see FILE_STEPS), -EAGAIN or copy_errno()'s error. [-EINVAL]
	 */
	int64_t (*read)(struct file *file, struct user_io *io, uint64_t *offset);
	/*
	 * Return how long a read waits after -EAGAIN before read_late is called, in ns (a terminal's VTIME); 0: for
	 * ever. *ret_there: how many bytes have come, too few to end the read; the time starts anew when more come. [0]
	 */
	uint64_t (*patience)(struct file *file, uint32_t *ret_there);
	/* Read the bytes that have come, perhaps none, when the time of `patience` is over. Set if `patience` is. */
	int64_t (*read_late)(struct file *file, struct user_io *io);
	/*
	 * Take as many bytes from user memory as fit now. Returns bytes; or, with nothing taken, -EAGAIN,
	 * copy_errno()'s error, -EPIPE, -ENOSPC, -ENOMEM, -EFBIG. [-EINVAL]
	 */
	int64_t (*write)(struct file *file, struct user_io *io, uint64_t *offset);
	/* Make what was written visible; called at a write(2)'s end, and before it waits. [nothing] */
	void (*written)(struct file *file);
	/* Do lseek(2) for files whose offsets are not bytes. [file_seek_place() with FILE_SEEKS, -ESPIPE without] */
	int64_t (*seek)(struct file *file, int64_t offset, int whence);
	/* Do ioctl(2). `io`: the user's memory at `arg`, for requests whose argument is a pointer. [-ENOTTY] */
	int64_t (*ioctl)(struct file *file, unsigned request, uint64_t arg, struct user_io *io);
	/* Return the POLL… events that are ready now. [POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM] */
	unsigned (*poll)(struct file *file);
	/* Return the queue that is woken when `poll` may return more. [NULL: the file never blocks] */
	struct wait_queue *(*queue)(struct file *file);
	/* Get the object for mmap(2), without a reference; NULL: anonymous memory. Returns 0 or -ENODEV. [-ENODEV] */
	int (*object)(struct file *file, struct memory_object **ret);
	/*
	 * Copy out whole linux_dirent64 records. Returns bytes, 0 at the end, -EINVAL (not one fits). [-ENOTDIR]
	 */
	int64_t (*getdents)(struct file *file, struct user_io *io);
	void (*info)(struct file *file, struct text *ret); /* Add lines to the file in /proc/PID/fdinfo. [nothing] */
	void (*closed)(struct file *file); /* called when the current process closes a descriptor [nothing] */
	/* Free `data`: the last reference is gone. The caller drops the reference to `node` afterwards. [nothing] */
	void (*release)(struct file *file);
};

enum file_properties {
	FILE_SEEKS = 1,        /* lseek, pread and pwrite work */
	FILE_STREAM = 2,       /* a blocking write goes on until all is written: pipes, terminals */
	FILE_USES_UP = 8,      /* a read or write may use up what others wait for: wake tasks one by one */
	FILE_STEPS = 16,       /* after -EAGAIN call `read` again at once: it has done one step of several */
	FILE_AT_ONCE = 32,     /* a read or write takes no longer for more bytes: it need not be done in steps */
	FILE_NOWAIT = 64,      /* RWF_NOWAIT is possible, as on Linux: a call can be sure not to wait */
	FILE_OPEN_READS = 128, /* open sections (kernel/sync/open_section.h) may call `read` inside node->gate */
	FILE_OPEN_POLLS = 256, /* open sections may call `poll` inside node->gate */
	FILE_WRITER = 4,       /* set by file_open: the file is counted in fs.writers and node.writers */
};

/* A callback for a file's close; holds no reference. Guard: tasks only, which the kernel does not preempt. */
struct file_watch {
	void (*gone)(struct file_watch *watch); /* called after the watch has left the list, before ops->release */
	struct file_watch *next, **link;        /* link: the pointer that points at this watch */
};

/* An open file description. Guard: tasks only, which the kernel does not preempt. */
struct file {
	const struct file_ops *ops;
	struct node *node;   /* a counted reference */
	struct mount *mount; /* the mount by which the node was reached, a counted reference; or NULL */
	void *data;          /* for the file's operations */
	uint64_t offset; /* bytes from the file's start: where read and write go on; 0 for files without FILE_SEEKS */
	union {          /* one number for each open description, as the kind of file needs it */
		uint64_t entry;    /* for a directory: where getdents goes on */
		uint64_t record;   /* for /dev/kmsg: the number of the record that is read next */
		uint64_t hang_ups; /* for a terminal: tty->hang_ups when it was opened */
		uint64_t space;    /* for /proc/PID/mem: the id of the context of the memory that was opened */
		uint64_t openings; /* for a FIFO: how often its other end had been opened when this end was opened */
	};
	uint32_t flags;             /* O_…; F_SETFL changes some */
	uint32_t properties;        /* enum file_properties */
	uint64_t refs;              /* number of references: of descriptors, and of calls that use the file */
	struct file_watch *watches; /* list of callbacks for the file's close */
	struct file_owner *owner;   /* the receiver of signals (kernel/task/file_owner.c), or NULL; freed by a watch */
	struct turn position;       /* a mutex, held by a call that moves `offset` in steps */
};

/*
 * Open the node of `place`: *ret is a reference to a new file. flags: open(2)'s access mode and status flags, without a
 * check of permissions. Returns 0, -ENXIO (no driver for the device), -ENOMEM, -EISDIR (writing a directory), -EROFS,
 * -ETXTBSY, -EACCES (a device on a mount with nodev), -ELOOP (a symbolic link), or what the driver returns.
 */
int file_open(const struct place *place, unsigned flags, struct file **ret);

/* Make a file for pipes etc.; *ret is a reference. Returns 0, having taken over the reference to `node`; or -ENOMEM. */
int file_create(struct node *node, const struct file_ops *ops, unsigned flags, unsigned properties, struct file **ret);

void file_end(struct file *file);            /* closes a file whose last reference is gone; for file_put only */
void file_uncount_writer(struct file *file); /* drops FILE_WRITER: the file may then be executed */
/* Take, or drop, a reference to a file; the last one closes the file. */
static inline struct file *file_get(struct file *file)
{
	file->refs++;
	return file;
}

static inline void file_put(struct file *file)
{
	/* One call too many makes `refs` wrap: then file_end is called as well, and its ASSERT fails. */
	if (file->refs-- <= 1)
		file_end(file);
}

/* file_watch() has watch->gone called when the file is closed; file_unwatch() undoes that before. */
void file_watch(struct file *file, struct file_watch *watch);
void file_unwatch(struct file_watch *watch);
/* Return whether the file is open for reading, or for writing. With O_PATH it is open for neither. */
static inline bool file_reads(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY && !(file->flags & O_PATH);
}

static inline bool file_writes(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY && !(file->flags & O_PATH);
}

/*
 * Call the file's read or write operation once: at the file's offset, which advances, or for FILE_PREAD and FILE_PWRITE
 * at `offset`; a write with O_APPEND at the end. Never waits. Returns what the operation returns, or -EBADF (the file
 * is not open for it), -EISDIR, -EINVAL; unless it moves the offset also -ESPIPE, -EINVAL (`offset` too large).
 */
int64_t file_move(struct file *file, enum file_move how, struct user_io *io, uint64_t offset);
/* Return the offset that SEEK_SET, SEEK_CUR or SEEK_END counts from; -EINVAL for another `whence`. */
int64_t file_position(const struct file *file, int whence);
/* Do lseek(2). Returns the new offset, -EBADF, -ESPIPE, -EINVAL, -ENXIO (SEEK_DATA, SEEK_HOLE at or beyond the end). */
int64_t file_seek(struct file *file, int64_t offset, int whence);
/* Do lseek(2) on *place, which is changed, instead of the file's offset. Returns as file_seek. */
int64_t file_seek_place(const struct file *file, uint64_t *place, int64_t offset, int whence);
/* Do the file's operation of the same name (struct file_ops), or return the result for a file that does not have it. */
int64_t file_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io);
int64_t file_getdents(struct file *file, struct user_io *io);
unsigned file_poll(struct file *file);
uint64_t file_patience(struct file *file, uint32_t *ret_there);
int64_t file_read_late(struct file *file, struct user_io *io);

/*
 * Return the queue to wait in after -EAGAIN; NULL: the file never blocks. Enter the queue, then call the operation once
 * more and sleep only on another -EAGAIN: an interrupt handler may have woken the queue before it was entered.
 */
struct wait_queue *file_queue(struct file *file);
int file_object(struct file *file, struct memory_object **ret); /* calls the operation `object` */
/* Do fcntl(2)'s F_SETFL: copy O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME and O_ASYNC from `flags`; the rest stays. */
void file_set_flags(struct file *file, unsigned flags);
