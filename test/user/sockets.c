/*
 * Tests AF_UNIX sockets: addresses, connections, messages, what comes with them, and what is left when one end is
 * closed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KERNEL ((void *)(-1UL << 31))
#define PATH   "/tmp/sockets.a"
#define LARGE  150000

static char large[LARGE], back[LARGE];

static int sock(int type)
{
	return (int)sys(SYS_socket, AF_UNIX, type, 0);
}

static void pair(int type, int fds[2])
{
	long made = sys(SYS_socketpair, AF_UNIX, type, 0, fds);

	if (made)
		bail("socketpair", made);
}

static void close_pair(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

/* Make the address of a path, or an abstract one if `name` has a leading '@'. Returns the address's size. */
static socklen_t address(struct sockaddr_un *ret, const char *name)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	strcpy(ret->sun_path, name);
	if (*name == '@')
		ret->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (*name != '@'));
}

static long bind_to(int fd, const char *name)
{
	struct sockaddr_un to;
	socklen_t size = address(&to, name);

	return sys(SYS_bind, fd, &to, size);
}

static long connect_to(int fd, const char *name)
{
	struct sockaddr_un to;
	socklen_t size = address(&to, name);

	return sys(SYS_connect, fd, &to, size);
}

static long send_to(int fd, const char *text, const char *name)
{
	struct sockaddr_un to;
	socklen_t size = address(&to, name);

	return sys(SYS_sendto, fd, text, strlen(text), MSG_NOSIGNAL, &to, size);
}

static long get(int fd, int flags)
{
	memset(back, 0, 64);
	return sys(SYS_recvfrom, fd, back, 64, flags | MSG_DONTWAIT, NULL, NULL);
}

static short ready(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	return sys(SYS_poll, &entry, 1, 0) < 0 ? -1 : entry.revents;
}

static long option(int fd, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);
	long error = sys(SYS_getsockopt, fd, SOL_SOCKET, name, &value, &size);

	return error ? error : value;
}

static void test_kinds(void)
{
	int fd = sock(SOCK_STREAM), fds[2];
	struct stat info;

	is(sys(SYS_socket, 77, SOCK_STREAM, 0), -EAFNOSUPPORT, "a family that does not exist");
	is(sys(SYS_socketpair, 77, SOCK_STREAM, 0, fds), -EAFNOSUPPORT, "and a pair of it");
	is(sys(SYS_socket, AF_UNIX, 99, 0), -EINVAL, "a type that does not exist");
	is(sys(SYS_socket, AF_UNIX, SOCK_RDM, 0), -ESOCKTNOSUPPORT, "a type that the family lacks");
	is(sys(SYS_socket, AF_UNIX, SOCK_STREAM, 6), -EPROTONOSUPPORT, "a protocol that it lacks");
	is(sys(SYS_socket, AF_UNIX, SOCK_STREAM | 0x100000, 0), -EINVAL, "a flag that is none");
	is(sys(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, KERNEL), -EFAULT, "a pair that cannot be told");
	is(sys(SYS_listen, 0x7fff, 1), -EBADF, "a descriptor that is not open");
	is(sys(SYS_listen, 1, 1), -ENOTSOCK, "one that is no socket");
	is(sys(SYS_sendto, 1, "a", 1, 0, NULL, 0), -ENOTSOCK, "a send to one that is none");
	is_true(fd >= 0, fd, "a socket");
	is(fstat(fd, &info), 0, "has a status");
	is((long)(info.st_mode & S_IFMT), S_IFSOCK, "of a socket");
	is(option(fd, SO_TYPE), SOCK_STREAM, "its type");
	is(option(fd, SO_DOMAIN), AF_UNIX, "its family");
	is(option(fd, SO_ERROR), 0, "no error");
	is(option(fd, SO_ACCEPTCONN), 0, "it does not listen");
	is(option(fd, SO_SNDBUF), 212992, "its buffer");
	is(option(fd, 9999), -ENOPROTOOPT, "an option that is none");
	is(lseek(fd, 0, SEEK_CUR) < 0 ? -errno : 0, -ESPIPE, "it has no position");
	is(ready(fd), POLLOUT | POLLHUP, "unconnected it looks hung up");
	is(sys(SYS_read, fd, back, 1), -EINVAL, "a read of it");
	is(sys(SYS_sendto, fd, "a", 1, MSG_NOSIGNAL, NULL, 0), -ENOTCONN, "a send to nobody");
	is(sys(SYS_accept4, fd, NULL, NULL, 0), -EINVAL, "an accept without listen");
	close(fd);
	fd = sock(SOCK_RAW);
	is(option(fd, SO_TYPE), SOCK_DGRAM, "raw means datagrams");
	is(sys(SYS_listen, fd, 1), -EOPNOTSUPP, "which do not listen");
	is(get(fd, 0), -EAGAIN, "nothing has come");
	is(sys(SYS_sendto, fd, "a", 1, 0, NULL, 0), -ENOTCONN, "and nobody is there");
	close(fd);
	fd = sock(SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "close-on-exec");
	is(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK, "and nonblocking from the start");
	close(fd);
}

