/*
 * getsockopt(2) and setsockopt(2), of SOL_SOCKET: no family here has options of its own.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/socket_args.h"
#include "kernel/task/rights.h"

#define TEXT_MOST 256 /* bytes of a buffer that holds the value of any option */

/* Options that are on or off, and kept in socket->flags. */
#define SWITCHES                                                                                                  \
	(1U << SO_REUSEADDR | 1U << SO_DONTROUTE | 1U << SO_BROADCAST | 1U << SO_KEEPALIVE | 1U << SO_OOBINLINE | \
	 1U << SO_PASSCRED)

static bool is_switch(uint64_t option)
{
	return option < 32 && SWITCHES >> option & 1;
}

/* Return what SO_SNDBUF or SO_RCVBUF becomes: twice the value, as on Linux, whose buffers also hold its bookkeeping. */
static uint32_t buffer_size(int32_t value, uint32_t least)
{
	const uint32_t most = SOCKET_BUFFER_MAX / 2;
	uint32_t size = 2 * ((uint32_t)value < most ? (uint32_t)value : most);

	return size > least ? size : least;
}

static int set_timeout(uint64_t from, uint32_t size, uint64_t *ret_ns)
{
	struct linux_timeval time;
	int error;

	if (size < sizeof(time))
		return -EINVAL;
	error = args_get(&time, from, sizeof(time));
	if (error)
		return error;
	if (time.microseconds < 0 || time.microseconds >= 1000000)
		return -EDOM;
	/* A negative time is over at once: make it 1 ns, since 0 ns stands for no limit. */
	*ret_ns = 1;
	if (time.seconds >= 0)
		*ret_ns = time_add_times((uint64_t)time.microseconds * NS_PER_US, (uint64_t)time.seconds, NS_PER_S);
	return 0;
}

static int set_number(struct socket *socket, uint64_t option, int32_t value)
{
	if (is_switch(option)) {
		socket->flags = value ? socket->flags | 1U << option : socket->flags & ~(1U << option);
		return 0;
	}
	if ((option == SO_SNDBUFFORCE || option == SO_RCVBUFFORCE) && !rights_can(CAP_NET_ADMIN))
		return -EPERM;
	switch (option) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		socket->send_buffer = buffer_size(value, SOCKET_BUFFER_MIN);
		wait_queue_wake(&socket->queue);
		return 0;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		socket->receive_buffer = buffer_size(value, SOCKET_BUFFER_MIN / 2);
		return 0;
	}
	return -ENOPROTOOPT;
}

SYSCALL_5(setsockopt, fd, level, option, from, size)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct socket *socket;
	int32_t value;
	int error;

	error = args_socket(file, &socket);
	if (error)
		return error;
	if ((int)size < 0)
		return -EINVAL;
	if ((int)level != SOL_SOCKET)
		return -EOPNOTSUPP;
	option = (uint32_t)option;
	if (option == SO_RCVTIMEO)
		return set_timeout(from, (uint32_t)size, &socket->receive_timeout_ns);
	if (option == SO_SNDTIMEO)
		return set_timeout(from, (uint32_t)size, &socket->send_timeout_ns);
	if ((uint32_t)size < sizeof(value))
		return -EINVAL;
	if (option == SO_LINGER)
		return (uint32_t)size < sizeof(socket->linger)
			       ? -EINVAL
			       : args_get(&socket->linger, from, sizeof(socket->linger));
	error = args_get(&value, from, sizeof(value));
	return error ? error : set_number(socket, option, value);
}

/* Get an option that is a number. Returns 0 or -ENOPROTOOPT. */
static int get_number(struct socket *socket, uint64_t option, int32_t *ret)
{
	if (is_switch(option)) {
		*ret = socket->flags >> option & 1;
		return 0;
	}
	switch (option) {
	case SO_TYPE:
		*ret = socket->type;
		return 0;
	case SO_DOMAIN:
		*ret = socket->family;
		return 0;
	case SO_PROTOCOL:
		*ret = (int32_t)socket->protocol;
		return 0;
	case SO_ERROR:
		*ret = -socket_take_error(socket);
		return 0;
	case SO_SNDBUF:
		*ret = (int32_t)socket->send_buffer;
		return 0;
	case SO_RCVBUF:
		*ret = (int32_t)socket->receive_buffer;
		return 0;
	case SO_RCVLOWAT:
	case SO_SNDLOWAT:
		*ret = 1;
		return 0;
	case SO_ACCEPTCONN:
		*ret = socket->ops->is_listening(socket);
		return 0;
	case SO_DEBUG:
		*ret = 0;
		return 0;
	}
	return -ENOPROTOOPT;
}

/* Write the value of an option into `to`, of TEXT_MOST bytes. Returns its size or an error. */
static int64_t get_value(struct socket *socket, uint64_t option, void *to)
{
	struct linux_credentials peer;
	struct linux_timeval time;
	struct socket_name name;
	int32_t number;
	int error;

	switch (option) {
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
		time = timeval_from_ns(option == SO_RCVTIMEO ? socket->receive_timeout_ns : socket->send_timeout_ns);
		memcpy(to, &time, sizeof(time));
		return sizeof(time);
	case SO_LINGER:
		memcpy(to, &socket->linger, sizeof(socket->linger));
		return sizeof(socket->linger);
	case SO_PEERCRED:
		peer = socket->ops->peer(socket);
		memcpy(to, &peer, sizeof(peer));
		return sizeof(peer);
	case SO_PEERNAME:
		error = socket->ops->name(socket, true, &name);
		memcpy(to, name.bytes, error ? 0 : name.size);
		return error ? error : (int64_t)name.size;
	}
	error = get_number(socket, option, &number);
	memcpy(to, &number, error ? 0 : sizeof(number));
	return error ? error : (int64_t)sizeof(number);
}

SYSCALL_5(getsockopt, fd, level, option, to, size_at)
{
	HELD_FILE struct file *file = args_file_get(fd);
	uint8_t value[TEXT_MOST];
	struct socket *socket;
	int64_t size;
	int32_t room;
	int error;

	error = args_socket(file, &socket);
	if (error)
		return error;
	if ((int)level != SOL_SOCKET)
		return -EOPNOTSUPP;
	error = args_get(&room, size_at, sizeof(room));
	if (error)
		return error;
	if (room < 0)
		return -EINVAL;
	size = get_value(socket, (uint32_t)option, value);
	if (size < 0)
		return size;
	if (option == SO_PEERNAME && room < size)
		return -EINVAL;
	if (room > size)
		room = (int32_t)size;
	error = args_put(to, value, (size_t)room);
	return error ? error : args_put(size_at, &room, sizeof(room));
}
