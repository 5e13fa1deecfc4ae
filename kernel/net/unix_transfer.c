/*
 * Sends, receives and polls for sockets of AF_UNIX.
 */
#include "kernel/net/unix_internal.h"

#define MESSAGE_OVERHEAD 32 /* SO_SNDBUF minus this is the longest message, as on Linux */
#define MESSAGES_WAITING 10 /* most datagrams of strangers that wait: Linux's max_dgram_qlen */

/* ---- sending ---- */

/* Return whether a message from `socket` must wait: too many are in the queue of `to`, of which it is not the peer. */
static bool is_crowded(const struct unix_socket *socket, const struct unix_socket *to)
{
	return to->peer != socket && to->in.count > MESSAGES_WAITING;
}

/*
 * Have unix_consume() wake the tasks of `socket` when the queue of `to` has room again. If `to` is the peer, they sleep
 * in the wait queue of `socket`; otherwise in the wait queue of `to`. So a read without senders that wait wakes nobody.
 */
static void wait_for(struct unix_socket *socket, struct unix_socket *to, bool is_peer)
{
	if (!is_peer) {
		to->strangers_wait = true;
		return;
	}
	list_remove(&socket->hunger.link);
	list_add_last(&to->starved, &socket->hunger.link);
}

/* Return the error that ends a send from `socket` to `to`, or 0. */
static int check_send(const struct unix_socket *socket, const struct unix_socket *to, bool to_peer)
{
	const bool connected = socket->socket.type != SOCK_DGRAM;

	if (connected && !socket->was_connected)
		return -ENOTCONN;
	if (socket->shut & UNIX_SHUT_SEND)
		return -EPIPE;
	if (!to)
		return connected ? -EPIPE : -ENOTCONN;
	if (to->closed)
		return connected ? -EPIPE : -ECONNREFUSED;
	if (!to_peer && to->peer && to->peer != socket)
		return -EPERM;
	return to->shut & UNIX_SHUT_RECEIVE ? -EPIPE : 0;
}

/* Return whether the receiver wants, or before accept(2) may turn out to want, to know who sent the bytes. */
static bool wants_sender(const struct unix_socket *socket, const struct unix_socket *to)
{
	return (socket->socket.flags | to->socket.flags) & 1U << SO_PASSCRED || to->is_embryo;
}

static int64_t send_bytes(struct unix_socket *socket, struct unix_socket *to, struct socket_message *message)
{
	uint64_t room = unix_queue_room(&to->in, socket->socket.send_buffer);
	struct unix_note note = { .passed = message->passed, .sender = message->sender };
	const bool noted = message->passed || message->has_sender || wants_sender(socket, to);
	int64_t sent;

	if (!message->io->left)
		return 0;
	if (!room) {
		wait_for(socket, to, true);
		return -EAGAIN;
	}
	if (noted && !message->has_sender)
		note.sender = socket_caller().sender;
	sent = unix_queue_put(&to->in, message->io, message->io->left < room ? message->io->left : room, false,
			      noted ? &note : NULL);
	if (sent > 0)
		message->passed = NULL;
	return sent;
}

static int64_t send_message(struct unix_socket *socket, struct unix_socket *to, struct socket_message *message)
{
	const uint64_t size = message->io->left, limit = socket->socket.send_buffer;
	struct unix_note note = { .passed = message->passed, .name = socket->name, .sender = message->sender };
	int64_t sent;

	if (size > limit - MESSAGE_OVERHEAD)
		return -EMSGSIZE;
	/* As on Linux a message need not fit into the rest of the buffer: it waits only while the buffer is full. */
	if (is_crowded(socket, to) || !unix_queue_room(&to->in, limit)) {
		wait_for(socket, to, !message->to);
		return -EAGAIN;
	}
	if (!message->has_sender)
		note.sender = socket_caller().sender;
	sent = unix_queue_put(&to->in, message->io, size, true, &note);
	if (sent >= 0) {
		(void)unix_name_get(note.name);
		message->passed = NULL;
	}
	return sent;
}

int64_t unix_send(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *own = unix_cast(socket), *to = message->to ? unix_cast(message->to) : own->peer;
	int64_t sent = socket->error ? socket_take_error(socket) : check_send(own, to, !message->to);

	if (sent == -ECONNREFUSED && !message->to)
		unix_leave_peer(own);
	if (sent)
		return sent;
	if ((own->socket.flags & 1U << SO_PASSCRED) && unix_has_messages(own) && !own->name)
		sent = unix_bind_any(own);
	if (message->passed)
		unix_collect();
	if (!sent)
		sent = unix_has_messages(own) ? send_message(own, to, message) : send_bytes(own, to, message);
	if (sent >= 0)
		unix_wake(to);
	return sent;
}

/* ---- receiving ---- */

/* What a receiver gets as the sender of bytes that were sent before it asked for senders: Linux's overflow ids. */
static const struct linux_credentials nobody = { 0, 65534, 65534 };

