/*
 * What the files of AF_UNIX share. Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/net/unix.h"
#include "kernel/net/unix_queue.h"

/* ---- sockets ---- */

/* A socket that waits for room in the queue of its peer. */
struct unix_starved {
	struct link link; /* in the full socket's `starved`, or in no list */
	struct unix_socket *socket;
};

/* Guard: tasks only, which the kernel does not preempt. */
struct unix_socket {
	struct socket socket;       /* must be the first member */
	struct unix_queue in;       /* what there is to read */
	struct unix_socket *peer;   /* the connected socket, a reference; or NULL */
	struct unix_name *name;     /* the address, a reference; or NULL */
	struct unix_socket *next;   /* the next socket in a row of the table of abstract names */
	struct node *node;          /* the node that bind(2) made, a reference; its `socket` is this; or NULL */
	struct link pending;        /* of a listening socket: connections that wait for accept(2), by in_pending */
	struct link in_pending;     /* in the listening socket's `pending`, or in no list */
	struct link starved;        /* list of struct unix_starved: wait until this socket's queue has room */
	struct unix_starved hunger; /* this socket's place in the `starved` of its peer */
	uint64_t pending_count, backlog;
	bool is_listening, is_embryo;          /* is_embryo: accept(2) has not taken it yet */
	bool was_connected;                    /* of a stream or seqpacket: it has, or had, a peer */
	bool closed;                           /* its file is closed */
	bool strangers_wait;                   /* tasks wait in its queue for room to send a datagram to it */
	unsigned shut;                         /* UNIX_SHUT_… */
	struct linux_credentials own, of_peer; /* who listens here; who connected, or listens at the other end */
	uint64_t in_flight;                    /* how often the file is in a message that was not received */
	struct link in_flying;                 /* in the list of sockets that are in flight (unix_collect.c) */
	uint64_t unexplained; /* for unix_collect(): how many references no queue of a suspect explains */
	bool suspect;         /* for unix_collect() */
	struct link in_work;  /* for unix_collect(): its place in a list of work */
};

enum { UNIX_SHUT_RECEIVE = 1, UNIX_SHUT_SEND = 2, UNIX_SHUT_BOTH = 3 };

static inline struct unix_socket *unix_cast(struct socket *socket)
{
	return (struct unix_socket *)socket;
}

/* Return the socket of a file, without a reference; NULL: it is none of this family. */
struct unix_socket *unix_of(const struct file *file);

static inline struct unix_socket *unix_get(struct unix_socket *socket)
{
	socket_get(&socket->socket);
	return socket;
}

static inline void unix_put(struct unix_socket *socket)
{
	if (socket)
		socket_put(&socket->socket);
}

static inline void unix_wake(struct unix_socket *socket)
{
	wait_queue_wake(&socket->socket.queue);
}

/* Return whether messages, not a stream of bytes, are sent. */
static inline bool unix_has_messages(const struct unix_socket *socket)
{
	return socket->socket.type != SOCK_STREAM;
}

/* Make a socket without a file; NULL: no memory. ops: the family's. */
struct unix_socket *unix_make(const struct socket_ops *ops, unsigned type);

/* Connect two sockets with each other. */
void unix_join(struct unix_socket *a, struct unix_socket *b);

/* Wake the sockets that wait for room in this one's queue. */
void unix_feed(struct unix_socket *socket);

/* Let go of the socket's peer: it has none from now on. */
void unix_leave_peer(struct unix_socket *socket);

/* ---- addresses (unix_name.c) ---- */

int unix_bind(struct socket *socket, const struct socket_name *name, const struct path_base *base, uint32_t umask);
int unix_find(struct socket *socket, const struct socket_name *name, const struct path_base *base, bool sends,
	      struct socket **ret);
/* Give an unbound socket a free abstract name. Returns 0, -ENOSPC, -ENOMEM. */
int unix_bind_any(struct unix_socket *socket);
/* Take the socket's address out of the table and the tree; messages from it keep the name. */
void unix_unbind(struct unix_socket *socket);

/* ---- connections (unix_connect.c) ---- */

int unix_connect(struct socket *socket, struct socket *to);
int unix_listen(struct socket *socket, int backlog);
int unix_accept(struct socket *socket, struct socket **ret);
int unix_shutdown(struct socket *socket, enum linux_shutdown how);
void unix_close(struct socket *socket);

/* ---- transfer (unix_transfer.c) ---- */

int64_t unix_send(struct socket *socket, struct socket_message *message);
int64_t unix_receive(struct socket *socket, struct socket_message *message);
void unix_consume(struct socket *socket, struct socket_message *message);
unsigned unix_poll(struct socket *socket);

/* ---- circles of sockets in flight (unix_collect.c) ---- */

/* Count a socket as in flight once more, or once less. NULL is allowed: the file is no socket of this family. */
void unix_fly(struct unix_socket *socket);
void unix_land(struct unix_socket *socket);

/* Empty the queues of sockets in flight that nobody can reach. Call after a socket was closed, and before a send. */
void unix_collect(void);
