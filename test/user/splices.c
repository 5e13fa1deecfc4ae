/*
 * Tests calls by which the kernel moves bytes between files, pipes and sockets: splice, tee, vmsplice, sendfile,
 * copy_file_range.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define DIRECTORY "/splices"
#define NONBLOCK  2

static char back[100000];

static long splice_(int in, long *in_at, int out, long *out_at, long size, int flags)
{
	return sys(SYS_splice, in, in_at, out, out_at, size, flags);
}

static long gift(int fd, const void *base, unsigned long size, int flags)
{
	struct iovec piece = { (void *)(uintptr_t)base, size };

	return sys(SYS_vmsplice, fd, &piece, 1, flags);
}

static int file_with(const char *text)
{
	int fd = (int)sys(SYS_memfd_create, "f", 0);

	if (write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET))
		bail("no file", errno);
	return fd;
}

/* Check that `fd` gives exactly `text`. */
static void gives(int fd, const char *text, const char *name)
{
	memset(back, 0, 100);
	sys(SYS_read, fd, back, 99);
	is_text(back, text, name);
}

static void test_errors(void)
{
	int file = file_with("text"), other = file_with(""), ends[2], more[2], directory = open("/", O_RDONLY);
	long at = 0, bad = -1;

	is(pipe(ends) | pipe(more), 0, "pipes");
	is(splice_(-1, NULL, -1, NULL, 0, 0), 0, "splice of no byte");
	is(splice_(file, NULL, ends[1], NULL, 1, 0x10), -EINVAL, "with a flag that is none");
	is(splice_(-1, NULL, ends[1], NULL, 1, 0), -EBADF, "from no file");
	is(splice_(file, NULL, -1, NULL, 1, 0), -EBADF, "to no file");
	is(splice_(file, NULL, other, NULL, 1, 0), -EINVAL, "without a pipe");
	is(splice_(ends[1], NULL, other, NULL, 1, 0), -EBADF, "from a pipe's end for writing");
	is(splice_(file, NULL, ends[0], NULL, 1, 0), -EBADF, "to a pipe's end for reading");
	is(splice_(ends[0], &at, other, NULL, 1, 0), -ESPIPE, "with an offset in a pipe");
	is(splice_(file, NULL, ends[1], &at, 1, 0), -ESPIPE, "or in the other");
	is(splice_(ends[0], NULL, ends[1], NULL, 1, 0), -EINVAL, "from a pipe to itself");
	is(splice_(file, &bad, ends[1], NULL, 1, 0), -EINVAL, "from before the start");
	is(splice_(file, (long *)8, ends[1], NULL, 1, 0), -EFAULT, "an offset that cannot be read");
	is(splice_(directory, NULL, ends[1], NULL, 1, 0), -EINVAL, "from a directory");
	is(splice_(ends[0], NULL, other, NULL, 1, NONBLOCK), -EAGAIN, "from an empty pipe, without waiting");
	fcntl(other, F_SETFL, O_APPEND);
	is(splice_(ends[0], NULL, other, NULL, 1, 0), -EINVAL, "to a file with O_APPEND");
	is(sys(SYS_tee, ends[0], more[1], 1, 0x10), -EINVAL, "tee with a flag that is none");
	is(sys(SYS_tee, ends[0], more[1], 0, 0), 0, "of no byte");
	is(sys(SYS_tee, file, more[1], 1, 0), -EINVAL, "from a file");
	is(sys(SYS_tee, ends[0], ends[1], 1, 0), -EINVAL, "to the same pipe");
	is(sys(SYS_tee, ends[0], -1, 1, 0), -EBADF, "to no file");
	is(sys(SYS_tee, ends[0], more[1], 1, NONBLOCK), -EAGAIN, "from an empty pipe");
	is(sys(SYS_vmsplice, -1, NULL, 0, 0), -EBADF, "vmsplice to no file");
	is(sys(SYS_vmsplice, ends[1], NULL, 0, 0x10), -EINVAL, "with a flag that is none");
	is(sys(SYS_vmsplice, ends[1], NULL, 0, 0), 0, "of no memory");
	is(sys(SYS_vmsplice, ends[1], NULL, 1025, 0), -EINVAL, "of too many pieces");
	is(gift(file, back, 1, 0), -EBADF, "to a file");
	close(ends[1]);
	is(splice_(ends[0], NULL, file, NULL, 1, 0), 0, "a pipe at its end gives nothing");
	close(more[0]);
	signal(SIGPIPE, SIG_IGN);
	is(splice_(file, NULL, more[1], NULL, 1, 0), -EPIPE, "a pipe without readers takes nothing");
	is(gift(more[1], back, 1, 0), -EPIPE, "from memory either");
	close(ends[0]);
	close(more[1]);
	close(file);
	close(other);
	close(directory);
}

