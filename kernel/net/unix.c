/*
 * AF_UNIX: the table of its operations, and the making of its sockets.
 */
#include "kernel/net/unix.h"

#include "kernel/mm/heap/heap.h"
#include "kernel/net/unix_internal.h"

static int name_of(struct socket *socket, bool of_peer, struct socket_name *ret)
{
	const struct unix_socket *whose = unix_cast(socket);

	if (of_peer)
		whose = whose->peer;
	if (!whose)
		return -ENOTCONN;
	if (whose->name)
		*ret = whose->name->name;
	else
		*ret = (struct socket_name){ .size = NAME_HEAD, .family = AF_UNIX };
	return 0;
}

static int64_t waiting(struct socket *socket, bool of_peer)
{
	const struct unix_socket *whose = unix_cast(socket);
	const struct unix_segment *first;

	if (whose->is_listening)
		return -EINVAL;
	if (of_peer)
		return whose->peer ? (int64_t)unix_queue_bytes(&whose->peer->in) : 0;
	first = unix_queue_first(&whose->in);
	if (socket->type != SOCK_DGRAM)
		return (int64_t)unix_queue_bytes(&whose->in);
	return first ? (int64_t)(first->end - first->start) : 0;
}

static bool is_listening(const struct socket *socket)
{
	return ((const struct unix_socket *)socket)->is_listening;
}

static struct linux_credentials peer_of(struct socket *socket)
{
	return unix_cast(socket)->of_peer;
}

static void free_socket(struct socket *socket)
{
	struct unix_socket *freed = unix_cast(socket);

	list_remove(&freed->in_work);
	unix_queue_free(&freed->in);
	unix_list_remove(freed);
	unix_name_put(freed->name);
	kfree(freed);
}

static const struct socket_ops unix_ops = {
	.bind = unix_bind,
	.find = unix_find,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.name = name_of,
	.send = unix_send,
	.receive = unix_receive,
	.consume = unix_consume,
	.shutdown = unix_shutdown,
	.poll = unix_poll,
	.waiting = waiting,
	.is_listening = is_listening,
	.peer = peer_of,
	.close = unix_close,
	.reclaim = free_socket,
};

static int create(unsigned type, struct socket **ret)
{
	struct unix_socket *made = unix_make(&unix_ops, type);

	if (!made)
		return -ENOMEM;
	*ret = &made->socket;
	return 0;
}

static int create_pair(unsigned type, struct socket *ret[2])
{
	struct unix_socket *a = unix_make(&unix_ops, type), *b = a ? unix_make(&unix_ops, type) : NULL;

	if (!b) {
		unix_put(a);
		return -ENOMEM;
	}
	unix_join(a, b);
	a->of_peer = b->of_peer = socket_caller().peer;
	ret[0] = &a->socket;
	ret[1] = &b->socket;
	return 0;
}

static const struct socket_family unix_family = { .create = create, .create_pair = create_pair };

void unix_init(void)
{
	socket_set_family(AF_UNIX, &unix_family);
}
