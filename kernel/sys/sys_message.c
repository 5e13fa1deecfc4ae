/*
 * System calls that send messages to sockets and receive them.
 *
 * A receive copies everything to the user before it removes the message from the queue. When a copy lacks memory the
 * message stays, and the call is made again. No other task runs between the copy and the removal.
 */
#include "kernel/net/passed.h"
#include "kernel/sys/socket_control.h"
#include "kernel/sys/user_pieces.h"
#include "kernel/task/give_way.h"
#include "kernel/task/signal_numbers.h"

#define BATCH_MOST 1024 /* most messages of one recvmmsg(2) or sendmmsg(2) */

/* Linux's struct mmsghdr. */
struct linux_message_entry {
	struct linux_message message;
	uint32_t bytes; /* how many were sent or received */
	uint32_t pad;
};

static bool waits(const struct file *file, unsigned flags)
{
	return !(file->flags & O_NONBLOCK) && !(flags & MSG_DONTWAIT);
}

/* ---- sending ---- */

/* Send a message, or as many bytes of a stream as there is room for; wait for room if the call may wait. */
static int64_t send_once(struct file *file, struct socket *socket, struct socket_message *message)
{
	int64_t sent = socket->ops->send(socket, message);
	struct wait_queue *queue = message->to ? &message->to->queue : &socket->queue;
	int error;

	if (sent != -EAGAIN || !waits(file, message->flags))
		return sent;
	error = WAIT_IN_QUEUE(queue, (sent = socket->ops->send(socket, message)) != -EAGAIN,
			      socket_deadline(socket->send_timeout_ns));
	return error ? socket_wait_error(error, socket->send_timeout_ns, -EAGAIN) : sent;
}

/* Send a message, or all bytes of a stream. Drops message->passed, the passed files, unless they were sent. */
static int64_t send_all(struct file *file, struct socket *socket, struct socket_message *message)
{
	const bool stream = socket->type == SOCK_STREAM;
	int64_t total = 0, sent;

	do {
		sent = send_once(file, socket, message);
		if (sent > 0)
			total += sent;
	} while (sent > 0 && stream && message->io->left && waits(file, message->flags) && !task_give_way());
	if (sent == -EPIPE && stream && !total && !(message->flags & MSG_NOSIGNAL))
		signal_send_task(task_current(), SIGPIPE, NULL);
	passed_drop(message->passed);
	message->passed = NULL;
	return total ? total : sent;
}

/* Send to the address `name` or, if that is empty, to the connected socket. */
static int64_t send_to(struct file *file, struct socket *socket, const struct socket_name *name,
		       struct socket_message *message)
{
	HELD_SOCKET struct socket *to = NULL;
	int64_t error = name->size ? args_find_socket(socket, name, true, &to) : 0;

	if (!error && message->flags & MSG_OOB)
		error = -EOPNOTSUPP;
	if (error) {
		passed_drop(message->passed);
		return error;
	}
	message->to = to;
	return send_all(file, socket, message);
}

SYSCALL_6(sendto, fd, base, size, flags, to, to_size)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct socket_name name = { 0 };
	struct socket_message message = { .flags = (unsigned)flags };
	struct socket *socket;
	struct user_io io;
	int error = args_socket(file, &socket);

	if (!error && to)
		error = args_name(to, to_size, &name);
	if (error)
		return error;
	if (size > TRANSFER_MAX)
		size = TRANSFER_MAX;
	if (!user_piece_ok(base, size))
		return -EFAULT;
	user_io_init(&io, process_current()->space, base, size);
	message.io = &io;
	return send_to(file, socket, &name, &message);
}

/* Send what a struct msghdr describes. */
static int64_t send_message(struct file *file, struct socket *socket, const struct linux_message *header,
			    unsigned flags)
{
	struct socket_message message = { .flags = flags };
	struct socket_name name = { 0 };
	struct user_pieces pieces;
	int64_t result = 0;

	if (header->name && header->name_size)
		result = args_name(header->name,
				   header->name_size > SOCKET_NAME_MOST ? SOCKET_NAME_MOST : header->name_size, &name);
	if (!result && header->piece_count > PIECES_MAX)
		result = -EMSGSIZE;
	if (!result)
		result = user_pieces_get(&pieces, header->pieces, (uint32_t)header->piece_count);
	if (result)
		return result;
	message.io = &pieces.io;
	result = control_get(header->control, header->control ? header->control_size : 0, &message);
	if (result)
		passed_drop(message.passed);
	else
		result = send_to(file, socket, &name, &message);
	user_pieces_put(&pieces);
	return result;
}