static void test_addresses(void)
{
	int a = sock(SOCK_DGRAM), b = sock(SOCK_DGRAM), c = sock(SOCK_STREAM);
	struct sockaddr_un own;
	socklen_t size = sizeof(own);

	unlink(PATH);
	is(sys(SYS_getsockname, a, &own, &size), 0, "the name of an unbound socket");
	is(size, 2, "is its family alone");
	is(bind_to(a, PATH), 0, "bind to a path");
	is(bind_to(a, "/tmp/sockets.b"), -EINVAL, "a second time");
	is(bind_to(b, PATH), -EADDRINUSE, "the path is taken");
	is(bind_to(b, "/tmp/none/x"), -ENOENT, "a directory that is not there");
	size = sizeof(own);
	is(sys(SYS_getsockname, a, &own, &size), 0, "the name");
	is(size, 2 + sizeof(PATH), "has the path's size with its NUL");
	is_text(own.sun_path, PATH, "and is the path");
	is(send_to(b, "one", PATH), 3, "a datagram to it");
	is(get(a, 0), 3, "comes");
	is_text(back, "one", "as it was");
	is(connect_to(c, PATH), -EPROTOTYPE, "a stream cannot connect with it");
	is(open(PATH, O_RDWR) < 0 ? -errno : 0, -ENXIO, "nor can it be opened");
	close(a);
	is(send_to(b, "two", PATH), -ECONNREFUSED, "when it is closed it is refused");
	is(unlink(PATH), 0, "the path stays until it is removed");
	is(send_to(b, "two", PATH), -ENOENT, "then it is not found");
	is(send_to(b, "two", "/dev/null"), -ECONNREFUSED, "a file that is no socket");
	a = sock(SOCK_DGRAM);
	is(bind_to(a, "@name"), 0, "an abstract name");
	is(bind_to(b, "@name"), -EADDRINUSE, "is taken, too");
	is(bind_to(c, "@name"), 0, "but not for another type");
	is(send_to(b, "three", "@name"), 5, "a datagram to it");
	is(get(a, 0), 5, "comes");
	is(sys(SYS_bind, b, &own, 2), 0, "a name of the kernel's choice");
	size = sizeof(own);
	is(sys(SYS_getsockname, b, &own, &size), 0, "can be asked for");
	is(size, 2 + 1 + 5, "and has five digits");
	is(own.sun_path[0], 0, "it is abstract");
	close(a);
	is(send_to(b, "four", "@name"), -ECONNREFUSED, "gone with its socket");
	is(sys(SYS_bind, c, &own, 1), -EINVAL, "too short an address");
	is(sys(SYS_bind, c, &own, 200), -EINVAL, "too long a one");
	close(b);
	close(c);
}

