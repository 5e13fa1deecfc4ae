/*
 * Sockets: what all families of addresses share. A family is a set of operations (struct socket_ops); AF_UNIX
 * (kernel/net/unix.h) is the only one so far.
 *
 * Nothing here blocks. An operation that would have to wait returns -EAGAIN; the caller waits in socket->queue, or in
 * the queue that the operation names, and calls again. Guard: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/path.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/net/linux_socket.h"
#include "kernel/sync/wait_queue.h"

struct passed_files;
struct socket;

#define SOCKET_NAME_MOST 128 /* bytes of the longest address: Linux's struct sockaddr_storage */

/* An address as programs pass it: the family in the first two bytes. Guard: that of the structure around it. */
struct socket_name {
	uint32_t size; /* how many of `bytes` the address has */
	union {
		uint16_t family;
		uint8_t bytes[SOCKET_NAME_MOST];
	};
};

/* One message to be sent or received. Guard: only the calling task uses it. */
struct socket_message {
	struct user_io *io; /* the bytes, or where they go */
	unsigned flags;     /* MSG_… of the system call; only the caller looks at them, no operation does */
	struct socket *to;  /* send: the receiver, to which the caller has a reference; NULL: the connected one */
	/*
	 * The files that the message passes (SCM_RIGHTS), or NULL. Send: an operation that succeeds owns them from then
	 * on, and sets this field to NULL. Receive: the files still belong to the queued message until `consume`.
	 */
	struct passed_files *passed;
	bool has_sender; /* receive: `sender` is set, as the socket has SO_PASSCRED */
	struct linux_credentials sender;
	const struct socket_name *from; /* receive: the sender's address, valid until `consume`; NULL: it has none */
	uint64_t size;                  /* receive: bytes of the whole message, those included that did not fit */
	uint64_t taken; /* receive: what `consume` removes: bytes of a stream, or 1 message; 0: nothing */
};

/* The operations of a family, all of which it must have. Those that return int return 0 or a negative error number. */
struct socket_ops {
	/* Give the socket an address. `base`: where relative paths start, for AF_UNIX. */
	int (*bind)(struct socket *socket, const struct socket_name *name, const struct path_base *base,
		    uint32_t umask);
	/*
	 * Find the socket of an address, for connect(2) or, if `sends`, for a send. *ret is a reference, which
	 * socket_put drops, or NULL when the connect or send that follows needs no other socket; NULL after an error.
	 */
	int (*find)(struct socket *socket, const struct socket_name *name, const struct path_base *base, bool sends,
		    struct socket **ret);
	/* Connect with what `find` found, or with NULL end the connection. -EAGAIN: wait in to->queue, call again. */
	int (*connect)(struct socket *socket, struct socket *to);
	int (*listen)(struct socket *socket, int backlog);
	/* Take the oldest connection that waits; *ret is a reference to its socket, which has no file yet. */
	int (*accept)(struct socket *socket, struct socket **ret);
	/* Get the socket's address, or its peer's. */
	int (*name)(struct socket *socket, bool of_peer, struct socket_name *ret);
	/* Send as many bytes as there is room for; a message is sent whole, or not at all. Returns bytes. */
	int64_t (*send)(struct socket *socket, struct socket_message *message);
	/*
	 * Copy the bytes of the next message, or of a stream, to the user. Returns bytes, and sets the fields of
	 * `message` for a receive; the message stays in the queue until `consume`.
	 */
	int64_t (*receive)(struct socket *socket, struct socket_message *message);
	/* Remove what `receive` copied. Between the two calls no other task may run, so that the queue is the same. */
	void (*consume)(struct socket *socket, struct socket_message *message);
	int (*shutdown)(struct socket *socket, enum linux_shutdown how);
	unsigned (*poll)(struct socket *socket);
	/* Return how many bytes can be read here or, if `of_peer`, how many the peer has yet to read; or an error. */
	int64_t (*waiting)(struct socket *socket, bool of_peer);
	bool (*is_listening)(const struct socket *socket);
	/* Return who made the other end by connect(2), listen(2) or socketpair(2); pid 0 and ids -1 if nobody did. */
	struct linux_credentials (*peer)(struct socket *socket);
	/* The file is closed: end connections, drop the file's reference. */
	void (*close)(struct socket *socket);
	/* Free the socket, whose last reference is gone. */
	void (*reclaim)(struct socket *socket);
};

