/*
 * A ring of 16 frames. Positions only grow; a frame is taken when the first byte comes to its page and given back when
 * the last one is read, so an idle pipe holds one at the most. Small pieces go by way of the stack: two copies, and no
 * walk of the user's tables.
 */
#include "kernel/fs/pipe.h"

#include "kernel/fs/store.h"
#include "kernel/lib/format.h"
#include "kernel/lib/wait_queue.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/user_io.h"

#define PIPE_FRAMES (PIPE_SIZE / PAGE_SIZE)
#define SMALL       256 /* bytes that go by way of the stack */
#define FIONREAD    0x541b

struct pipe {
	uint64_t head; /* bytes ever written */
	uint64_t tail; /* bytes ever read */
	unsigned readers, writers;
	uint64_t opened_readers, opened_writers; /* ever, for a FIFO's open */
	struct wait_queue queue;                 /* readers wait for bytes, writers for room */
	paddr_t frames[PIPE_FRAMES];             /* of page n: [n % PIPE_FRAMES]; 0: none */
};

static struct fs pipefs = { .name = "pipefs", .device = DEVICE_NUMBER(0, 0xfffff), .magic = 0x50495045 };

static paddr_t *frame_of(struct pipe *pipe, uint64_t position)
{
	return &pipe->frames[position / PAGE_SIZE % PIPE_FRAMES];
}

/* Bytes from `position` to the end of its page, `most` at the most. */
static size_t piece_at(uint64_t position, uint64_t most)
{
	uint64_t piece = PAGE_SIZE - position % PAGE_SIZE;

	return piece < most ? piece : most;
}

/* The tail has come to the start of a page: the page before it is free, unless the head is in its frame again. */
static void drop_page(struct pipe *pipe)
{
	paddr_t *frame = frame_of(pipe, pipe->tail - 1);

	if (pipe->tail % PAGE_SIZE || pipe->head > pipe->tail - PAGE_SIZE + PIPE_SIZE)
		return;
	store_put(*frame);
	*frame = paddr(0);
}

static int64_t read_small(struct pipe *pipe, struct user_io *io, size_t size)
{
	uint8_t bytes[SMALL];
	size_t moved = 0;
	context_token_t token = store_enter();

	memcpy(bytes, (uint8_t *)store_ptr(*frame_of(pipe, pipe->tail)) + pipe->tail % PAGE_SIZE, size);
	store_leave(token);
	if (user_io_put(io, bytes, size, &moved) != OK && !moved)
		return -EFAULT;
	pipe->tail += moved;
	return (int64_t)moved;
}

static int64_t read_bulk(struct pipe *pipe, struct user_io *io, uint64_t size)
{
	context_token_t token = store_enter();
	enum status status = OK;
	uint64_t done = 0;

	while (done < size && status == OK) {
		size_t moved = 0;
		uint8_t *from = (uint8_t *)store_ptr(*frame_of(pipe, pipe->tail)) + pipe->tail % PAGE_SIZE;

		status = user_io_put_bulk(io, from, piece_at(pipe->tail, size - done), &moved);
		pipe->tail += moved;
		done += moved;
		if (moved)
			drop_page(pipe);
	}
	store_leave(token);
	return done ? (int64_t)done : -EFAULT;
}

static int64_t pipe_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct pipe *pipe = file->data;
	uint64_t fill = pipe->head - pipe->tail;
	uint64_t size = io->left < fill ? io->left : fill;
	int64_t done;

	(void)offset;
	if (!io->left)
		return 0;
	if (!fill)
		return pipe->writers ? -EAGAIN : 0;
	/* Not to the end of the page: then its frame goes, for which read_bulk is. */
	if (size <= SMALL && pipe->tail % PAGE_SIZE + size < PAGE_SIZE)
		done = read_small(pipe, io, size);
	else
		done = read_bulk(pipe, io, size);
	if (done > 0)
		wait_queue_wake(&pipe->queue);
	return done;
}

/* Frames for the pages of [head, head + size). In the kernel context. ERR_NO_MEMORY: some may be there, and stay. */
static enum status take_frames(struct pipe *pipe, uint64_t size)
{
	enum status status = OK;