static void test_stream(void)
{
	int listener = sock(SOCK_STREAM), client = sock(SOCK_STREAM), other = sock(SOCK_STREAM | SOCK_NONBLOCK), server;
	struct sockaddr_un name;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	is(sys(SYS_listen, listener, 5), -EINVAL, "listen without a name");
	is(bind_to(listener, PATH), 0, "bind");
	is(connect_to(client, PATH), -ECONNREFUSED, "nobody listens");
	is(sys(SYS_listen, listener, 0), 0, "listen");
	is(option(listener, SO_ACCEPTCONN), 1, "it listens");
	is(ready(listener), 0, "nobody is there");
	is(connect_to(client, PATH), 0, "connect");
	is(connect_to(other, PATH), -EAGAIN, "the backlog is full");
	is(ready(listener), POLLIN, "somebody is there");
	is(sys(SYS_write, client, "hello", 5), 5, "a write before the accept");
	size = sizeof(name);
	server = (int)sys(SYS_accept4, listener, &name, &size, SOCK_CLOEXEC);
	is_true(server >= 0, server, "accept");
	is(connect_to(client, PATH), -EISCONN, "a second connect");
	is(size, 2, "the client has no name");
	is(fcntl(server, F_GETFD), FD_CLOEXEC, "close-on-exec");
	size = sizeof(name);
	is(sys(SYS_getpeername, client, &name, &size), 0, "the client's peer");
	is_text(name.sun_path, PATH, "has the listener's name");
	size = sizeof(peer);
	is(getsockopt(server, SOL_SOCKET, SO_PEERCRED, &peer, &size), 0, "SO_PEERCRED");
	is(peer.pid, getpid(), "is who connected");
	is(sys(SYS_read, server, back, 2), 2, "a read of a part");
	is(sys(SYS_read, server, back, 64), 3, "and of the rest");
	is(get(server, 0), -EAGAIN, "then there is nothing");
	is(ready(server), POLLOUT, "it can be written");
	is(send_to(client, "x", PATH), -EISCONN, "a send to an address");
	is(sys(SYS_write, server, "abc", 3), 3, "the other direction");
	is(get(client, MSG_PEEK), 3, "MSG_PEEK");
	is(get(client, 0), 3, "takes nothing");
	is(sys(SYS_shutdown, client, SHUT_WR), 0, "shutdown of one direction");
	is(sys(SYS_sendto, client, "x", 1, MSG_NOSIGNAL, NULL, 0), -EPIPE, "ends sending");
	is(get(server, 0), 0, "the other end reads the end");
	is(ready(server), POLLIN | POLLOUT | POLLRDHUP, "and polls it");
	is(sys(SYS_write, server, "still", 5), 5, "the other direction stays");
	is(get(client, 0), 5, "and is read");
	is(sys(SYS_shutdown, client, 7), -EINVAL, "a direction that is none");
	sys(SYS_write, server, "last", 4);
	close(server);
	is(get(client, 0), 4, "what was sent before the close is read");
	is(get(client, 0), 0, "then the end");
	is_true((ready(client) & (POLLHUP | POLLIN)) == (POLLHUP | POLLIN), ready(client), "hung up");
	close(client);
	close(other);
	close(listener);
	unlink(PATH);
}

static int fill_and_write(void *fds)
{
	int *pair_fds = fds;

	close(pair_fds[0]);
	memset(large, 'x', LARGE);
	return sys(SYS_write, pair_fds[1], large, LARGE) != LARGE || sys(SYS_write, pair_fds[1], large, LARGE) != LARGE;
}

static void test_much(void)
{
	int fds[2], status;
	long total = 0, got;
	bool same = true;
	pid_t child;

	pair(SOCK_STREAM, fds);
	child = fork();
	if (!child)
		_exit(fill_and_write(fds));
	close(fds[1]);
	while ((got = sys(SYS_read, fds[0], back, 70000)) > 0) {
		for (long i = 0; i < got; i++)
			same = same && back[i] == 'x';
		total += got;
	}
	is(total, 2L * LARGE, "a write of more than fits waits for the reader");
	is_true(same, same, "all bytes are right");
	is(sys(SYS_wait4, child, &status, 0, NULL), child, "the writer ends");
	is(status, 0, "and wrote all");
	close(fds[0]);
	pair(SOCK_STREAM, fds);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	for (total = 0; (got = sys(SYS_write, fds[0], large, 4096)) > 0;)
		total += got;
	is(got, -EAGAIN, "a full socket");
	is_between(total, 65536, 425984, "has some room");
	is(ready(fds[0]), 0, "and is not writable");
	while (total > 0)
		total -= sys(SYS_read, fds[1], back, LARGE);
	is(ready(fds[0]), POLLOUT, "until it is read");
	close_pair(fds);
}

static void test_wait_all(void)
{
	int fds[2], status;
	pid_t child;

	pair(SOCK_STREAM, fds);
	child = fork();
	if (!child) {
		for (int i = 0; i < 3; i++) {
			usleep(5000);
			sys(SYS_write, fds[1], "abcd", 4);
		}
		_exit(0);
	}
	is(sys(SYS_recvfrom, fds[0], back, 12, MSG_WAITALL, NULL, NULL), 12, "MSG_WAITALL waits for all");
	is_text(back, "abcdabcdabcd", "in their order");
	sys(SYS_wait4, child, &status, 0, NULL);
	close_pair(fds);
}

