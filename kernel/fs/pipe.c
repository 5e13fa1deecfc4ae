/*
 * Pipes and FIFOs: counts who has them open, and reads and writes their rings of frames (pipe_ring.h). Small pieces are
 * copied through a buffer on the stack: two copies, but no walk of the user's page tables. A small piece for which a
 * reader is blocked does not go through the ring at all (pipe_hand.h).
 */
#include "kernel/fs/pipe.h"

#include "kernel/fs/linux_termios.h"
#include "kernel/fs/pipe_hand.h"
#include "kernel/fs/pipe_ring.h"
#include "kernel/lib/format.h"
#include "kernel/lib/least.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sync/wait_queue.h"

/* A pipe or open FIFO. Guard: tasks only, which the kernel does not preempt; open sections (open_section.h) read it. */
struct pipe {
	struct open_gate *gate;    /* the node's; closed while anything here changes that open sections read */
	struct pipe_ring ring;     /* the pipe's bytes */
	struct pipe_hand *hand;    /* older bytes than the ring's, for a reader that was blocked; NULL: never used */
	uint64_t readers, writers; /* number of open files that can read, that can write */
	/*
	 * how many files were ever opened for reading, and for writing: open(2) of a FIFO that waits for the other end
	 * sees by this number that the other end was opened, even if it has been closed again
	 */
	uint64_t opened_readers, opened_writers;
	struct wait_queue queue; /* readers wait for bytes, writers for room */
};

/* The file system of pipe(2)'s pipes. Guard: tasks only, which the kernel does not preempt. */
static struct fs pipefs = { .name = "pipefs", .device = DEVICE_NUMBER(0, 0xfffff), .magic = 0x50495045 };

/* Sum of all pipes' capacities, in pages. Guard: tasks only, which the kernel does not preempt. */
static uint64_t pipe_pages;

/* Return how many bytes the pipe has. */
static inline uint64_t fill_of(const struct pipe *pipe)
{
	return pipe_ring_fill(&pipe->ring) + pipe_hand_fill(pipe->hand);
}

static int64_t read_bulk(struct pipe *pipe, struct user_io *io, uint64_t size)
{
	context_token_t token = store_enter();
	enum status status = OK;
	uint64_t done = 0;

	while (done < size && status == OK) {
		struct user_frames from = pipe_ring_frames(&pipe->ring, pipe->ring.tail);
		size_t moved;

		status =
			user_io_put_frames(io, &from, pipe_ring_row(&pipe->ring, pipe->ring.tail, size - done), &moved);
		pipe_ring_advance(&pipe->ring, moved);
		done += moved;
	}
	store_leave(token);
	return done ? (int64_t)done : copy_errno(status);
}

/* Drop the first `size` bytes of the ring. */
static void drop(struct pipe *pipe, uint64_t size)
{
	context_token_t token = store_enter();

	pipe_ring_advance(&pipe->ring, size);
	store_leave(token);
}

/*
 * Wake tasks after a read: all tasks that poll, and one blocked writer. But if less than PIPE_BUF bytes are free now,
 * only small writes can go on, and it is not known which writers have a small one: then wake all writers. A writer that
 * does not fill the pipe wakes the next one (kernel/sys/file_transfer.c).
 */
static void tell_of_room(struct pipe *pipe)
{
	if (pipe->ring.size - fill_of(pipe) < PIPE_BUF)
		wait_queue_wake(&pipe->queue);
	else
		wait_queue_wake_one(&pipe->queue, WAIT_ROOM);
}

/*
 * Read the plain bytes at the ring's tail and the packet behind them; what `io` has no room for is dropped if it
 * belongs to a packet of which some bytes were read.
 */
static int64_t read_packet(struct pipe *pipe, struct user_io *io)
{
	const struct pipe_packet *packet = pipe_packets_first(pipe->ring.packets);
	const uint64_t plain = packet ? packet->plain : pipe_ring_fill(&pipe->ring);
	const uint64_t end = plain + (packet ? packet->size : 0), size = io->left < end ? io->left : end;
	const int64_t done = read_bulk(pipe, io, size);

	if (done > 0 && (uint64_t)done == size && size > plain)
		drop(pipe, end - size);
	return done;
}

/* Read as many bytes as the ring has, and `io` has room for. Call only when each of these is at least one. */
static int64_t read_ring(struct pipe *pipe, struct user_io *io)
{
	uint64_t fill = pipe_ring_fill(&pipe->ring);
	uint64_t size = io->left < fill ? io->left : fill;
	int64_t done;

	if (unlikely(pipe->ring.packets))
		return read_packet(pipe, io);
	/* A read that reaches a page's end frees the page's frame, which only read_bulk() does. */
	if (size > PIPE_SMALL || pipe->ring.tail % PAGE_SIZE + size >= PAGE_SIZE)
		return read_bulk(pipe, io, size);
	done = pipe_ring_copy_small(&pipe->ring, io, size);
	if (likely(done > 0))
		pipe->ring.tail += size;
	return done;
}