	for (uint64_t at = pipe->head; at < pipe->head + size && status == OK; at += piece_at(at, PAGE_SIZE)) {
		paddr_t *frame = frame_of(pipe, at);

		if (!frame->raw)
			status = frame_alloc_4k(frame_cache_here(), frame);
	}
	return status;
}

/* Frames that were taken and not written. In the kernel context. */
static void drop_unused(struct pipe *pipe)
{
	for (unsigned i = 0; i < PIPE_FRAMES; i++) {
		uint64_t first = align_down(pipe->tail, PAGE_SIZE);
		uint64_t page = first + (i + PIPE_FRAMES - first / PAGE_SIZE % PIPE_FRAMES) % PIPE_FRAMES * PAGE_SIZE;

		/* The page where both meet may stay: it is the one that an idle pipe holds. */
		if (page < pipe->head || page == first || !pipe->frames[i].raw)
			continue;
		store_put(pipe->frames[i]);
		pipe->frames[i] = paddr(0);
	}
}

static int64_t write_small(struct pipe *pipe, struct user_io *io, size_t size)
{
	uint8_t bytes[SMALL];
	enum status status;
	context_token_t token;
	size_t moved = 0;

	if (user_io_get(io, bytes, size, &moved) != OK && !moved)
		return -EFAULT;
	token = store_enter();
	status = take_frames(pipe, moved);
	if (status == OK) {
		memcpy((uint8_t *)store_ptr(*frame_of(pipe, pipe->head)) + pipe->head % PAGE_SIZE, bytes, moved);
		pipe->head += moved;
	}
	store_leave(token);
	return status == OK ? (int64_t)moved : -ENOMEM;
}

static int64_t write_bulk(struct pipe *pipe, struct user_io *io, uint64_t size)
{
	context_token_t token = store_enter();
	enum status status = OK;
	uint64_t done = 0;

	/* What must not be torn gets all its frames before the first byte. */
	if (size <= PIPE_BUF)
		status = take_frames(pipe, size);
	while (done < size && status == OK) {
		size_t piece = piece_at(pipe->head, size - done);
		size_t moved = 0;

		status = take_frames(pipe, piece);
		if (status != OK)
			break;
		status =
			user_io_get_bulk(io, (uint8_t *)store_ptr(*frame_of(pipe, pipe->head)) + pipe->head % PAGE_SIZE,
					 piece, &moved);
		pipe->head += moved;
		done += moved;
	}
	if (status != OK)
		drop_unused(pipe);
	store_leave(token);
	if (done)
		return (int64_t)done;
	return status == ERR_NO_MEMORY ? -ENOMEM : -EFAULT;
}

static int64_t pipe_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct pipe *pipe = file->data;
	uint64_t room = PIPE_SIZE - (pipe->head - pipe->tail);
	uint64_t size = io->left < room ? io->left : room;
	int64_t done;

	(void)offset;
	if (!io->left)
		return 0;
	if (!pipe->readers)
		return -EPIPE;
	if (!room || (io->left <= PIPE_BUF && room < io->left))
		return -EAGAIN;
	if (size <= SMALL && pipe->head % PAGE_SIZE + size <= PAGE_SIZE)
		done = write_small(pipe, io, size);
	else
		done = write_bulk(pipe, io, size);
	if (done > 0)
		wait_queue_wake(&pipe->queue);
	return done;
}

static unsigned pipe_poll(struct file *file)
{
	struct pipe *pipe = file->data;
	unsigned events = 0;

	if (file_reads(file)) {
		if (pipe->head != pipe->tail)
			events |= POLLIN | POLLRDNORM;
		if (!pipe->writers && pipe->opened_writers)
			events |= POLLHUP;
	}
	if (file_writes(file)) {
		if (PIPE_SIZE - (pipe->head - pipe->tail) >= PIPE_BUF)
			events |= POLLOUT | POLLWRNORM;
		if (!pipe->readers)
			events |= POLLERR;
	}
	return events;
}

static struct wait_queue *pipe_queue(struct file *file)
{
	struct pipe *pipe = file->data;

	return &pipe->queue;
}