static void test_files(void)
{
	int file = file_with("0123456789"), other = file_with("abcdefghij"), ends[2], more[2];
	long at = 2;

	is(pipe(ends) | pipe(more), 0, "pipes");
	is(splice_(file, NULL, ends[1], NULL, 3, 0), 3, "from a file's position");
	is(lseek(file, 0, SEEK_CUR), 3, "which moves");
	is(splice_(file, &at, ends[1], NULL, 2, 0), 2, "from an offset");
	is(at, 4, "which moves");
	is(lseek(file, 0, SEEK_CUR), 3, "while the position stays");
	is(sys(SYS_tee, ends[0], more[1], 4, 0), 4, "tee");
	gives(more[0], "0122", "copies");
	is(splice_(ends[0], NULL, other, NULL, 100, 0), 5, "to a file, as much as there is");
	is(lseek(other, 0, SEEK_CUR), 5, "at its position, which moves");
	at = 8;
	is(write(ends[1], "xyz", 3), 3, "more bytes");
	is(splice_(ends[0], NULL, other, &at, 2, 0), 2, "to an offset");
	is(at, 10, "which moves");
	lseek(other, 0, SEEK_SET);
	gives(other, "01223fghxy", "the bytes are there");
	is(splice_(ends[0], NULL, more[1], NULL, 10, 0), 1, "from pipe to pipe");
	gives(more[0], "z", "the last one");
	lseek(file, 0, SEEK_END);
	is(splice_(file, NULL, ends[1], NULL, 10, 0), 0, "at a file's end nothing");
	close(file);
	close(other);
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(more[i]);
	}
}

/* Check that a pipe takes as much as it holds, and no more. */
static void test_full(void)
{
	static char text[100000];
	int file, ends[2];
	long at = 0;

	memset(text, 'x', sizeof(text) - 1);
	file = file_with(text);
	is(pipe(ends), 0, "a pipe");
	is(splice_(file, &at, ends[1], NULL, 99999, 0), 65536, "takes what it holds");
	is(splice_(file, &at, ends[1], NULL, 1, NONBLOCK), -EAGAIN, "then no more without waiting");
	is(gift(ends[1], text, 1, NONBLOCK), -EAGAIN, "from memory neither");
	is(splice_(ends[0], NULL, open("/dev/null", O_WRONLY), NULL, 99999, 0), 65536, "all goes to /dev/null");
	is(splice_(file, &at, ends[1], NULL, 99999, 0), 99999 - 65536, "the rest");
	is(sys(SYS_read, ends[0], back, sizeof(back)), 99999 - 65536, "is read");
	is(sys(SYS_sendfile, ends[1], file, &(long){ 0 }, 99999), 65536, "sendfile fills a pipe, and does not wait");
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	is(sys(SYS_sendfile, ends[1], file, &(long){ 0 }, 1), -EAGAIN, "nor when it is full");
	close(ends[0]);
	close(ends[1]);
	close(file);
}

