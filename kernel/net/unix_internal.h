/*
 * Shared by the files of AF_UNIX, kernel/net/unix*.c. Guard of all: tasks only, which the kernel does not preempt.
 *
 * Three words: an *embryo* is the socket at the listener's end of a connection that connect(2) has made and accept(2)
 * has not yet taken. A file is *in flight* while a message that passes it (SCM_RIGHTS) is in a queue. A *starved*
 * socket has failed to send, since its peer's queue was full, and is woken when there is room.
 */
#pragma once

#include "kernel/net/unix.h"
#include "kernel/net/unix_queue.h"
#include "kernel/sync/late_work.h"

/* ---- sockets ---- */

/* A socket that waits for room in the queue of its peer. */
struct unix_starved {
	struct link link; /* place in the full socket's `starved`, or in no list */
	struct unix_socket *socket;
};

/* A socket of AF_UNIX. Guard: tasks only, which the kernel does not preempt. */
struct unix_socket {
	struct socket socket;     /* must be the first member */
	struct unix_queue in;     /* the bytes and messages that the socket has to read */
	struct unix_socket *peer; /* the connected socket, a reference; or NULL */
	struct unix_name *name;   /* the address, a reference; or NULL */
	struct unix_socket *next; /* the next socket in its row of the hash table of abstract names */
	struct unix_socket *listed_next, **listed_link; /* the place in a row of unix_list.c */
	struct node *node;          /* the node that bind(2) made, a reference; its `socket` is this; or NULL */
	struct link pending;        /* a listening socket's embryos, by in_pending, the oldest first */
	struct link in_pending;     /* place in the listening socket's `pending`, or in no list */
	struct link starved;        /* the sockets, as struct unix_starved, that wait for room in this socket's queue */
	struct unix_starved hunger; /* this socket's place in the `starved` of its peer */
	/* Embryos in `pending`; and the number that listen(2) has set: connect(2) waits while there are more. */
	uint64_t pending_count, backlog;
	bool is_listening, is_embryo;
	bool was_connected;                    /* of a stream or seqpacket: the socket has, or had, a peer */
	bool closed;                           /* the socket's file is closed */
	bool strangers_wait;                   /* senders that are not the peer wait for room in this socket's queue */
	unsigned shut;                         /* UNIX_SHUT_…: what shutdown(2), or the peer's end, has ended here */
	struct linux_credentials own, of_peer; /* who called listen(2) here; who made the other end (SO_PEERCRED) */
	uint64_t in_flight;                    /* how many times the socket's file is in flight */
	struct link in_flying;                 /* place in the list of sockets that are in flight (unix_collect.c) */
	uint64_t unexplained; /* for unix_collect(): references to the file by messages in no suspect's queue */
	bool suspect;         /* for unix_collect(): nobody is known, so far, who can reach this socket */
	struct link in_work;  /* for unix_collect(): the place in its list of sockets still to be visited */
	/* Of a closed listening socket: breaks the connections in `pending`, and holds the socket meanwhile. */
	struct late_work end;
};

/* Bits of unix_socket.shut: nothing more can be received, or sent. */
enum { UNIX_SHUT_RECEIVE = 1, UNIX_SHUT_SEND = 2, UNIX_SHUT_BOTH = 3 };

/* Return the socket of this family whose first member `socket` is. */
static inline struct unix_socket *unix_cast(struct socket *socket)
{
	return (struct unix_socket *)socket;
}

/* Return the socket of a file, without a reference; NULL if the file is no socket of this family. */
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

/* Wake the tasks that wait in the socket's queue. */
static inline void unix_wake(struct unix_socket *socket)
{
	wait_queue_wake(&socket->socket.queue);
}

/* Return whether messages, not a stream of bytes, are sent. */
static inline bool unix_has_messages(const struct unix_socket *socket)
{
	return socket->socket.type != SOCK_STREAM;
}

/* Make a socket without a file; `ops` are the family's. Returns a reference, or NULL when memory is lacking. */
struct unix_socket *unix_make(const struct socket_ops *ops, unsigned type);

/* Connect two sockets with each other. */
void unix_join(struct unix_socket *a, struct unix_socket *b);

/* Wake the starved sockets that wait for room in this socket's queue, and empty the list of them. */
void unix_feed(struct unix_socket *socket);

/* Let go of the socket's peer: it has none from now on. */
void unix_leave_peer(struct unix_socket *socket);

/* ---- addresses (unix_name.c) ---- */

/* Do bind and find of struct socket_ops (socket.h). */
int unix_bind(struct socket *socket, const struct socket_name *name, const struct path_base *base, uint32_t umask);
int unix_find(struct socket *socket, const struct socket_name *name, const struct path_base *base, bool sends,
	      struct socket **ret);
/* Give an unbound socket a free abstract name. Returns 0, -ENOSPC, -ENOMEM. */
int unix_bind_any(struct unix_socket *socket);
/*
 * Have nobody find the socket by its address any more: remove it from the table of abstract names, or part it from its
 * node, which stays in the tree as on Linux. Messages that the socket has sent keep the name.
 */
void unix_unbind(struct unix_socket *socket);

/* ---- connections (unix_connect.c) ---- */

/* Do the operations of struct socket_ops with these names. */
int unix_connect(struct socket *socket, struct socket *to);
int unix_listen(struct socket *socket, int backlog);
int unix_accept(struct socket *socket, struct socket **ret);
int unix_shutdown(struct socket *socket, enum linux_shutdown how);
void unix_close(struct socket *socket);

/* ---- transfer (unix_transfer.c) ---- */

/* Do the operations of struct socket_ops with these names. */
int64_t unix_send(struct socket *socket, struct socket_message *message);
int64_t unix_receive(struct socket *socket, struct socket_message *message);
void unix_consume(struct socket *socket, struct socket_message *message);
unsigned unix_poll(struct socket *socket);

/* ---- the list in /proc (unix_list.c) ---- */

void unix_list_add(struct unix_socket *socket);
void unix_list_remove(struct unix_socket *socket);

/* ---- circles of sockets in flight (unix_collect.c) ---- */

/* Count a socket's file as in flight once more (fly), or once less (land). NULL, for another file, is allowed. */
void unix_fly(struct unix_socket *socket);
void unix_land(struct unix_socket *socket);

/*
 * Tell a search that a program may have got the file of a socket in flight (touch; NULL is allowed), or has accepted
 * the embryo.
 */
void unix_touch(struct unix_socket *socket);
void unix_accepted(struct unix_socket *embryo);

/*
 * Drop the files in the queues of sockets in flight that nobody can reach any more, which closes those sockets: as late
 * work of the calling task. Call after a socket was closed, and before files are sent. Most calls do nothing: a search
 * begins when enough calls have paid.
 */
void unix_collect(void);
