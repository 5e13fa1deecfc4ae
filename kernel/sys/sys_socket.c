/*
 * System calls that make sockets, name and connect them. Messages are in sys_message.c, options in sys_socket_option.c.
 */
#include "kernel/fs/place.h"
#include "kernel/net/unix.h"
#include "kernel/sys/socket_args.h"
#include "kernel/task/rights.h"

#define FLAGS_KNOWN (O_CLOEXEC | O_NONBLOCK)

static struct socket_identity caller(void)
{
	const struct credentials *who = rights_current();
	const int pid = process_current()->pid;

	return (struct socket_identity){ .sender = { pid, who->uid.real, who->gid.real },
					 .peer = { pid, who->uid.effective, who->gid.effective } };
}

void socket_calls_init(void)
{
	socket_set_identity_source(caller);
	unix_init();
}

int args_socket(const struct file *file, struct socket **ret)
{
	if (!file || file->flags & O_PATH)
		return -EBADF;
	*ret = socket_of(file);
	return *ret ? 0 : -ENOTSOCK;
}

int args_name(uint64_t from, uint64_t size, struct socket_name *ret)
{
	if ((int)size < 0 || (uint32_t)size > SOCKET_NAME_MOST)
		return -EINVAL;
	*ret = (struct socket_name){ .size = (uint32_t)size };
	return args_get(ret->bytes, from, ret->size);
}

int args_put_name(uint64_t to, uint64_t size_at, const struct socket_name *name)
{
	int32_t room;
	int error = args_get(&room, size_at, sizeof(room));

	if (error)
		return error;
	if (room < 0)
		return -EINVAL;
	error = args_put(to, name->bytes, (uint32_t)room < name->size ? (uint32_t)room : name->size);
	return error ? error : args_put(size_at, &name->size, sizeof(name->size));
}

int64_t args_install_socket(struct socket *socket, uint64_t flags)
{
	struct file *file;
	int error = socket_open(socket, (unsigned)flags, &file);

	if (error) {
		/* Close the socket, so that the peer of a connection that was accepted learns of it. */
		socket->ops->close(socket);
		return error;
	}
	return args_install(file, flags);
}

int args_find_socket(struct socket *socket, const struct socket_name *name, bool sends, struct socket **ret)
{
	const struct process_paths *paths = &process_current()->paths;
	struct path_base base = { place_get(paths->root), place_get(paths->cwd), rights_current(), user_path_pause };
	int error = socket->ops->find(socket, name, &base, sends, ret);

	place_put(base.start);
	place_put(base.root);
	return error;
}

SYSCALL_3(socket, family, type, protocol)
{
	const uint64_t flags = type & ~(uint64_t)SOCK_TYPE_BITS & UINT32_MAX;
	struct socket *socket;
	int error;

	if (flags & ~(uint64_t)FLAGS_KNOWN)
		return -EINVAL;
	error = socket_create((int)family, type & SOCK_TYPE_BITS, (int)protocol, &socket);
	return error ? error : args_install_socket(socket, flags);
}

SYSCALL_4(socketpair, family, type, protocol, to)
{
	const uint64_t flags = type & ~(uint64_t)SOCK_TYPE_BITS & UINT32_MAX;
	struct socket *pair[2];
	int32_t numbers[2];
	int error;

	if (flags & ~(uint64_t)FLAGS_KNOWN)
		return -EINVAL;
	error = socket_create_pair((int)family, type & SOCK_TYPE_BITS, (int)protocol, pair);
	if (error)
		return error;
	numbers[0] = (int32_t)args_install_socket(pair[0], flags);
	numbers[1] = (int32_t)args_install_socket(pair[1], flags);
	error = numbers[0] < 0 ? numbers[0] : numbers[1] < 0 ? numbers[1] : args_put(to, numbers, sizeof(numbers));
	if (!error)
		return 0;
	for (int i = 0; i < 2; i++)
		if (numbers[i] >= 0)
			fd_close(process_current()->fds, numbers[i]);
	return error;
}