static void test_memory(void)
{
	struct iovec pieces[] = { { "ab", 2 }, { "cde", 3 } }, to[] = { { back, 3 }, { back + 50, 10 } };
	int ends[2];

	is(pipe(ends), 0, "a pipe");
	is(sys(SYS_vmsplice, ends[1], pieces, 2, 0), 5, "vmsplice of two pieces");
	memset(back, 0, 100);
	is(sys(SYS_vmsplice, ends[0], to, 2, 0), 5, "and back");
	is_text(back, "abc", "to the first piece");
	is_text(back + 50, "de", "and the second");
	is(sys(SYS_vmsplice, ends[0], to, 2, NONBLOCK), -EAGAIN, "an empty pipe has nothing");
	is(gift(ends[1], (void *)8, 4, 0), -EFAULT, "memory that is not there");
	close(ends[0]);
	close(ends[1]);
}

static void test_sockets(void)
{
	int ends[2], pair[2], messages[2], file = file_with("from a file");

	is(pipe(ends), 0, "a pipe");
	is(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0, "stream sockets");
	is(socketpair(AF_UNIX, SOCK_DGRAM, 0, messages), 0, "datagram sockets");
	is(write(pair[0], "hello", 5), 5, "bytes in a socket");
	is(splice_(pair[1], NULL, ends[1], NULL, 3, 0), 3, "some go to the pipe");
	is(splice_(pair[1], NULL, ends[1], NULL, 30, 0), 2, "and the rest");
	is(splice_(pair[1], NULL, ends[1], NULL, 30, NONBLOCK), -EAGAIN, "then there are none");
	is(splice_(ends[0], NULL, pair[1], NULL, 30, 0), 5, "and back to the socket");
	gives(pair[0], "hello", "they come");
	is(splice_(pair[1], &(long){ 0 }, ends[1], NULL, 3, 0), -EINVAL, "a socket has no offsets");
	is(write(ends[1], "message", 7), 7, "bytes in the pipe");
	is(splice_(ends[0], NULL, messages[0], NULL, 30, 0), 7, "become a message");
	gives(messages[1], "message", "which comes");
	is(write(messages[0], "more", 4), 4, "another one");
	is(splice_(messages[1], NULL, ends[1], NULL, 30, 0), 4, "goes to the pipe");
	gives(ends[0], "more", "as bytes");
	is(send(messages[0], "", 0, 0) + write(messages[0], "next", 4), 4, "an empty message, and one behind it");
	is(splice_(messages[1], NULL, ends[1], NULL, 30, 0), 0, "the empty one gives nothing");
	is(splice_(messages[1], NULL, ends[1], NULL, 30, 0), 4, "and does not stay");
	gives(ends[0], "next", "in front of the next");
	is(sys(SYS_sendfile, pair[0], file, NULL, 100), 11, "sendfile to a socket");
	gives(pair[1], "from a file", "sends the file");
	is(sys(SYS_sendfile, pair[0], pair[1], NULL, 1), -EINVAL, "but nothing from a socket to a socket");
	is(sys(SYS_sendfile, pair[0], pair[1], &(long){ 0 }, 1), -ESPIPE, "least of all from an offset");
	is(sys(SYS_sendfile, pair[0], file, &(long){ -1 }, 1), -EINVAL, "nor from before the start");
	is(sys(SYS_sendfile, pair[0], -1, NULL, 1), -EBADF, "nor from no file");
	close(pair[0]);
	is(splice_(pair[1], NULL, ends[1], NULL, 30, 0), 0, "at the end there is nothing");
	is(write(ends[1], "x", 1), 1, "a byte");
	is(splice_(ends[0], NULL, pair[1], NULL, 30, 0), -EPIPE, "that cannot be sent");
	gives(ends[0], "x", "stays in the pipe");
	close(pair[1]);
	for (int i = 0; i < 2; i++) {
		close(messages[i]);
		close(ends[i]);
	}
	close(file);
}

/* Wait in the child for bytes and for room, which the parent gives. */
static int wait_for_parent(void *ends)
{
	int file = file_with("");
	const int *in = ends;

	close(in[1]);
	if (splice_(in[0], NULL, file, NULL, 100, 0) != 4)
		return 1;
	return splice_(in[0], NULL, file, NULL, 100, 0) == 0 ? 7 : 2;
}