SYSCALL_3(sendmsg, fd, from, flags)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct linux_message header;
	struct socket *socket;
	int error = args_socket(file, &socket);

	if (!error)
		error = args_get(&header, from, sizeof(header));
	return error ? error : send_message(file, socket, &header, (unsigned)flags);
}

SYSCALL_4(sendmmsg, fd, at, count, flags)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct linux_message header;
	struct socket *socket;
	int64_t result = args_socket(file, &socket);
	uint32_t done = 0, most = (uint32_t)count < BATCH_MOST ? (uint32_t)count : BATCH_MOST;

	while (!result && done < most) {
		uint64_t entry = at + done * sizeof(struct linux_message_entry);
		uint32_t bytes;

		result = args_get(&header, entry, sizeof(header));
		if (!result)
			result = send_message(file, socket, &header, (unsigned)flags);
		if (result < 0)
			break;
		bytes = (uint32_t)result;
		result = args_put_late(entry + offsetof(struct linux_message_entry, bytes), &bytes, sizeof(bytes));
		done++;
		if (task_give_way())
			break;
	}
	return done ? (int64_t)done : result;
}

/* ---- receiving ---- */

/*
 * Receive a message or the bytes that are there, without removing them from the queue; wait for them if the call may
 * wait.
 */
static int64_t receive_once(struct file *file, struct socket *socket, struct socket_message *message, uint64_t deadline)
{
	int64_t received = socket->ops->receive(socket, message);
	int error;

	if (received != -EAGAIN || !waits(file, message->flags))
		return received;
	error = WAIT_IN_QUEUE(&socket->queue, (received = socket->ops->receive(socket, message)) != -EAGAIN, deadline);
	return error ? socket_wait_error(error, socket->receive_timeout_ns, -EAGAIN) : received;
}

static void consume(struct socket *socket, struct socket_message *message)
{
	if (!(message->flags & MSG_PEEK))
		socket->ops->consume(socket, message);
}

/*
 * Continue a receive with MSG_WAITALL from a stream, which has got `received` bytes so far, until it has all bytes, a
 * signal comes, the stream ends, or bytes come with passed files, which the next receive gets. Returns how many bytes
 * were received in all.
 */
static int64_t receive_rest(struct file *file, struct socket *socket, struct socket_message *message, uint64_t deadline,
			    int64_t received)
{
	const unsigned wanted = MSG_WAITALL;
	int64_t total = received, more = received;

	while ((message->flags & (wanted | MSG_PEEK)) == wanted && socket->type == SOCK_STREAM && more > 0 &&
	       message->io->left && !task_give_way()) {
		more = receive_once(file, socket, message, deadline);
		if (more > 0 && message->passed)
			break;
		if (more > 0) {
			consume(socket, message);
			total += more;
		}
	}
	return total;
}

/* Return the result of a receive: `received` or, with MSG_TRUNC, the size of the whole message. */
static int64_t size_of(const struct socket_message *message, int64_t received)
{
	return message->flags & MSG_TRUNC && message->size > (uint64_t)received ? (int64_t)message->size : received;
}

/* Write the sender's address to user address `to`, at most `room` bytes of it. *ret_size: its whole size; 0: none. */
static int put_sender(const struct socket_message *message, uint64_t to, uint32_t room, uint32_t *ret_size)
{
	*ret_size = message->from ? message->from->size : 0;
	return message->from ? args_put(to, message->from->bytes, room < *ret_size ? room : *ret_size) : 0;
}

/* Write the sender's address to the user, as recvfrom(2) does. */
static int put_from(const struct socket_message *message, uint64_t to, uint64_t size_at)
{
	uint32_t size, room;
	int error;

	if (!to)
		return 0;
	error = args_get(&room, size_at, sizeof(room));
	if (!error && (int32_t)room < 0)
		error = -EINVAL;
	if (!error)
		error = put_sender(message, to, room, &size);
	return error ? error : args_put(size_at, &size, sizeof(size));
}

