/*
 * Makes sockets of AF_UNIX, and joins two of them as peers or parts them.
 */
#include "kernel/mm/heap/heap.h"
#include "kernel/net/unix_internal.h"

struct unix_socket *unix_make(const struct socket_ops *ops, unsigned type)
{
	struct unix_socket *made = kzalloc(sizeof(*made));

	if (!made)
		return NULL;
	socket_init(&made->socket, ops, AF_UNIX, type);
	unix_queue_init(&made->in);
	made->hunger.socket = made;
	made->of_peer = (struct linux_credentials){ 0, UINT32_MAX, UINT32_MAX };
	list_init(&made->pending);
	list_init(&made->in_pending);
	list_init(&made->starved);
	list_init(&made->hunger.link);
	list_init(&made->in_flying);
	list_init(&made->in_work);
	unix_list_add(made);
	return made;
}

void unix_join(struct unix_socket *a, struct unix_socket *b)
{
	a->peer = unix_get(b);
	b->peer = unix_get(a);
	a->was_connected = b->was_connected = true;
}

void unix_leave_peer(struct unix_socket *socket)
{
	struct unix_socket *peer = socket->peer;

	list_remove(&socket->hunger.link);
	socket->peer = NULL;
	unix_put(peer);
}

void unix_feed(struct unix_socket *socket)
{
	while (!list_is_empty(&socket->starved)) {
		struct unix_starved *first = list_item(socket->starved.next, struct unix_starved, link);

		list_remove(&first->link);
		unix_wake(first->socket);
	}
}

struct unix_socket *unix_of(const struct file *file)
{
	struct socket *socket = socket_of(file);

	return socket && socket->family == AF_UNIX ? unix_cast(socket) : NULL;
}

uint64_t unix_bytes(const struct file *file)
{
	const struct unix_socket *socket = unix_of(file);

	return socket ? sizeof(*socket) + pipe_ring_memory(&socket->in.ring) : 0;
}