static int64_t pipe_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct pipe *pipe = file->data;
	int64_t done = 0, more;

	(void)offset;
	if (!io->left)
		return 0;
	if (!fill_of(pipe))
		return pipe->writers ? -EAGAIN : 0;
	open_gate_close(pipe->gate);
	if (pipe_hand_fill(pipe->hand))
		done = pipe_hand_take(pipe->hand, io);
	if (done >= 0 && io->left && pipe_ring_fill(&pipe->ring)) {
		more = read_ring(pipe, io);
		if (more > 0 || !done)
			done += more;
	}
	open_gate_open(pipe->gate);
	if (done > 0)
		tell_of_room(pipe);
	return done;
}

/* A write of up to PIPE_BUF bytes must be atomic (pipe(7)): all or nothing. */
static int64_t write_bulk(struct pipe *pipe, struct user_io *io, uint64_t size)
{
	context_token_t token = store_enter();
	int64_t written = pipe_ring_write(&pipe->ring, io, size, size <= PIPE_BUF);

	store_leave(token);
	return written;
}

static int64_t write_packets(struct pipe *pipe, struct user_io *io, uint64_t room)
{
	context_token_t token = store_enter();
	int64_t done = pipe_packets_write(&pipe->ring, io, room);

	store_leave(token);
	return done;
}

/* Write `size` bytes, for which there is room, or as many as there is memory for. The pipe has `fill` bytes. */
static int64_t write_some(struct pipe *pipe, struct user_io *io, uint64_t size, uint64_t fill)
{
	int64_t done;

	if (!fill && size <= PIPE_HAND_BYTES && wait_queue_is_wanted(&pipe->queue, WAIT_BYTES) &&
	    pipe_hand_give(&pipe->hand, io, size, &done))
		return done;
	if (size <= PIPE_SMALL && pipe->ring.head % PAGE_SIZE + size <= PAGE_SIZE)
		return pipe_ring_put_small(&pipe->ring, io, size);
	return write_bulk(pipe, io, size);
}

static int64_t pipe_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct pipe *pipe = file->data;
	const uint64_t fill = fill_of(pipe), room = pipe->ring.size - fill;
	const uint64_t size = io->left < room ? io->left : room;
	int64_t done;

	(void)offset;
	if (!io->left)
		return 0;
	if (!pipe->readers)
		return -EPIPE;
	if (!room || (io->left <= PIPE_BUF && room < io->left))
		return -EAGAIN;
	open_gate_close(pipe->gate);
	done = unlikely(file->flags & O_DIRECT) ? write_packets(pipe, io, room) : write_some(pipe, io, size, fill);
	open_gate_open(pipe->gate);
	if (done > 0)
		wait_queue_wake_one(&pipe->queue, WAIT_BYTES);
	return done;
}

/* ---- for splice(2) ---- */

uint64_t pipe_fill(const struct pipe *pipe)
{
	return fill_of(pipe);
}

uint64_t pipe_room(const struct pipe *pipe)
{
	return pipe_packets_full(pipe->ring.packets) ? 0 : pipe->ring.size - fill_of(pipe);
}

bool pipe_has_writers(const struct pipe *pipe)
{
	return pipe->writers;
}

bool pipe_has_readers(const struct pipe *pipe)
{
	return pipe->readers;
}

size_t pipe_peek(const struct pipe *pipe, void *buffer, size_t most)
{
	const uint64_t size = least(most, fill_of(pipe));
	const size_t handed = pipe_hand_peek(pipe->hand, buffer, size);
	context_token_t token = store_enter();

	pipe_ring_peek(&pipe->ring, (uint8_t *)buffer + handed, size - handed);
	store_leave(token);
	return size;
}

void pipe_skip(struct pipe *pipe, size_t size)
{
	open_gate_close(pipe->gate);
	drop(pipe, size - pipe_hand_skip(pipe->hand, size));
	open_gate_open(pipe->gate);
	tell_of_room(pipe);
}

static unsigned pipe_poll(struct file *file)
{
	const struct pipe *pipe = file->data;
	const unsigned access = file->flags & O_ACCMODE;
	unsigned events = 0;

	if (access != O_WRONLY) {
		if (fill_of(pipe))
			events |= POLLIN | POLLRDNORM;
		if (!pipe->writers && pipe->opened_writers)
			events |= POLLHUP;
	}
	if (access != O_RDONLY) {
		if (pipe_room(pipe) >= PIPE_BUF)
			events |= POLLOUT | POLLWRNORM;
		if (!pipe->readers)
			events |= POLLERR;
	}
	return events;
}

static struct wait_queue *pipe_queue(struct file *file)
{
	return &((struct pipe *)file->data)->queue;
}