SYSCALL_3(bind, fd, from, size)
{
	HELD_FILE struct file *file = args_file_get(fd);
	const struct process_paths *paths = &process_current()->paths;
	struct path_base base;
	struct socket *socket;
	struct socket_name name;
	int error = args_socket(file, &socket);

	if (!error)
		error = args_name(from, size, &name);
	if (!error && name.size < NAME_HEAD)
		error = -EINVAL;
	if (error)
		return error;
	base = (struct path_base){ place_get(paths->root), place_get(paths->cwd), rights_current(), user_path_pause };
	error = socket->ops->bind(socket, &name, &base, paths->umask);
	place_put(base.start);
	place_put(base.root);
	return error;
}

SYSCALL_2(listen, fd, backlog)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct socket *socket;
	int error = args_socket(file, &socket);

	return error ? error : socket->ops->listen(socket, (int)backlog);
}

SYSCALL_3(connect, fd, from, size)
{
	HELD_FILE struct file *file = args_file_get(fd);
	HELD_SOCKET struct socket *to = NULL;
	struct socket *socket;
	struct socket_name name;
	int result = -EAGAIN, error = args_socket(file, &socket);

	if (!error)
		error = args_name(from, size, &name);
	if (!error && name.size < NAME_HEAD)
		error = -EINVAL;
	if (!error)
		error = args_find_socket(socket, &name, false, &to);
	if (!error)
		error = result = socket->ops->connect(socket, to);
	if (error != -EAGAIN || file->flags & O_NONBLOCK)
		return error;
	error = WAIT_IN_QUEUE(&to->queue, (result = socket->ops->connect(socket, to)) != -EAGAIN,
			      socket_deadline(socket->send_timeout_ns));
	return error ? socket_wait_error(error, socket->send_timeout_ns, -EAGAIN) : result;
}

/* Take a connection; wait for one unless the file has O_NONBLOCK. *ret is a reference to its socket. */
static int64_t take_connection(struct file *file, struct socket *socket, struct socket **ret)
{
	int result = socket->ops->accept(socket, ret), error;

	if (result != -EAGAIN || file->flags & O_NONBLOCK)
		return result;
	error = WAIT_IN_QUEUE(&socket->queue, (result = socket->ops->accept(socket, ret)) != -EAGAIN,
			      socket_deadline(socket->receive_timeout_ns));
	return error ? socket_wait_error(error, socket->receive_timeout_ns, -EAGAIN) : result;
}

SYSCALL_4(accept4, fd, to, size_at, flags)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct socket *socket, *made;
	struct socket_name name;
	int64_t result = args_socket(file, &socket), error;

	if (!result && (uint32_t)flags & ~(uint32_t)FLAGS_KNOWN)
		result = -EINVAL;
	if (!result && !fd_has_room(process_current()->fds))
		result = -EMFILE;
	if (!result)
		result = take_connection(file, socket, &made);
	if (result)
		return result;
	error = to ? made->ops->name(made, true, &name) : 0;
	/* The peer may have closed its end already: then its address is not known. */
	if (error) {
		made->ops->close(made);
		return -ECONNABORTED;
	}
	result = args_install_socket(made, flags);
	if (result < 0 || !to)
		return result;
	error = args_put_name(to, size_at, &name);
	if (!error)
		return result;
	fd_close(process_current()->fds, (int)result);
	/*
	 * Do not have the call made again: the connection was taken and is closed now, so the call would wait for
	 * another one.
	 */
	return error == -ERESTART_MEMORY ? -ENOMEM : error;
}

SYSCALL_3(accept, fd, to, size_at)
{
	return sys_accept4(fd, to, size_at, 0, 0, 0);
}

static int64_t tell_name(uint64_t fd, uint64_t to, uint64_t size_at, bool of_peer)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct socket *socket;
	struct socket_name name;
	int error = args_socket(file, &socket);

	if (!error)
		error = socket->ops->name(socket, of_peer, &name);
	return error ? error : args_put_name(to, size_at, &name);
}

SYSCALL_3(getsockname, fd, to, size_at)
{
	return tell_name(fd, to, size_at, false);
}

SYSCALL_3(getpeername, fd, to, size_at)
{
	return tell_name(fd, to, size_at, true);
}

SYSCALL_2(shutdown, fd, how)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct socket *socket;
	int error = args_socket(file, &socket);

	if (error)
		return error;
	return (uint32_t)how > SHUT_RDWR ? -EINVAL : socket->ops->shutdown(socket, (enum linux_shutdown)how);
}