static int64_t pipe_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	struct pipe *pipe = file->data;
	int32_t fill = (int32_t)(pipe->head - pipe->tail);
	size_t moved;

	(void)arg;
	if (request != FIONREAD)
		return -ENOTTY;
	return user_io_put(io, &fill, sizeof(fill), &moved) == OK ? 0 : -EFAULT;
}

static void free_pipe(struct pipe *pipe)
{
	context_token_t token = store_enter();

	for (unsigned i = 0; i < PIPE_FRAMES; i++)
		if (pipe->frames[i].raw)
			store_put(pipe->frames[i]);
	store_leave(token);
	kfree(pipe);
}

static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->data;

	if (file_reads(file))
		pipe->readers--;
	if (file_writes(file))
		pipe->writers--;
	if (pipe->readers || pipe->writers) {
		wait_queue_wake(&pipe->queue);
		return;
	}
	file->node->pipe = NULL;
	free_pipe(pipe);
}

static const struct file_ops pipe_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
	.queue = pipe_queue,
	.release = pipe_release,
};

static void free_pipe_node(struct node *node)
{
	kfree(node);
}

static size_t describe(const struct node *node, char *buffer, size_t size)
{
	return format_s(buffer, size, "pipe:[%llu]", (unsigned long long)node->number);
}

static const struct node_ops pipe_node_ops = { .describe = describe, .free = free_pipe_node };

/* Count a description that has become one of the pipe's ends. */
static void add_end(struct pipe *pipe, struct file *file)
{
	file->data = pipe;
	if (file_reads(file)) {
		pipe->readers++;
		pipe->opened_readers++;
	}
	if (file_writes(file)) {
		pipe->writers++;
		pipe->opened_writers++;
	}
}

int pipe_create(unsigned flags, struct file **ret_read, struct file **ret_write)
{
	struct node *node = kmalloc(sizeof(*node));
	struct pipe *pipe = kzalloc(sizeof(*pipe));
	struct file *reader, *writer;

	if (flags & O_DIRECT) {
		kfree(node);
		kfree(pipe);
		return -EINVAL;
	}
	if (!node || !pipe)
		goto no_memory;
	if (file_create(node, &pipe_ops, O_RDONLY | (flags & O_NONBLOCK), FILE_STREAM, &reader) != 0)
		goto no_memory;
	if (file_create(node, &pipe_ops, O_WRONLY | (flags & O_NONBLOCK), FILE_STREAM, &writer) != 0) {
		kfree(reader);
		goto no_memory;
	}
	node_init(node, &pipe_node_ops, &pipefs, S_IFIFO | 0600);
	node->links = 1;
	node_get(node); /* one for each end */
	node->pipe = pipe;
	add_end(pipe, reader);
	add_end(pipe, writer);
	*ret_read = reader;
	*ret_write = writer;
	return 0;

no_memory:
	kfree(pipe);
	kfree(node);
	return -ENOMEM;
}

int pipe_open(struct node *node, struct file *file)
{
	struct pipe *pipe = node->pipe;
	unsigned access = file->flags & O_ACCMODE;

	if (node->fs != &pipefs && access == O_WRONLY && file->flags & O_NONBLOCK && !(pipe && pipe->readers))
		return -ENXIO;
	if (!pipe) {
		pipe = kzalloc(sizeof(*pipe));
		if (!pipe)
			return -ENOMEM;
		node->pipe = pipe;
	}
	file->ops = &pipe_ops;
	file->properties = FILE_STREAM;
	/* The description's offset means nothing to a pipe: it keeps which opens of the other side came before. */
	file->offset = access == O_RDONLY ? pipe->opened_writers : pipe->opened_readers;
	add_end(pipe, file);
	wait_queue_wake(&pipe->queue);
	return 0;
}

bool pipe_open_ready(struct file *file)
{
	struct pipe *pipe = file->data;

	/* A pipe that is opened by way of /proc/self/fd has had its other side, which may be gone. */
	if (file->ops != &pipe_ops || file->node->fs == &pipefs || file->flags & O_NONBLOCK)
		return true;
	if ((file->flags & O_ACCMODE) == O_RDONLY)
		return pipe->writers || pipe->opened_writers != file->offset;
	return pipe->readers || pipe->opened_readers != file->offset;
}
