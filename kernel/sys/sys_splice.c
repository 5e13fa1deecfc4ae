/*
 * splice(2), tee(2) and vmsplice(2). Linux moves pages; here bytes are copied through a buffer in the heap. Bytes leave
 * the file or pipe that they come from only when they have arrived: between a look at them and that moment no other
 * task runs.
 */
#include "kernel/sys/splice.h"

#include "kernel/fs/node_attributes.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/pipe.h"
#include "kernel/lib/least.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/net/socket.h"
#include "kernel/sys/file_transfer.h"
#include "kernel/sys/user_args.h"
#include "kernel/sys/user_pieces.h"
#include "kernel/task/give_way.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/turn.h"
#include "kernel/task/wait_until.h"

enum splice_flags {
	SPLICE_NONBLOCK = 2,
	SPLICE_KNOWN = 0xf, /* SPLICE_F_MOVE, _NONBLOCK, _MORE, _GIFT */
};

#define SPLICE_MOST 65536 /* bytes that go from pipe to pipe, or between a pipe and a program, in one call */

/* ---- waiting ---- */

static struct pipe *pipe_of(const struct file *file)
{
	return file->node->pipe;
}

static bool has_bytes(struct file *file)
{
	return pipe_fill(pipe_of(file)) || !pipe_has_writers(pipe_of(file));
}

static bool has_room(struct file *file)
{
	return pipe_room(pipe_of(file)) || !pipe_has_readers(pipe_of(file));
}

static bool can_read(struct file *file)
{
	return file_poll(file) & (POLLIN | POLLERR | POLLHUP);
}

static int64_t broken_pipe(void)
{
	signal_send_task(task_current(), SIGPIPE, NULL);
	return -EPIPE;
}

/* Wait until the pipe has bytes. Returns 1; 0: it has none, and nobody has it open for writing; or an error. */
static int64_t wait_for_bytes(struct file *file, bool nonblock)
{
	int error;

	while (!pipe_fill(pipe_of(file))) {
		if (!pipe_has_writers(pipe_of(file)))
			return 0;
		error = nonblock ? -EAGAIN : file_wait(file, has_bytes);
		if (error)
			return error;
	}
	return 1;
}

/* Wait until the pipe has room. Returns 0, or an error. */
static int64_t wait_for_room(struct file *file, bool nonblock)
{
	int error;

	for (;;) {
		if (!pipe_has_readers(pipe_of(file)))
			return broken_pipe();
		if (pipe_room(pipe_of(file)))
			return 0;
		error = nonblock ? -EAGAIN : file_wait(file, has_room);
		if (error)
			return error;
	}
}

/* ---- from a file to a pipe ---- */

/* Write bytes of the buffer to a pipe that has room for them. Returns how many were written, or an error. */
static int64_t put(struct file *out, void *buffer, uint64_t size)
{
	struct user_io io;

	user_io_init_kernel(&io, buffer, size);
	return file_move(out, FILE_WRITE, &io, 0);
}

static bool is_stream(const struct socket *socket)
{
	return socket->type == SOCK_STREAM;
}

/*
 * Move a stream's bytes, or one message, from the socket to the pipe, which has room. Returns as put(); also 0 at the
 * end of the stream, or -EAGAIN.
 */
static int64_t from_socket(struct socket *socket, struct file *out, void *buffer, uint64_t size)
{
	struct socket_message message;
	struct user_io io;
	int64_t moved;

	user_io_init_kernel(&io, buffer, least(size, pipe_room(pipe_of(out))));
	message = (struct socket_message){ .io = &io };
	moved = socket->ops->receive(socket, &message);
	if (moved > 0)
		moved = put(out, buffer, (uint64_t)moved);
	if (moved < 0)
		return moved;
	/* Of a stream the bytes that have arrived are removed, else the whole message, which may be empty. */
	if (is_stream(socket))
		message.taken = (uint64_t)moved;
	socket->ops->consume(socket, &message);
	return moved;
}