/*
 * Check that a message is taken as long as the send buffer is not full, even if the message does not fit into the rest.
 */
static void test_half_messages(int type)
{
	int fds[2], buffer = 0, sent = 0;
	socklen_t size = sizeof(buffer);

	pair(type, fds);
	is(sys(SYS_getsockopt, fds[0], SOL_SOCKET, SO_SNDBUF, &buffer, &size), 0, "SO_SNDBUF");
	is_true(buffer / 2 <= LARGE, buffer, "half of it");
	while (sent < 8 && sys(SYS_sendto, fds[0], large, buffer / 2, MSG_DONTWAIT, NULL, 0) == buffer / 2)
		sent++;
	is(sent, 2, "as a message is taken twice");
	close_pair(fds);
}

static void test_messages(int type, const char *kind)
{
	int fds[2];

	is_true(true, type, kind);
	pair(type, fds);
	is(sys(SYS_write, fds[0], "first", 5), 5, "a message");
	is(sys(SYS_sendto, fds[0], "second one", 10, 0, NULL, 0), 10, "and another");
	is(sys(SYS_sendto, fds[0], "", 0, 0, NULL, 0), 0, "and one without bytes");
	is(sys(SYS_read, fds[1], back, 64), 5, "each is read by itself");
	is(sys(SYS_recvfrom, fds[1], back, 3, MSG_PEEK | MSG_TRUNC, NULL, NULL), 10, "MSG_TRUNC tells the whole size");
	is(sys(SYS_read, fds[1], back, 3), 3, "what does not fit");
	is(ready(fds[1]), POLLIN | POLLOUT, "is dropped");
	is(get(fds[1], 0), 0, "the empty one");
	is(get(fds[1], 0), -EAGAIN, "is the last");
	is(sys(SYS_sendto, fds[0], large, LARGE, 0, NULL, 0), LARGE, "a large message");
	is(sys(SYS_read, fds[1], back, LARGE), LARGE, "comes whole");
	is(memcmp(large, back, LARGE), 0, "as it was sent");
	is(sys(SYS_sendto, fds[0], KERNEL, 10, 0, NULL, 0), -EFAULT, "bytes that cannot be read");
	is(get(fds[1], 0), -EAGAIN, "send nothing");
	sys(SYS_write, fds[0], "x", 1);
	close(fds[0]);
	is(get(fds[1], 0), 1, "the last message of a closed socket");
	is(get(fds[1], 0), type == SOCK_DGRAM ? -EAGAIN : 0, "and then the end, if there are connections");
	is(sys(SYS_sendto, fds[1], "y", 1, MSG_NOSIGNAL, NULL, 0), type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE,
	   "a send to it");
	close(fds[1]);
}

static void test_too_large(void)
{
	int fds[2], small = 4096;
	char *much = calloc(1, 500000);

	pair(SOCK_DGRAM, fds);
	is(sys(SYS_sendto, fds[0], much, 500000, 0, NULL, 0), -EMSGSIZE, "a message that never fits");
	is(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0, "SO_SNDBUF");
	is(option(fds[0], SO_SNDBUF), 8192, "is doubled");
	is(sys(SYS_sendto, fds[0], much, 10000, 0, NULL, 0), -EMSGSIZE, "less fits then");
	close_pair(fds);
	free(much);
}