/*
 * Return how many bytes of a stream one receive gets: none behind the first segment that passes files and, with
 * SO_PASSCRED, only bytes of one sender. Sets the message's sender and files.
 */
static uint64_t reach(const struct unix_socket *socket, struct socket_message *message)
{
	const struct pipe_ring *ring = &socket->in.ring;
	const uint64_t end = ring->head - ring->tail < message->io->left ? ring->head : ring->tail + message->io->left;
	const bool passes = socket->socket.flags & 1U << SO_PASSCRED;
	uint64_t at = ring->tail;

	LIST_EACH(&socket->in.segments, struct unix_segment, link, segment) {
		if (segment->start >= end)
			break;
		if (passes && segment->start > at && !message->has_sender) {
			message->sender = nobody;
			message->has_sender = true;
			at = segment->start;
		}
		if (passes && message->has_sender &&
		    (segment->start > at || !unix_is_same_sender(&message->sender, &segment->sender)))
			return (segment->start > at ? at : segment->start) - ring->tail;
		message->sender = segment->sender;
		message->has_sender = passes;
		at = segment->end;
		message->passed = segment->passed;
		if (segment->passed)
			return (at < end ? at : end) - ring->tail;
	}
	if (passes && !message->has_sender) {
		message->sender = nobody;
		message->has_sender = true;
	}
	return end - ring->tail;
}

static int64_t receive_bytes(struct unix_socket *socket, struct socket_message *message)
{
	int64_t received;

	if (!socket->was_connected)
		return -EINVAL;
	if (!message->io->left)
		return 0;
	if (!unix_queue_bytes(&socket->in)) {
		if (socket->socket.error)
			return socket_take_error(&socket->socket);
		return socket->shut & UNIX_SHUT_RECEIVE ? 0 : -EAGAIN;
	}
	received = unix_queue_copy(&socket->in, message->io, reach(socket, message));
	message->taken = received > 0 ? (uint64_t)received : 0;
	message->size = message->taken;
	if (socket->peer && socket->peer->name)
		message->from = &socket->peer->name->name;
	return received;
}

static int64_t receive_message(struct unix_socket *socket, struct socket_message *message)
{
	const struct unix_segment *first = unix_queue_first(&socket->in);
	int64_t received;

	if (socket->socket.type == SOCK_SEQPACKET && !socket->was_connected)
		return -ENOTCONN;
	if (socket->socket.error)
		return socket_take_error(&socket->socket);
	if (!first)
		return socket->shut & UNIX_SHUT_RECEIVE ? 0 : -EAGAIN;
	message->size = first->end - first->start;
	received = unix_queue_copy(&socket->in, message->io,
				   message->size < message->io->left ? message->size : message->io->left);
	if (received < 0)
		return received;
	message->taken = 1;
	message->passed = first->passed;
	message->from = first->name ? &first->name->name : NULL;
	message->sender = first->sender;
	message->has_sender = socket->socket.flags & 1U << SO_PASSCRED;
	return received;
}

int64_t unix_receive(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *own = unix_cast(socket);
	int64_t received;

	message->passed = NULL;
	message->from = NULL;
	message->has_sender = false;
	message->size = message->taken = 0;
	received = unix_has_messages(own) ? receive_message(own, message) : receive_bytes(own, message);
	if (unlikely(message->passed))
		passed_touch(message->passed);
	return received;
}

void unix_consume(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *own = unix_cast(socket);

	if (!message->taken)
		return;
	if (unix_has_messages(own))
		unix_queue_pop(&own->in);
	else
		unix_queue_skip(&own->in, message->taken);
	unix_feed(own);
	if (own->strangers_wait) {
		own->strangers_wait = false;
		unix_wake(own);
	}
}

/* ---- polling ---- */

/*
 * Return whether poll(2) shows POLLOUT: never for a listening socket; for others, as on Linux, while at most a quarter
 * of the send buffer is in use. While more is, wait_for() has the socket's tasks woken when that changes.
 */
static bool is_writable(struct unix_socket *socket)
{
	const uint64_t limit = socket->socket.send_buffer;
	struct unix_socket *peer = socket->peer;

	if (socket->is_listening)
		return false;
	if (!peer)
		return true;
	if (unix_queue_room(&peer->in, limit) >= limit - limit / 4 && !is_crowded(socket, peer))
		return true;
	wait_for(socket, peer, true);
	return false;
}

unsigned unix_poll(struct socket *socket)
{
	struct unix_socket *own = unix_cast(socket);
	const bool connected = socket->type != SOCK_DGRAM;
	unsigned events = socket->error ? POLLERR : 0;

	if (own->shut == UNIX_SHUT_BOTH || (connected && !own->was_connected && !own->is_listening))
		events |= POLLHUP;
	if (own->shut & UNIX_SHUT_RECEIVE)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (!unix_queue_is_empty(&own->in) || !list_is_empty(&own->pending))
		events |= POLLIN | POLLRDNORM;
	if (is_writable(own))
		events |= POLLOUT | POLLWRNORM;
	return events;
}