/* Move a piece from `in`, a socket or another file, to the pipe. Returns as from_socket(). */
static int64_t from_file(struct file *in, uint64_t *offset, struct file *out, void *buffer, uint64_t size)
{
	struct socket *socket = socket_of(in);
	struct user_io io;
	int64_t moved;

	if (socket)
		return from_socket(socket, out, buffer, size);
	user_io_init_kernel(&io, buffer, size);
	moved = file_transfer(in, in->properties & FILE_SEEKS ? FILE_PREAD : FILE_READ, &io, *offset);
	if (moved <= 0)
		return moved;
	/*
	 * While a file such as one of /proc is read other tasks may run, and write to the pipe: look at its room again.
	 */
	moved = (int64_t)least((uint64_t)moved, pipe_room(pipe_of(out)));
	moved = moved ? put(out, buffer, (uint64_t)moved) : -EAGAIN;
	if (moved > 0)
		*offset += (uint64_t)moved;
	return moved;
}

/* Return whether bytes can be spliced from `in`, which is no pipe. As on Linux they cannot from a directory. */
static bool is_source(const struct file *in)
{
	return node_is(in->node, S_IFREG) || node_is(in->node, S_IFBLK) || node_is(in->node, S_IFSOCK) ||
	       (node_is(in->node, S_IFCHR) && in->properties & FILE_STREAM);
}

int64_t splice_to_pipe(struct file *in, uint64_t *offset, struct file *out, uint64_t size, bool nonblock)
{
	int64_t total = 0, moved = wait_for_room(out, nonblock);
	const struct socket *socket = socket_of(in);
	/* As on Linux only a wait for a stream socket heeds `nonblock`. */
	const bool waits = !(in->flags & O_NONBLOCK) && socket && !(nonblock && is_stream(socket));
	void *buffer;

	if (moved)
		return moved;
	if (pipe_of(in) || !is_source(in))
		return -EINVAL;
	buffer = kmalloc(SPLICE_PIECE);
	if (!buffer)
		return -ENOMEM;
	size = least(size, pipe_room(pipe_of(out)));
	while ((uint64_t)total < size) {
		moved = from_file(in, offset, out, buffer, least(size - (uint64_t)total, SPLICE_PIECE));
		if (moved == -EAGAIN && !total && waits) {
			moved = file_wait(in, can_read);
			/* While this task waited, others may have filled the pipe. */
			moved = moved ? moved : wait_for_room(out, nonblock);
			if (!moved)
				continue;
		}
		if (moved <= 0)
			break;
		total += moved;
		if (!(in->properties & FILE_SEEKS) && !(socket && is_stream(socket)))
			break;
		if (task_give_way() || !pipe_has_readers(pipe_of(out)))
			break;
	}
	wipe(buffer, SPLICE_PIECE);
	kfree(buffer);
	return total ? total : moved;
}

/* ---- from a pipe to a file ---- */

/*
 * Write bytes that the pipe `in` has to `out`, and take them off the pipe. *offset: where to write, advances; NULL: at
 * the position of `out`. Returns how many; 0: the pipe has none; or an error, -EAGAIN: `out` has no room.
 */
static int64_t to_file(struct file *in, struct file *out, uint64_t *offset, void *buffer, uint64_t size)
{
	const enum file_move how = offset ? FILE_PWRITE : FILE_WRITE;
	struct user_io io;
	int64_t moved;

	size = pipe_peek(pipe_of(in), buffer, size);
	if (!size)
		return 0;
	user_io_init_kernel(&io, buffer, size);
	moved = file_heed_size_limit(out, how, &io, offset ? *offset : 0);
	if (!moved)
		moved = file_move(out, how, &io, offset ? *offset : 0);
	if (moved <= 0)
		return moved;
	pipe_skip(pipe_of(in), (size_t)moved);
	notify_node(out->node, IN_MODIFY);
	if (offset)
		*offset += (uint64_t)moved;
	return moved;
}

/*
 * Do to_file(). If `out` is a regular file, take out->node->writing, so that no other task writes to it meanwhile. If
 * not, wait while it has no room.
 */