static void test_datagrams(void)
{
	int server = sock(SOCK_DGRAM), a = sock(SOCK_DGRAM), b = sock(SOCK_DGRAM);
	struct sockaddr_un from = { 0 };
	socklen_t size = sizeof(from);
	long sent = 0;

	bind_to(server, "@server");
	bind_to(a, "@a");
	is(connect_to(a, "@server"), 0, "a datagram socket chooses its peer");
	is(sys(SYS_write, a, "1", 1), 1, "and writes to it");
	is(send_to(b, "2", "@server"), 1, "another one sends");
	is(sys(SYS_recvfrom, server, back, 64, 0, &from, &size), 1, "the first message");
	is(size, 4, "tells the sender's name");
	is_text(from.sun_path + 1, "a", "which is this");
	size = sizeof(from);
	is(sys(SYS_recvfrom, server, back, 64, 0, &from, &size), 1, "the second");
	is(size, 0, "has no name");
	is(connect_to(server, "@a"), 0, "the server chooses a peer, too");
	is(send_to(b, "3", "@server"), -EPERM, "and hears nobody else");
	memset(&from, 0, sizeof(from));
	is(sys(SYS_connect, server, &from, sizeof(from.sun_family)), 0, "until it lets go of it");
	while (sys(SYS_sendto, a, "x", 1, MSG_DONTWAIT, NULL, 0) == 1)
		sent++;
	is_between(sent, 2, 1000, "a receiver who does not read gets some messages");
	is(ready(a), 0, "then its sender cannot write");
	get(server, 0);
	is_true(sys(SYS_sendto, a, "x", 1, MSG_DONTWAIT, NULL, 0) >= -EAGAIN, 0, "a read makes room");
	close(server);
	is(sys(SYS_write, a, "x", 1), -ECONNREFUSED, "the peer is gone");
	is(sys(SYS_write, a, "x", 1), -ENOTCONN, "and not a peer any more");
	close(a);
	close(b);
}

static void test_broken(void)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	pair(SOCK_STREAM, fds);
	sys(SYS_write, fds[0], "unread", 6);
	close(fds[1]);
	is(sys(SYS_read, fds[0], back, 1), -ECONNRESET, "the other end did not read all");
	is(sys(SYS_read, fds[0], back, 1), 0, "which is told once");
	is(sys(SYS_write, fds[0], "x", 1), -EPIPE, "a write is in vain");
	close(fds[0]);
	signal(SIGPIPE, SIG_DFL);
}

static int write_broken(void *fd)
{
	return (int)sys(SYS_write, *(int *)fd, "x", 1);
}

static int send_broken(void *fd)
{
	return sys(SYS_sendto, *(int *)fd, "x", 1, MSG_NOSIGNAL, NULL, 0) != -EPIPE;
}

static void test_sigpipe(void)
{
	int fds[2];

	pair(SOCK_STREAM, fds);
	close(fds[1]);
	is(in_child(write_broken, &fds[0]), KILLED(SIGPIPE), "SIGPIPE");
	is(in_child(send_broken, &fds[0]), 0, "not with MSG_NOSIGNAL");
	close(fds[0]);
}

/* ---- what comes with bytes ---- */

union control {
	char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(8 * sizeof(int))];
	struct cmsghdr head;
};

static long send_fds(int socket, const char *text, const int *fds, int count)
{
	union control control = { 0 };
	struct iovec piece = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control };

	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN((size_t)count * sizeof(int)),
					 .cmsg_level = SOL_SOCKET,
					 .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.head), fds, (size_t)count * sizeof(int));
	message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
	return sys(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
}

/* What a receive returned beside the bytes. */
struct got {
	int flags, count, fds[8];
	struct ucred sender;
	bool has_sender;
};

static long receive(int socket, size_t control_size, int flags, struct got *ret)
{
	union control control = { 0 };
	struct iovec piece = { back, 64 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	long result;

	message.msg_control = &control;
	message.msg_controllen = control_size;
	memset(back, 0, 64);
	memset(ret, 0, sizeof(*ret));
	result = sys(SYS_recvmsg, socket, &message, flags | MSG_DONTWAIT);
	ret->flags = message.msg_flags;
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); result >= 0 && head; head = CMSG_NXTHDR(&message, head)) {
		if (head->cmsg_type == SCM_RIGHTS) {
			ret->count = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(ret->fds, CMSG_DATA(head), (size_t)ret->count * sizeof(int));
		} else if (head->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&ret->sender, CMSG_DATA(head), sizeof(ret->sender));
			ret->has_sender = true;
		}
	}
	return result;
}

static void close_got(const struct got *got)
{
	for (int i = 0; i < got->count; i++)
		close(got->fds[i]);
}