/* A socket; the first member of each family's structure. Guard: tasks only, which the kernel does not preempt. */
struct socket {
	const struct socket_ops *ops;
	struct file *file; /* the open file, without a reference; NULL: not accepted yet, or closed */
	uint64_t refs;     /* references: the file's, and those of connections and calls */
	uint16_t family, type;
	uint32_t protocol;
	uint32_t flags; /* a bit for each SO_… option that can be on or off: 1 << SO_REUSEADDR, … */
	uint32_t send_buffer, receive_buffer;         /* SO_SNDBUF, SO_RCVBUF: bytes */
	uint64_t send_timeout_ns, receive_timeout_ns; /* SO_SNDTIMEO, SO_RCVTIMEO; 0: none */
	uint64_t linger;                              /* SO_LINGER's two numbers, as they were set */
	int error;                                    /* SO_ERROR: a positive error number, or 0 */
	struct wait_queue queue; /* tasks wait here: readers, acceptors, connectors, and writers for room */
};

#define SOCKET_BUFFER     212992              /* a new socket's SO_SNDBUF and SO_RCVBUF: Linux's wmem_default */
#define SOCKET_BUFFER_MIN 4608                /* least SO_SNDBUF */
#define SOCKET_BUFFER_MAX (2 * SOCKET_BUFFER) /* most: twice Linux's wmem_max, as setsockopt(2) doubles its argument */

/* How a family makes sockets. `type` is one that the family has. Guard: fixed after boot. */
struct socket_family {
	/* Make a socket; *ret is a reference. Returns 0 or -ENOMEM. */
	int (*create)(unsigned type, struct socket **ret);
	/* Make two sockets that are connected with each other. Returns 0 or -ENOMEM. NULL: -EOPNOTSUPP. */
	int (*create_pair)(unsigned type, struct socket *ret[2]);
};

/* Let programs make sockets of `family`. Call before the first program. */
void socket_set_family(enum linux_family family, const struct socket_family *made_by);

/*
 * Make a socket; *ret is a reference to it, and it has no file yet. `type`: without flags. Returns 0, -EAFNOSUPPORT,
 * -EINVAL (no such type), -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENOMEM.
 */
int socket_create(int family, unsigned type, int protocol, struct socket **ret);

/* Make two sockets that are connected with each other. Returns as socket_create, or -EOPNOTSUPP. */
int socket_create_pair(int family, unsigned type, int protocol, struct socket *ret[2]);

/* Set all fields of a new socket to their first values. The caller has its only reference. */
void socket_init(struct socket *socket, const struct socket_ops *ops, unsigned family, unsigned type);

/*
 * Make an open file of a socket; the file takes over the caller's reference. flags: O_NONBLOCK or 0. Returns 0, or
 * -ENOMEM with the reference still the caller's.
 */
int socket_open(struct socket *socket, unsigned flags, struct file **ret);

/* Return the socket of an open file, valid while the caller holds the file; NULL: the file is no socket. */
struct socket *socket_of(const struct file *file);

/* Take another reference to a socket. */
static inline struct socket *socket_get(struct socket *socket)
{
	socket->refs++;
	return socket;
}

/* Drop a reference to a socket; NULL is allowed. */
static inline void socket_put(struct socket *socket)
{
	if (socket && !--socket->refs)
		socket->ops->reclaim(socket);
}

/* Return the socket's pending error as a negative number, or 0, and clear it. */
static inline int socket_take_error(struct socket *socket)
{
	int error = socket->error;

	socket->error = 0;
	return -error;
}

/* Who a task is. `sender` has its real IDs, for SCM_CREDENTIALS; `peer` has its effective IDs, for SO_PEERCRED. */
struct socket_identity {
	struct linux_credentials sender, peer;
};

/* Set the function by which socket_caller() finds out who the calling task is. Until then it returns zeros. */
void socket_set_identity_source(struct socket_identity (*of_caller)(void));
struct socket_identity socket_caller(void);