SYSCALL_6(recvfrom, fd, base, size, flags, to, size_at)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct socket_message message = { .flags = (unsigned)flags };
	struct socket *socket;
	struct user_io io;
	int64_t received = args_socket(file, &socket), whole;
	uint64_t deadline;
	int error;

	if (received)
		return received;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (size > TRANSFER_MAX)
		size = TRANSFER_MAX;
	if (!user_piece_ok(base, size))
		return -EFAULT;
	user_io_init(&io, process_current()->space, base, size);
	message.io = &io;
	deadline = socket_deadline(socket->receive_timeout_ns);
	received = receive_once(file, socket, &message, deadline);
	if (received < 0)
		return received;
	error = put_from(&message, to, size_at);
	whole = size_of(&message, received);
	if (error == -ERESTART_MEMORY)
		return error;
	consume(socket, &message);
	return error ? error : received == whole ? receive_rest(file, socket, &message, deadline, received) : whole;
}

/* Write all but the bytes of a received message to the user: sender, control data, and the struct msghdr at `at`. */
static int put_rest(struct linux_message *header, uint64_t at, const struct socket_message *message, int64_t received,
		    struct control_room *room)
{
	uint32_t name_size = 0;
	int error = control_put(room, message, message->flags);

	if (!error && header->name)
		error = put_sender(message, header->name, header->name_size, &name_size);
	if (error)
		return error;
	header->name_size = name_size;
	header->control_size = room->at - room->start;
	header->flags = room->flags | (message->flags & MSG_CMSG_CLOEXEC);
	if (message->size > (uint64_t)received)
		header->flags |= MSG_TRUNC;
	if (header->name)
		error = args_put(at + offsetof(struct linux_message, name_size), &header->name_size,
				 sizeof(header->name_size));
	if (!error)
		error = args_put(at + offsetof(struct linux_message, control_size), &header->control_size,
				 sizeof(header->control_size));
	return error ? error
		     : args_put(at + offsetof(struct linux_message, flags), &header->flags, sizeof(header->flags));
}

/* Receive into what the struct msghdr at `at` describes. */
static int64_t receive_message(struct file *file, struct socket *socket, uint64_t at, unsigned flags)
{
	struct socket_message message = { .flags = flags };
	struct control_room room = { 0 };
	struct linux_message header;
	struct user_pieces pieces;
	int64_t received, whole;
	uint64_t deadline = socket_deadline(socket->receive_timeout_ns);
	int error = args_get(&header, at, sizeof(header));

	if (!error && header.piece_count > PIECES_MAX)
		error = -EMSGSIZE;
	if (!error && flags & MSG_OOB)
		error = -EOPNOTSUPP;
	if (!error)
		error = user_pieces_get(&pieces, header.pieces, (uint32_t)header.piece_count);
	if (error)
		return error;
	message.io = &pieces.io;
	room.start = room.at = header.control;
	room.left = header.control ? header.control_size : 0;
	received = receive_once(file, socket, &message, deadline);
	if (received >= 0) {
		whole = size_of(&message, received);
		error = put_rest(&header, at, &message, received, &room);
		control_end(&room, error);
		if (error != -ERESTART_MEMORY)
			consume(socket, &message);
		if (error)
			received = error;
		else
			received = whole > received || message.passed
					   ? whole
					   : receive_rest(file, socket, &message, deadline, received);
	}
	user_pieces_put(&pieces);
	return received;
}

SYSCALL_3(recvmsg, fd, at, flags)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct socket *socket;
	int error = args_socket(file, &socket);

	return error ? error : receive_message(file, socket, at, (unsigned)flags);
}

SYSCALL_5(recvmmsg, fd, at, count, flags, timeout)
{
	HELD_FILE struct file *file = args_file_get(fd);
	uint32_t done = 0, most = (uint32_t)count < BATCH_MOST ? (uint32_t)count : BATCH_MOST;
	uint64_t deadline = TASK_NO_DEADLINE;
	struct socket *socket;
	int64_t result = args_socket(file, &socket);

	if (!result)
		result = args_deadline(timeout, &deadline);
	/* As on Linux the time is looked at after each message only, and a wait for the next one goes on beyond it. */
	while (!result && done < most) {
		uint64_t entry = at + done * sizeof(struct linux_message_entry);
		uint32_t bytes;

		result = receive_message(file, socket, entry, (unsigned)flags & ~(unsigned)MSG_WAITFORONE);
		if (result < 0)
			break;
		bytes = (uint32_t)result;
		result = args_put_late(entry + offsetof(struct linux_message_entry, bytes), &bytes, sizeof(bytes));
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (task_give_way() || clock_monotonic_ns() >= deadline)
			break;
	}
	return done ? (int64_t)done : result;
}