static void test_rights(int type, const char *kind)
{
	int fds[2], ends[2], bad = 0x7ffe, both[2];
	struct got got;

	is_true(true, type, kind);
	pair(type, fds);
	is(pipe(ends), 0, "a pipe");
	is(send_fds(fds[0], "x", &bad, 1), -EBADF, "a descriptor that is not open");
	both[0] = ends[1];
	both[1] = ends[0];
	is(send_fds(fds[0], "pass", both, 2), 4, "two descriptors");
	close(ends[1]);
	is(receive(fds[1], sizeof(union control), MSG_CMSG_CLOEXEC, &got), 4, "come with the bytes");
	is(got.count, 2, "both");
	is(got.flags & MSG_CTRUNC, 0, "nothing is missing");
	is(fcntl(got.fds[0], F_GETFD), FD_CLOEXEC, "close-on-exec");
	is(sys(SYS_write, got.fds[0], "through", 7), 7, "one can be written");
	is(sys(SYS_read, ends[0], back, 64), 7, "and is the same pipe");
	close_got(&got);
	is(sys(SYS_read, ends[0], back, 64), 0, "closed, it is the end of the pipe");
	close(ends[0]);
	is(pipe(ends), 0, "another pipe");
	is(send_fds(fds[0], "x", &ends[1], 1), 1, "a descriptor");
	close(ends[1]);
	is(receive(fds[1], 0, 0, &got), 1, "for which there is no room");
	is(got.flags & MSG_CTRUNC, MSG_CTRUNC, "is said to be missing");
	is(sys(SYS_read, ends[0], back, 64), 0, "and is closed");
	close(ends[0]);
	is(pipe(ends), 0, "a third pipe");
	send_fds(fds[0], "peek", &ends[1], 1);
	close(ends[1]);
	is(receive(fds[1], sizeof(union control), MSG_PEEK, &got), 4, "MSG_PEEK");
	is(got.count, 1, "gives descriptors, too");
	close_got(&got);
	close_pair(fds);
	is(sys(SYS_read, ends[0], back, 64), 0, "a message that nobody reads ends with its socket");
	close(ends[0]);
}

static void test_rights_in_stream(void)
{
	int fds[2];
	struct got got;

	pair(SOCK_STREAM, fds);
	sys(SYS_write, fds[0], "ab", 2);
	send_fds(fds[0], "cd", fds, 1);
	sys(SYS_write, fds[0], "ef", 2);
	is(receive(fds[1], sizeof(union control), 0, &got), 4, "a read ends behind the bytes that pass files");
	is(got.count, 1, "which come with them");
	close_got(&got);
	is(receive(fds[1], sizeof(union control), 0, &got), 2, "the bytes behind");
	is(got.count, 0, "pass nothing");
	close_pair(fds);
}

static void test_senders(int type, const char *kind)
{
	int fds[2], on = 1, status;
	struct got got;
	pid_t child;

	is_true(true, type, kind);
	pair(type, fds);
	is(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0, "SO_PASSCRED");
	is(option(fds[1], SO_PASSCRED), 1, "is on");
	sys(SYS_write, fds[0], "mine", 4);
	child = fork();
	if (!child)
		_exit(sys(SYS_write, fds[0], "child", 5) != 5);
	sys(SYS_wait4, child, &status, 0, NULL);
	is(receive(fds[1], sizeof(union control), 0, &got), 4, "bytes of one sender");
	is_true(got.has_sender, got.has_sender, "come with who that is");
	is(got.sender.pid, getpid(), "this process");
	is(receive(fds[1], sizeof(union control), 0, &got), 5, "those of another");
	is(got.sender.pid, child, "are the child's");
	close_pair(fds);
}

/*
 * Send a pipe's write end and two sockets through these sockets, so that they can be reached only through their own
 * messages. Returns the pipe's read end.
 */
static int make_circle(void)
{
	int a[2], b[2], ends[2];

	pair(SOCK_STREAM, a);
	pair(SOCK_STREAM, b);
	if (pipe(ends))
		return -1;
	send_fds(a[0], "1", &b[1], 1);
	send_fds(a[0], "2", &ends[1], 1);
	send_fds(b[0], "3", &a[1], 1);
	close_pair(a);
	close_pair(b);
	close(ends[1]);
	return ends[0];
}

static void test_circle(void)
{
	int end = make_circle(), fds[2], tries;
	struct pollfd entry = { .fd = end };

	is_true(end >= 0, end, "two sockets that pass each other");
	/* Closing any socket searches for such circles; Linux may search a little later. */
	for (tries = 0; tries < 1000 && !entry.revents; tries++) {
		pair(SOCK_STREAM, fds);
		close_pair(fds);
		sys(SYS_poll, &entry, 1, 10);
	}
	is(entry.revents, POLLHUP, "are found, and what they pass is closed");
	close(end);
}

#define MOVED 100 /* how many sockets are in flight all the time */