static int64_t to_file_in_turn(struct file *in, struct file *out, uint64_t *offset, void *buffer, uint64_t size)
{
	struct turn_holder writing;
	int64_t moved;

	if (node_is(out->node, S_IFREG)) {
		moved = turn_take(&out->node->writing, &writing);
		if (moved)
			return moved;
		moved = to_file(in, out, offset, buffer, size);
		if (moved > 0)
			node_written(out->node, rights_current());
		turn_end(&out->node->writing, &writing);
		return moved;
	}
	moved = to_file(in, out, offset, buffer, size);
	/* Wait for the write itself to succeed: a file that poll(2) calls writable may have no room for all bytes. */
	if (moved == -EAGAIN && !(out->flags & O_NONBLOCK) && file_queue(out) &&
	    WAIT_IN_QUEUE(file_queue(out), (moved = to_file(in, out, offset, buffer, size)) != -EAGAIN,
			  TASK_NO_DEADLINE) != 0)
		return -ERESTARTSYS;
	if (moved > 0 && out->ops->written)
		out->ops->written(out);
	return moved == -EPIPE && out->properties & FILE_STREAM ? broken_pipe() : moved;
}

static int64_t splice_from_pipe(struct file *in, struct file *out, uint64_t *offset, uint64_t size, bool nonblock)
{
	/* Write at most a page at a time to a socket, since each write to a datagram socket is one message. */
	const uint64_t piece = socket_of(out) ? PAGE_SIZE : SPLICE_PIECE;
	int64_t total = 0, moved = 0;
	void *buffer = kmalloc(SPLICE_PIECE);

	if (!buffer)
		return -ENOMEM;
	while ((uint64_t)total < size) {
		/* After the first bytes the call does not wait any more: it ends when the pipe is empty. */
		moved = total ? pipe_fill(pipe_of(in)) > 0 : wait_for_bytes(in, nonblock);
		if (moved <= 0)
			break;
		moved = to_file_in_turn(in, out, offset, buffer, least(size - (uint64_t)total, piece));
		if (moved < 0)
			break;
		total += moved;
		if (task_give_way() || (total && signal_pending(task_current())))
			break;
	}
	wipe(buffer, SPLICE_PIECE);
	kfree(buffer);
	return total ? total : moved;
}

/* ---- from pipe to pipe ---- */

/* Move bytes from pipe to pipe or, if `keeps`, copy them and leave them in `in`. Call when no wait is needed. */
static int64_t between_pipes(struct file *in, struct file *out, uint64_t size, bool keeps)
{
	void *buffer;
	int64_t moved;

	size = least(least(size, pipe_room(pipe_of(out))), least(pipe_fill(pipe_of(in)), SPLICE_MOST));
	buffer = kmalloc(size);
	if (!buffer)
		return -ENOMEM;
	size = pipe_peek(pipe_of(in), buffer, size);
	moved = put(out, buffer, size);
	if (moved > 0 && !keeps)
		pipe_skip(pipe_of(in), (size_t)moved);
	wipe(buffer, size);
	kfree(buffer);
	return moved;
}

static int64_t splice_pipes(struct file *in, struct file *out, uint64_t size, bool nonblock, bool keeps)
{
	int64_t result;

	do {
		result = wait_for_bytes(in, nonblock);
		if (result <= 0)
			return result;
		result = wait_for_room(out, nonblock);
		if (result)
			return result;
	} while (!pipe_fill(pipe_of(in)));
	return between_pipes(in, out, size, keeps);
}

/* ---- the system calls ---- */

/* Return whether the file has offsets, and [offset, offset + size) is within them. */
static bool is_range(const struct file *file, uint64_t offset, uint64_t size)
{
	return file->properties & FILE_SEEKS && offset <= INT64_MAX && size <= INT64_MAX - offset;
}

/* Move bytes. An offset that the call does not give is NULL: then the file's own position is used, and advanced. */
static int64_t splice(struct file *in, uint64_t *in_offset, struct file *out, uint64_t *out_offset, uint64_t size,
		      bool nonblock)
{
	if (pipe_of(in) == pipe_of(out))
		return -EINVAL;
	if (pipe_of(in) && pipe_of(out))
		return splice_pipes(in, out, size, nonblock || (in->flags | out->flags) & O_NONBLOCK, false);
	if (pipe_of(out)) {
		if (in_offset && !is_range(in, *in_offset, size))
			return -EINVAL;
		return splice_to_pipe(in, in_offset ? in_offset : &in->offset, out, size,
				      nonblock || out->flags & O_NONBLOCK);
	}
	if ((out_offset && !is_range(out, *out_offset, size)) || out->flags & O_APPEND || node_is(out->node, S_IFDIR))
		return -EINVAL;
	return splice_from_pipe(in, out, out_offset, size, nonblock || in->flags & O_NONBLOCK);
}