static int64_t pipe_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	int32_t fill = (int32_t)fill_of(file->data);

	(void)arg;
	if (request != FIONREAD)
		return -ENOTTY;
	return copy_errno(user_io_put_all(io, &fill, sizeof(fill)));
}

/* Initialise an all-zero pipe for `who` (NULL: the kernel), make it the node's, and count it in `pipe_pages`. */
static void start_pipe(struct pipe *pipe, struct node *node, const struct credentials *who)
{
	bool many = pipe_pages_soft && pipe_pages + PIPE_FRAMES > pipe_pages_soft;

	pipe->gate = &node->gate;
	node->pipe = pipe;
	wait_queue_init(&pipe->queue);
	pipe_ring_init(&pipe->ring, least(many ? PIPE_SMALL_SIZE : PIPE_SIZE, pipe_most_for(who)));
	pipe_pages += pipe->ring.size / PAGE_SIZE;
}

uint32_t pipe_capacity(const struct pipe *pipe)
{
	return (uint32_t)pipe->ring.size;
}

int64_t pipe_resize(struct pipe *pipe, const struct credentials *who, uint32_t bytes)
{
	const uint64_t old = pipe->ring.size / PAGE_SIZE;
	uint64_t size, pages;
	context_token_t token;
	int error;

	if (bytes > PIPE_MOST_SIZE)
		return -EINVAL;
	size = pipe_size_for(bytes);
	pages = size / PAGE_SIZE;
	if (pages > old &&
	    (size > pipe_most_for(who) || (pipe_pages_soft && pipe_pages - old + pages > pipe_pages_soft)))
		return -EPERM;
	if (fill_of(pipe) > size)
		return -EBUSY;
	token = store_enter();
	open_gate_close(pipe->gate);
	error = pipe_ring_resize(&pipe->ring, size);
	open_gate_open(pipe->gate);
	store_leave(token);
	if (error)
		return error;
	pipe_pages += pages - old;
	wait_queue_wake(&pipe->queue);
	return (int64_t)size;
}

uint64_t pipe_bytes(const struct pipe *pipe)
{
	return pipe_ring_memory(&pipe->ring);
}

static void free_pipe(struct pipe *pipe)
{
	context_token_t token = store_enter();

	pipe_pages -= pipe->ring.size / PAGE_SIZE;
	pipe_ring_free(&pipe->ring);
	store_leave(token);
	pipe_hand_free(pipe->hand);
	kfree(pipe);
}

static void count_end(struct pipe *pipe, const struct file *file, int change)
{
	open_gate_close(pipe->gate);
	pipe->readers += (uint64_t)(file_reads(file) ? change : 0);
	pipe->writers += (uint64_t)(file_writes(file) ? change : 0);
	open_gate_open(pipe->gate);
}

static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->data;

	count_end(pipe, file, -1);
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

/* Make `file` an end of the pipe, and count it as reader, writer or both. */
static void add_end(struct pipe *pipe, struct file *file)
{
	file->data = pipe;
	count_end(pipe, file, 1);
	pipe->opened_readers += file_reads(file);
	pipe->opened_writers += file_writes(file);
}

int pipe_create(const struct credentials *who, unsigned flags, struct file **ret_read, struct file **ret_write)
{
	struct node *node = kmalloc(sizeof(*node));
	struct pipe *pipe = kzalloc(sizeof(*pipe));
	struct file *reader, *writer;

	if (!node || !pipe)
		goto no_memory;
	if (file_create(node, &pipe_ops, O_RDONLY | (flags & O_NONBLOCK), PIPE_PROPERTIES, &reader) != 0)
		goto no_memory;
	if (file_create(node, &pipe_ops, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), PIPE_PROPERTIES, &writer) != 0) {
		kfree(reader);
		goto no_memory;
	}
	node_init(node, &pipe_node_ops, &pipefs, S_IFIFO | 0600);
	node->links = 1;
	node_get(node); /* each end has a reference to the node */
	start_pipe(pipe, node, who);
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
		start_pipe(pipe, node, NULL);
	}
	file->ops = &pipe_ops;
	file->properties = PIPE_PROPERTIES;
	file->openings = access == O_RDONLY ? pipe->opened_writers : pipe->opened_readers;
	add_end(pipe, file);
	wait_queue_wake(&pipe->queue);
	return 0;
}

bool pipe_open_ready(struct file *file)
{
	struct pipe *pipe = file->data;

	/*
	 * Opening a pipe(2) through /proc/self/fd does not wait: both ends were opened by pipe_create(), even if one
	 * has been closed since.
	 */
	if (file->ops != &pipe_ops || file->node->fs == &pipefs || file->flags & O_NONBLOCK)
		return true;
	if ((file->flags & O_ACCMODE) == O_RDONLY)
		return pipe->writers || pipe->opened_writers != file->openings;
	return pipe->readers || pipe->opened_readers != file->openings;
}