/* Make circles, and have the kernel search for circles, all the time. Ends when `until` is closed. */
static void collect(int until)
{
	struct pollfd entry = { .fd = until };
	int fds[2];

	while (sys(SYS_poll, &entry, 1, 0) == 0) {
		close(make_circle());
		for (int i = 0; i < 20; i++) {
			pair(SOCK_STREAM, fds);
			close_pair(fds);
		}
	}
	_exit(0);
}

/*
 * Move sockets from queue to queue while another process has the kernel search for circles: no search may take one that
 * is moving for unreachable.
 */
static void test_moved(void)
{
	int queue[2][2], kept[MOVED], fds[2], ends[2], alive = 0, back_again = 0, from;
	struct pollfd entry;
	struct got got;
	pid_t child;

	pair(SOCK_DGRAM, queue[0]);
	pair(SOCK_DGRAM, queue[1]);
	for (int i = 0; i < MOVED; i++) {
		pair(SOCK_STREAM, fds);
		/* Send half of the sockets inside another socket's messages, so that only these lead to them. */
		if (i % 2) {
			send_fds(kept[i - 1], "x", &fds[1], 1);
		} else if (send_fds(queue[i / 2 % 2][0], "x", &fds[1], 1) != 1) {
			close(fds[0]);
			fds[0] = -1;
		}
		close(fds[1]);
		kept[i] = fds[0];
	}
	is(pipe(ends), 0, "a pipe");
	child = fork();
	if (!child) {
		close(ends[1]);
		for (int i = 0; i < MOVED; i++)
			close(kept[i]);
		collect(ends[0]);
	}
	for (int i = 0; i < 3000; i++) {
		from = i / 7 % 2;
		if (i % 3 == 0 && receive(queue[from][1], sizeof(union control), MSG_PEEK, &got) > 0)
			close_got(&got);
		if (receive(queue[from][1], sizeof(union control), 0, &got) > 0 && got.count == 1) {
			send_fds(queue[!from][0], "x", got.fds, 1);
			close_got(&got);
		}
	}
	close(ends[1]);
	sys(SYS_wait4, child, NULL, 0, NULL);
	for (int i = 0; i < MOVED; i++) {
		entry = (struct pollfd){ .fd = kept[i] };
		alive += kept[i] >= 0 && sys(SYS_poll, &entry, 1, 0) == 0;
	}
	is(alive, MOVED, "sockets that are moved while circles are searched for stay open");
	for (int i = 0; i < 2; i++)
		while (receive(queue[i][1], sizeof(union control), 0, &got) > 0) {
			back_again += got.count;
			if (receive(got.fds[0], sizeof(union control), 0, &got) > 0)
				back_again += got.count;
			close_got(&got);
		}
	is(back_again, MOVED, "and so do those in their queues");
	for (int i = 0; i < MOVED; i++)
		close(kept[i]);
	close(ends[0]);
	close_pair(queue[0]);
	close_pair(queue[1]);
}

static void test_chain(void)
{
	int last[2], next[2], ends[2], made = 0;
	struct pollfd entry = { 0 };

	is(pipe(ends), 0, "a pipe");
	pair(SOCK_STREAM, last);
	send_fds(last[0], "x", &ends[1], 1);
	close(ends[1]);
	for (; made < 2000; made++) {
		pair(SOCK_STREAM, next);
		if (send_fds(next[0], "x", &last[1], 1) != 1)
			break;
		close_pair(last);
		last[0] = next[0];
		last[1] = next[1];
	}
	is(made, 2000, "a chain of sockets, each of which passes the one before");
	entry.fd = ends[0];
	is(sys(SYS_poll, &entry, 1, 0), 0, "keeps them open");
	close_pair(last);
	for (int tries = 0; tries < 1000 && !entry.revents; tries++) {
		pair(SOCK_STREAM, next);
		close_pair(next);
		sys(SYS_poll, &entry, 1, 10);
	}
	is(entry.revents, POLLHUP, "and ends with the last one");
	close(ends[0]);
}