/* Take a message of one byte, for which the parent waits, and then one of a page, in the child. */
static int take_messages(int fd)
{
	static char bytes[PAGE];

	if (read(fd, bytes, sizeof(bytes)) != 1)
		return 1;
	return read(fd, bytes, sizeof(bytes)) == sizeof(bytes) ? 7 : 2;
}

/* Check that splice waits for a socket that poll(2) calls writable but that has no room for a whole page. */
static void test_crowded(void)
{
	static char page[PAGE];
	int ends[2], pair[2], status, least = 1;
	pid_t child;

	is(pipe(ends), 0, "a pipe");
	is(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0, "datagram sockets");
	is(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0, "the least buffer");
	is(write(pair[0], "x", 1), 1, "a message");
	is(write(ends[1], page, sizeof(page)), sizeof(page), "a page in the pipe");
	child = fork();
	if (!child)
		_exit(take_messages(pair[1]));
	is(splice_(ends[0], NULL, pair[0], NULL, sizeof(page), 0), sizeof(page), "goes behind it");
	is(waitpid(child, &status, 0), child, "both are taken");
	is(status, EXITED(7), "one after the other");
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(pair[i]);
	}
}

static void test_waiting(void)
{
	int ends[2], status;
	pid_t child;

	is(pipe(ends), 0, "a pipe");
	child = fork();
	if (!child)
		_exit(wait_for_parent(ends));
	close(ends[0]);
	usleep(20000);
	is(write(ends[1], "late", 4), 4, "bytes for who waits in splice");
	usleep(20000);
	close(ends[1]);
	is(waitpid(child, &status, 0), child, "it ends");
	is(status, EXITED(7), "having got them, and the end");
}

static long copy_range(int in, long *in_at, int out, long *out_at, long size, int flags)
{
	return sys(SYS_copy_file_range, in, in_at, out, out_at, size, flags);
}

static void test_copy_range(void)
{
	int file = file_with("0123456789"), other = file_with(""), directory = open("/", O_RDONLY), ends[2];
	int on_disk = open("f", O_RDWR | O_CREAT, 0600);
	long at = 3, to = 0, last = 0x7fffffffffffffff;

	is(pipe(ends), 0, "a pipe");
	is(copy_range(file, &at, other, NULL, 4, 0), 4, "copy_file_range");
	is(at, 7, "moves the offset");
	is(copy_range(file, &at, other, NULL, 100, 0), 3, "ends at the end");
	is(copy_range(file, &at, other, NULL, 100, 0), 0, "where there is nothing");
	is(copy_range(file, NULL, other, NULL, 1, 1), -EINVAL, "with a flag");
	is(copy_range(-1, NULL, other, NULL, 1, 0), -EBADF, "from no file");
	is(copy_range(directory, NULL, other, NULL, 1, 0), -EISDIR, "from a directory");
	is(copy_range(ends[0], NULL, other, NULL, 1, 0), -EINVAL, "from a pipe");
	is(copy_range(file, NULL, on_disk, NULL, 1, 0), -EXDEV, "to another file system");
	is(copy_range(file, &to, file, &(long){ 5 }, 6, 0), -EINVAL, "onto itself");
	is(copy_range(file, &to, file, &(long){ 5 }, 5, 0), 5, "beside itself");
	is(copy_range(file, &last, other, NULL, 5, 0), 0, "far behind the end");
	is(copy_range(file, &(long){ -1 }, other, NULL, 5, 0), -EOVERFLOW, "from before the start");
	fcntl(other, F_SETFL, O_APPEND);
	is(copy_range(file, NULL, other, NULL, 1, 0), -EBADF, "to a file with O_APPEND");
	close(file);
	close(other);
	close(directory);
	close(on_disk);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	mkdir(DIRECTORY, 0700);
	if (mount("none", DIRECTORY, "tmpfs", 0, NULL) || chdir(DIRECTORY))
		bail("no tmpfs", errno);
	test_errors();
	test_files();
	test_full();
	test_memory();
	test_sockets();
	test_crowded();
	test_waiting();
	test_copy_range();
	if (!chdir("/"))
		umount(DIRECTORY);
	rmdir(DIRECTORY);
	return finish();
}
