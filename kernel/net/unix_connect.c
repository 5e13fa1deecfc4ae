/*
 * Connections of AF_UNIX: listen, connect, accept, shutdown, and what a close leaves behind.
 *
 * connect(2) makes the socket of the other end at once. Until accept(2) gives that socket a file it is an *embryo*, in
 * the listening socket's list `pending`. Bytes can be sent to it before that.
 */
#include "kernel/net/unix_internal.h"

#define BACKLOG_MOST 4096 /* Linux's somaxconn */
#define ENDS_AT_ONCE 4    /* embryos that one step of end_some() frees: hundreds of messages may wait in each */

static bool has_connections(const struct unix_socket *socket)
{
	return socket->socket.type != SOCK_DGRAM;
}

/* Make `to` the peer of a datagram socket; NULL: it has no peer from now on. */
static int connect_datagrams(struct unix_socket *socket, struct unix_socket *to)
{
	/* As on Linux, a datagram socket that has a peer gets messages from no other socket. */
	if (to && to->peer && to->peer != socket)
		return -EPERM;
	if (socket->peer) {
		unix_leave_peer(socket);
		unix_wake(socket);
	}
	if (to)
		socket->peer = unix_get(to);
	return 0;
}

int unix_connect(struct socket *socket, struct socket *target)
{
	struct unix_socket *own = unix_cast(socket), *to = target ? unix_cast(target) : NULL, *embryo;

	if (!has_connections(own))
		return connect_datagrams(own, to);
	if (own->is_listening)
		return -EINVAL;
	if (own->was_connected)
		return -EISCONN;
	if (!to->is_listening || to->closed || to->shut & UNIX_SHUT_RECEIVE)
		return -ECONNREFUSED;
	if (to->pending_count > to->backlog)
		return -EAGAIN;
	embryo = unix_make(socket->ops, socket->type);
	if (!embryo)
		return -ENOMEM;
	embryo->is_embryo = true;
	embryo->name = unix_name_get(to->name);
	embryo->of_peer = socket_caller().peer;
	own->of_peer = to->own;
	unix_join(own, embryo);
	list_add_last(&to->pending, &embryo->in_pending);
	to->pending_count++;
	unix_wake(to);
	unix_wake(own);
	return 0;
}

int unix_listen(struct socket *socket, int backlog)
{
	struct unix_socket *own = unix_cast(socket);

	if (!has_connections(own))
		return -EOPNOTSUPP;
	if (!own->name || own->was_connected)
		return -EINVAL;
	own->is_listening = true;
	own->backlog = (unsigned)backlog > BACKLOG_MOST ? BACKLOG_MOST : (unsigned)backlog;
	own->own = socket_caller().peer;
	unix_wake(own);
	return 0;
}

int unix_accept(struct socket *socket, struct socket **ret)
{
	struct unix_socket *own = unix_cast(socket), *embryo;

	if (!has_connections(own))
		return -EOPNOTSUPP;
	if (!own->is_listening)
		return -EINVAL;
	if (list_is_empty(&own->pending))
		return own->shut & UNIX_SHUT_RECEIVE ? -EINVAL : -EAGAIN;
	embryo = list_item(own->pending.next, struct unix_socket, in_pending);
	unix_accepted(embryo);
	list_remove(&embryo->in_pending);
	own->pending_count--;
	embryo->is_embryo = false;
	unix_wake(own);
	*ret = &embryo->socket;
	return 0;
}

int unix_shutdown(struct socket *socket, enum linux_shutdown how)
{
	struct unix_socket *own = unix_cast(socket);
	unsigned shut = how == SHUT_RDWR ? UNIX_SHUT_BOTH : how == SHUT_RD ? UNIX_SHUT_RECEIVE : UNIX_SHUT_SEND;

	own->shut |= shut;
	if (own->peer && has_connections(own)) {
		own->peer->shut |= (shut & UNIX_SHUT_RECEIVE ? UNIX_SHUT_SEND : 0) |
				   (shut & UNIX_SHUT_SEND ? UNIX_SHUT_RECEIVE : 0);
		unix_wake(own->peer);
	}
	unix_wake(own);
	return 0;
}

/* End a connection at this end. The other end can still read what was sent before. */
static void hang_up(struct unix_socket *socket)
{
	struct unix_socket *peer = socket->peer;

	if (!peer)
		return;
	if (has_connections(socket)) {
		peer->shut = UNIX_SHUT_BOTH;
		if (!unix_queue_is_empty(&socket->in) || socket->is_embryo)
			peer->socket.error = ECONNRESET;
		unix_wake(peer);
	}
	unix_leave_peer(socket);
}

/* Break a connection to a listening socket that accept(2) has not taken. */
static void end_embryo(struct unix_socket *embryo)
{
	list_remove(&embryo->in_pending);
	embryo->closed = true;
	hang_up(embryo);
	unix_queue_free(&embryo->in);
	unix_put(embryo);
}

/*
 * Break some of the connections to a closed socket. When none is left, drop the reference that the work has to the
 * socket.
 */
static bool end_some(struct late_work *work)
{
	struct unix_socket *socket = (struct unix_socket *)((uintptr_t)work - offsetof(struct unix_socket, end));

	for (unsigned left = ENDS_AT_ONCE; left && !list_is_empty(&socket->pending); left--)
		end_embryo(list_item(socket->pending.next, struct unix_socket, in_pending));
	if (!list_is_empty(&socket->pending))
		return false;
	unix_put(socket);
	return true;
}

void unix_close(struct socket *socket)
{
	struct unix_socket *own = unix_cast(socket);

	own->closed = true;
	unix_unbind(own);
	own->end.step = end_some;
	if (!end_some(&unix_get(own)->end))
		late_work_add(&own->end);
	hang_up(own);
	unix_queue_free(&own->in);
	unix_feed(own);
	/* Wake tasks that wait in connect(2) for room in `pending`: they then find that the socket is closed. */
	unix_wake(own);
	unix_put(own);
	unix_collect();
}