static void test_batches(void)
{
	struct iovec pieces[3] = { { "one", 3 }, { "three", 5 }, { "seven!!", 7 } };
	struct mmsghdr batch[3] = { 0 };
	char space[3][16];
	int fds[2];

	pair(SOCK_DGRAM, fds);
	for (int i = 0; i < 3; i++)
		batch[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces[i], .msg_iovlen = 1 };
	is(sys(SYS_sendmmsg, fds[0], batch, 3, 0), 3, "sendmmsg");
	is(batch[2].msg_len, 7, "tells what was sent");
	for (int i = 0; i < 3; i++)
		pieces[i] = (struct iovec){ space[i], 16 };
	is(sys(SYS_recvmmsg, fds[1], batch, 3, MSG_WAITFORONE, NULL), 3, "recvmmsg");
	is(batch[0].msg_len + 10 * batch[1].msg_len, 53, "tells what came");
	is(memcmp(space[1], "three", 5), 0, "in its place");
	is(sys(SYS_recvmmsg, fds[1], batch, 3, MSG_DONTWAIT, NULL), -EAGAIN, "nothing more");
	close_pair(fds);
}

static void test_waiting(void)
{
	struct timeval time = { 0, 20000 };
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int fds[2], epoll = epoll_create1(0), waiting = -1, status;
	pid_t child;

	pair(SOCK_STREAM, fds);
	is(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), 0, "SO_RCVTIMEO");
	is(sys(SYS_read, fds[0], back, 1), -EAGAIN, "ends a read");
	is(sys(SYS_recvfrom, fds[0], back, 1, 0, NULL, NULL), -EAGAIN, "and a receive");
	is(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[1], &event), 0, "epoll");
	is(epoll_wait(epoll, &event, 1, 0), 0, "has nothing");
	sys(SYS_write, fds[0], "abc", 3);
	is(epoll_wait(epoll, &event, 1, 1000), 1, "until something comes");
	is(epoll_wait(epoll, &event, 1, 0), 0, "and edge-triggered tells it once");
	is(ioctl(fds[1], FIONREAD, &waiting), 0, "FIONREAD");
	is(waiting, 3, "tells how much");
	close(epoll);
	child = fork();
	if (!child)
		_exit(sys(SYS_read, fds[0], back, 1) != 1);
	usleep(5000);
	sys(SYS_write, fds[1], "x", 1);
	is(sys(SYS_wait4, child, &status, 0, NULL), child, "a reader that waits is woken");
	is_true(status == 0 || WEXITSTATUS(status) == 1, status, "or its time is over");
	close_pair(fds);
}

/*
 * Check that the end of a listening socket breaks all connections that nobody has accepted, and drops what was sent by
 * them.
 */
static void test_unaccepted(void)
{
	enum { CLIENTS = 20, MESSAGES = 10 };
	int listener = sock(SOCK_SEQPACKET), clients[CLIENTS], told = 0, broken = 0;
	struct sockaddr_un name;
	socklen_t size;

	bind_to(listener, PATH);
	size = address(&name, PATH);
	is(listen(listener, CLIENTS), 0, "many may wait");
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = sock(SOCK_SEQPACKET);
		if (connect(clients[i], (struct sockaddr *)&name, size) != 0)
			bail("connect", errno);
		for (int message = 0; message < MESSAGES; message++)
			if (send(clients[i], "m", 1, 0) != 1)
				bail("send", errno);
	}
	close(listener);
	for (int i = 0; i < CLIENTS; i++) {
		told += sys(SYS_sendto, clients[i], "m", 1, MSG_NOSIGNAL, NULL, 0) == -ECONNRESET;
		broken += sys(SYS_sendto, clients[i], "m", 1, MSG_NOSIGNAL, NULL, 0) == -EPIPE;
		close(clients[i]);
	}
	is(told, CLIENTS, "all are told that the listening socket is closed");
	is(broken, CLIENTS, "and can send no more");
	unlink(PATH);
}

int main(void)
{
	test_kinds();
	test_addresses();
	test_stream();
	test_much();
	test_wait_all();
	test_half_messages(SOCK_DGRAM);
	test_half_messages(SOCK_SEQPACKET);
	test_messages(SOCK_DGRAM, "datagrams");
	test_messages(SOCK_SEQPACKET, "sequenced packets");
	test_too_large();
	test_datagrams();
	test_broken();
	test_sigpipe();
	test_unaccepted();
	test_rights(SOCK_STREAM, "files in a stream");
	test_rights(SOCK_DGRAM, "files in datagrams");
	test_rights_in_stream();
	test_senders(SOCK_STREAM, "senders of a stream");
	test_senders(SOCK_SEQPACKET, "senders of packets");
	test_circle();
	test_moved();
	test_chain();
	test_batches();
	test_waiting();
	return finish();
}