SYSCALL_6(splice, in_fd, in_at, out_fd, out_at, size, flags)
{
	HELD_FILE struct file *in = NULL, *out = NULL;
	uint64_t from, to;
	int64_t result;
	int error;

	if (!size)
		return 0;
	if ((unsigned)flags & ~(unsigned)SPLICE_KNOWN)
		return -EINVAL;
	in = args_file_get(in_fd);
	out = args_file_get(out_fd);
	if (!in || !out || (in->flags | out->flags) & O_PATH)
		return -EBADF;
	if ((pipe_of(in) && in_at) || (pipe_of(out) && out_at))
		return -ESPIPE;
	error = args_get_if(&to, out_at, sizeof(to));
	if (!error)
		error = args_get_if(&from, in_at, sizeof(from));
	if (error)
		return error;
	if (!file_reads(in) || !file_writes(out))
		return -EBADF;
	result = splice(in, in_at ? &from : NULL, out, out_at ? &to : NULL, least(size, TRANSFER_MAX),
			flags & SPLICE_NONBLOCK);
	if (result < 0)
		return result;
	error = args_put_late(out_at, &to, sizeof(to));
	if (!error)
		error = args_put_late(in_at, &from, sizeof(from));
	return error ? error : result;
}

SYSCALL_4(tee, in_fd, out_fd, size, flags)
{
	HELD_FILE struct file *in = NULL, *out = NULL;

	if ((unsigned)flags & ~(unsigned)SPLICE_KNOWN)
		return -EINVAL;
	if (!size)
		return 0;
	in = args_file_get(in_fd);
	out = args_file_get(out_fd);
	if (!in || !out || !file_reads(in) || !file_writes(out))
		return -EBADF;
	if (!pipe_of(in) || !pipe_of(out) || pipe_of(in) == pipe_of(out))
		return -EINVAL;
	return splice_pipes(in, out, size, flags & SPLICE_NONBLOCK || (in->flags | out->flags) & O_NONBLOCK, true);
}

/* Fill the pipe from the program's memory, as far as there is room. */
static int64_t gift(struct file *file, struct user_io *io, bool nonblock)
{
	int64_t result = wait_for_room(file, nonblock);

	if (result)
		return result;
	io->left = least(io->left, least(pipe_room(pipe_of(file)), SPLICE_MOST));
	return file_move(file, FILE_WRITE, io, 0);
}

/* Read the pipe's bytes to the program's memory. */
static int64_t take(struct file *file, struct user_io *io, bool nonblock)
{
	int64_t result;

	do {
		result = wait_for_bytes(file, nonblock);
		if (result <= 0)
			return result;
		io->left = least(io->left, SPLICE_MOST);
		result = file_move(file, FILE_READ, io, 0);
	} while (result == -EAGAIN);
	return result;
}

SYSCALL_4(vmsplice, fd, from, count, flags)
{
	HELD_FILE struct file *file = NULL;
	struct user_pieces pieces;
	int64_t result;

	if ((unsigned)flags & ~(unsigned)SPLICE_KNOWN)
		return -EINVAL;
	file = args_file_get(fd);
	if (!file || (!file_reads(file) && !file_writes(file)))
		return -EBADF;
	result = user_pieces_get(&pieces, from, (uint32_t)count);
	if (result)
		return result;
	if (!pieces.io.left)
		result = 0;
	else if (!pipe_of(file))
		result = -EBADF;
	else if (file_writes(file))
		result = gift(file, &pieces.io, flags & SPLICE_NONBLOCK);
	else
		result = take(file, &pieces.io, flags & SPLICE_NONBLOCK);
	user_pieces_put(&pieces);
	return result;
}
