/*
 * Sockets as open files: finds the family that makes a socket, and has the file operations, each of which calls an
 * operation of the socket's family.
 */
#include "kernel/net/socket.h"

#include "kernel/lib/format.h"
#include "kernel/mm/heap/heap.h"

#define SIOCINQ  0x541b
#define SIOCOUTQ 0x5411

#define PF_UNIX 1 /* a protocol that socket(2) takes as if it were 0 */

/* The file system of all sockets. Guard: tasks only, which the kernel does not preempt. */
static struct fs socket_fs = { .name = "sockfs", .device = DEVICE_NUMBER(0, 0xffffd), .magic = 0x534f434b };

/* Returns who the calling task is; NULL until socket_set_identity_source(). Fixed after boot. */
static struct socket_identity (*identity_source)(void);

void socket_set_identity_source(struct socket_identity (*of_caller)(void))
{
	identity_source = of_caller;
}

struct socket_identity socket_caller(void)
{
	return identity_source ? identity_source() : (struct socket_identity){ 0 };
}

/* The families by number; NULL: there is none. Fixed after boot. */
static const struct socket_family *families[AF_UNIX + 1];

void socket_set_family(enum linux_family family, const struct socket_family *made_by)
{
	families[family] = made_by;
}

/* Check the arguments of socket(2), and change SOCK_RAW in *type to SOCK_DGRAM. Returns 0 or an error. */
static int check_kind(int family, unsigned *type, int protocol)
{
	if (*type >= SOCK_TYPES)
		return -EINVAL;
	if (family < 0 || family > AF_UNIX || !families[family])
		return -EAFNOSUPPORT;
	if (protocol && protocol != PF_UNIX)
		return -EPROTONOSUPPORT;
	if (*type == SOCK_RAW)
		*type = SOCK_DGRAM;
	return *type == SOCK_STREAM || *type == SOCK_DGRAM || *type == SOCK_SEQPACKET ? 0 : -ESOCKTNOSUPPORT;
}

int socket_create(int family, unsigned type, int protocol, struct socket **ret)
{
	int error = check_kind(family, &type, protocol);

	return error ? error : families[family]->create(type, ret);
}

int socket_create_pair(int family, unsigned type, int protocol, struct socket *ret[2])
{
	int error = check_kind(family, &type, protocol);

	if (error)
		return error;
	return families[family]->create_pair ? families[family]->create_pair(type, ret) : -EOPNOTSUPP;
}

void socket_init(struct socket *socket, const struct socket_ops *ops, unsigned family, unsigned type)
{
	*socket = (struct socket){
		.ops = ops,
		.refs = 1,
		.family = (uint16_t)family,
		.type = (uint16_t)type,
		.send_buffer = SOCKET_BUFFER,
		.receive_buffer = SOCKET_BUFFER,
		.queue = WAIT_QUEUE_INITIAL,
	};
}

/* ---- a socket's file ---- */

static int64_t socket_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct socket *socket = file->data;
	struct socket_message message = { .io = io };
	int64_t received;

	(void)offset;
	if (!io->left)
		return 0;
	received = socket->ops->receive(socket, &message);
	if (received >= 0)
		socket->ops->consume(socket, &message);
	return received;
}

static int64_t socket_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct socket *socket = file->data;
	struct socket_message message = { .io = io };

	(void)offset;
	return socket->ops->send(socket, &message);
}

/* Return how long a read waits at the most, in nanoseconds; 0: without a limit. */
static uint64_t socket_patience(struct file *file, uint32_t *ret_there)
{
	const struct socket *socket = file->data;

	*ret_there = 0;
	return socket->receive_timeout_ns;
}

/* Return the result of a read whose time, SO_RCVTIMEO, is over. */
static int64_t socket_read_late(struct file *file, struct user_io *io)
{
	(void)file;
	(void)io;
	return -EAGAIN;
}

static int64_t socket_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	struct socket *socket = file->data;
	int64_t waiting;
	int32_t value;

	(void)arg;
	if (request != SIOCINQ && request != SIOCOUTQ)
		return -ENOTTY;
	waiting = socket->ops->waiting(socket, request == SIOCOUTQ);
	if (waiting < 0)
		return waiting;
	value = (int32_t)waiting;
	return copy_errno(user_io_put_all(io, &value, sizeof(value)));
}

static unsigned socket_poll(struct file *file)
{
	struct socket *socket = file->data;

	return socket->ops->poll(socket);
}

static struct wait_queue *socket_queue(struct file *file)
{
	struct socket *socket = file->data;

	return &socket->queue;
}

static void socket_release(struct file *file)
{
	struct socket *socket = file->data;

	socket->file = NULL;
	socket->ops->close(socket);
}

static const struct file_ops socket_file_ops = {
	.read = socket_read,
	.patience = socket_patience,
	.read_late = socket_read_late,
	.write = socket_write,
	.ioctl = socket_ioctl,
	.poll = socket_poll,
	.queue = socket_queue,
	.release = socket_release,
};

static void free_node(struct node *node)
{
	kfree(node);
}

static size_t describe(const struct node *node, char *buffer, size_t size)
{
	return format_s(buffer, size, "socket:[%llu]", (unsigned long long)node->number);
}

static const struct node_ops socket_node_ops = { .describe = describe, .free = free_node };

int socket_open(struct socket *socket, unsigned flags, struct file **ret)
{
	struct node *node = kmalloc(sizeof(*node));

	if (!node)
		return -ENOMEM;
	if (file_create(node, &socket_file_ops, O_RDWR | (flags & O_NONBLOCK),
			socket->type == SOCK_STREAM ? FILE_STREAM : 0, ret) != 0) {
		kfree(node);
		return -ENOMEM;
	}
	node_init(node, &socket_node_ops, &socket_fs, S_IFSOCK | 0777);
	node->links = 1;
	(*ret)->data = socket;
	socket->file = *ret;
	return 0;
}

struct socket *socket_of(const struct file *file)
{
	return file->ops == &socket_file_ops ? file->data : NULL;
}
