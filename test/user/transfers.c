/*
 * Tests the flags of preadv2 and pwritev2, O_DIRECT, pipes of packets, and the limit on the size of pipes.
 */
#define _GNU_SOURCE
#include "test/user/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NAME "/tmp/transfers"

/* Flags of preadv2(2), which not every C library names. */
#define HIPRI  1
#define DSYNC  2
#define SYNC   4
#define NOWAIT 8
#define APPEND 16

static char large[8192]; /* room for packets of more than a page */

static long put(int fd, const char *text, long offset, int flags)
{
	struct iovec piece = { (void *)text, strlen(text) };

	return sys(SYS_pwritev2, fd, &piece, 1, offset, 0L, flags);
}

static long get(int fd, void *to, size_t size, long offset, int flags)
{
	struct iovec piece = { to, size };

	return sys(SYS_preadv2, fd, &piece, 1, offset, 0L, flags);
}

static void test_append(void)
{
	char bytes[32] = "";
	int fd = open(NAME, O_CREAT | O_TRUNC | O_RDWR, 0600), ends[2];

	is(put(fd, "abcdef", -1, 0), 6, "six bytes");
	is(put(fd, "gh", 1, APPEND), 2, "RWF_APPEND with an offset");
	is(lseek(fd, 0, SEEK_CUR), 6, "leaves the file's");
	is(lseek(fd, 2, SEEK_SET), 2, "elsewhere");
	is(put(fd, "ij", -1, APPEND | SYNC), 2, "RWF_APPEND without one");
	is(lseek(fd, 0, SEEK_CUR), 10, "sets it behind the bytes");
	is(get(fd, bytes, 31, 0, APPEND), 10, "RWF_APPEND reads at the offset");
	is_text(bytes, "abcdefghij", "and both went to the end");
	is(put(fd, "x", 0, HIPRI | DSYNC | SYNC), 1, "RWF_HIPRI, RWF_DSYNC and RWF_SYNC");
	is(put(fd, "x", -2, APPEND), -EINVAL, "a negative offset");
	is(put(fd, "x", 0, 32), -EOPNOTSUPP, "a flag that is none");
	is(pipe(ends), 0, "a pipe");
	is(put(ends[1], "x", 0, APPEND), -ESPIPE, "has no offset");
	is(put(ends[1], "x", -1, APPEND), 1, "and is written to");
	close(ends[0]);
	close(ends[1]);
	close(fd);
	fd = open(NAME, O_RDONLY);
	is(put(fd, "x", 0, APPEND), -EBADF, "a file that is open for reading");
	close(fd);
}

static void test_nowait(void)
{
	const int file = open(NAME, O_RDWR), zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_RDWR);
	const int event = eventfd(0, 0);
	uint64_t count = 3;
	char byte = 1;
	int ends[2];

	is(pipe(ends), 0, "a pipe");
	is(get(ends[0], &byte, 1, -1, NOWAIT), -EOPNOTSUPP, "RWF_NOWAIT of a pipe");
	is(get(file, &byte, 1, 0, NOWAIT), -EOPNOTSUPP, "of a file in memory");
	is(get(zero, &byte, 1, 0, NOWAIT), 1, "of /dev/zero");
	is(byte, 0, "reads zeros");
	is(put(null, "abc", 0, NOWAIT), 3, "of /dev/null");
	is(get(event, &count, 8, -1, NOWAIT), -EAGAIN, "of an eventfd of 0");
	is(write(event, &count, 8), 8, "one of 3");
	is(get(event, &count, 8, -1, NOWAIT), 8, "is read");
	close(ends[0]);
	close(ends[1]);
	close(file);
	close(zero);
	close(null);
	close(event);
}

static void test_direct(void)
{
	int fd;

	is(sys(SYS_openat, AT_FDCWD, NAME, O_RDONLY | O_DIRECT, 0), -EINVAL, "O_DIRECT of a file in memory");
	is(sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_DIRECT, 0), -EINVAL, "of a device");
	fd = open(NAME, O_RDONLY);
	is(sys(SYS_fcntl, fd, F_SETFL, O_DIRECT), -EINVAL, "F_SETFL");
	is(sys(SYS_fcntl, fd, F_GETFL) & O_DIRECT, 0, "has not set it");
	close(fd);
	unlink(NAME);
}

static void packets_of(int ends[2], int flags)
{
	if (pipe2(ends, O_DIRECT | flags) != 0)
		bail("pipe2 with O_DIRECT", errno);
}

static void close_both(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

static void test_packets(void)
{
	char bytes[16] = "";
	int ends[2], there = 0;

	packets_of(ends, 0);
	is(fcntl(ends[1], F_GETFL) & O_DIRECT, O_DIRECT, "the writing end has O_DIRECT");
	is(fcntl(ends[0], F_GETFL) & O_DIRECT, 0, "the reading end has not");
	is(write(ends[1], "abc", 3), 3, "a packet");
	is(write(ends[1], "defgh", 5), 5, "another");
	is(write(ends[1], "ij", 2), 2, "a third");
	is(ioctl(ends[0], FIONREAD, &there), 0, "FIONREAD");
	is(there, 10, "counts the bytes of all");
	is(read(ends[0], bytes, 16), 3, "a read gets one");
	is(read(ends[0], bytes, 2), 2, "a read of less");
	is_text(bytes, "dec", "gets its start");
	is(ioctl(ends[0], FIONREAD, &there) + there, 2, "and drops the rest");
	is(read(ends[0], bytes, 16), 2, "the third comes whole");
	is(fcntl(ends[1], F_SETFL, 0), 0, "without O_DIRECT");
	is(write(ends[1], "kl", 2), 2, "plain bytes");
	is(write(ends[1], "mn", 2), 2, "and more");
	is(fcntl(ends[1], F_SETFL, O_DIRECT), 0, "with O_DIRECT again");
	is(write(ends[1], "opq", 3), 3, "what fits into their page");
	is(write(ends[1], large, 4095), 4095, "what does not");
	is(write(ends[1], "rs", 2), 2, "a packet");
	is(read(ends[0], large, 8192), 7 + 4095, "a read gets the plain bytes and a packet");
	is(memcmp(large, "klmnopq", 7), 0, "in their order");
	is(read(ends[0], bytes, 16), 2, "the next gets a packet");
	close_both(ends);
}

static void test_packet_room(void)
{
	struct pollfd room = { .events = POLLOUT };
	int ends[2], count = 0;

	packets_of(ends, O_NONBLOCK);
	room.fd = ends[1];
	while (count < 100 && write(ends[1], "x", 1) == 1)
		count++;
	is(count, 16, "a pipe takes 16 packets");
	is(poll(&room, 1, 0), 0, "and is full");
	is(sys(SYS_write, ends[1], "x", 1), -EAGAIN, "for a write, too");
	is(sys(SYS_fcntl, ends[1], F_SETPIPE_SZ, 8 * PAGE), -EBUSY, "and cannot become smaller");
	is(fcntl(ends[1], F_SETPIPE_SZ, 32 * PAGE), 32 * PAGE, "but larger");
	is(write(ends[1], "yz", 2), 2, "which gives room");
	for (int i = 0; i < 16; i++)
		read(ends[0], large, sizeof(large));
	is(read(ends[0], large, sizeof(large)), 2, "all packets are as they were");
	is(write(ends[1], large, sizeof(large)), 8192, "two pages");
	is(read(ends[0], large, sizeof(large)), 4096, "are two packets");
	is(read(ends[0], large, 1), 1, "of a page");
	is(sys(SYS_read, ends[0], large, 1), -EAGAIN, "and no more");
	close_both(ends);
}

/* Read 40 packets in a child, the i-th with i bytes, some of them by a buffer that is too small. */
static int read_packets(void *argument)
{
	const int *ends = argument;

	close(ends[1]);
	for (int i = 1; i <= 40; i++)
		if (read(ends[0], large, 30) != (i < 30 ? i : 30) || large[0] != i)
			return i;
	return 0;
}

/* Write the 40 packets in a child, each when there is room. */
static int write_packets(void *argument)
{
	const int *ends = argument;
	char bytes[64];

	for (int i = 1; i <= 40; i++) {
		memset(bytes, i, sizeof(bytes));
		if (write(ends[1], bytes, (size_t)i) != i)
			return i;
	}
	return 0;
}

static void test_packets_wait(void)
{
	int ends[2], status = -1;
	long child;

	packets_of(ends, 0);
	child = sys(SYS_fork);
	if (!child)
		sys(SYS_exit_group, write_packets(ends));
	is(in_child(read_packets, ends), EXITED(0), "packets come one by one from a writer that waits for room");
	is(sys(SYS_wait4, child, &status, 0, NULL), child, "the writer");
	is(status, EXITED(0), "wrote each whole");
	close_both(ends);
}

static void test_packets_moved(void)
{
	int ends[2], plain[2];
	char bytes[16];

	packets_of(ends, 0);
	is(pipe(plain), 0, "a pipe without packets");
	is(write(ends[1], "abcd", 4), 4, "a packet");
	is(write(ends[1], "efg", 3), 3, "another");
	is(sys(SYS_splice, ends[0], NULL, plain[1], NULL, 2, 0), 2, "splice takes a part of one");
	is(read(ends[0], bytes, 16), 2, "a read the rest of it");
	is(read(ends[0], bytes, 16), 3, "and the next one");
	close_both(ends);
	close_both(plain);
}

static int small_pipe(void *unused)
{
	int ends[2];

	(void)unused;
	if (setresuid(1234, 1234, 1234) != 0 || pipe(ends) != 0)
		return 1;
	if (sys(SYS_fcntl, ends[0], F_SETPIPE_SZ, 4 * PAGE) != -EPERM)
		return 2;
	return fcntl(ends[0], F_GETPIPE_SZ) != (int)(2 * PAGE);
}

/* Check the limit that the size of a user's pipe has. */
static void test_pipe_limit(void)
{
	int fd = open("/proc/sys/fs/pipe-max-size", O_RDWR), ends[2];
	char text[16] = { 0 }, seen[16] = { 0 };
	long size = read(fd, text, sizeof(text) - 1);

	is_true(size > 0, size, "a limit on pipes");
	is(pwrite(fd, "x", 1, 0) < 0 ? -errno : 0, -EINVAL, "is a number");
	is(pwrite(fd, "5000", 4, 0), 4, "that is set");
	is(pread(fd, seen, sizeof(seen) - 1, 0), 5, "to a power of two");
	is_text(seen, "8192\n", "above");
	is(in_child(small_pipe, NULL), EXITED(0), "users have no larger pipes");
	is(pipe(ends), 0, "root has");
	is(fcntl(ends[0], F_GETPIPE_SZ), 16 * (long)PAGE, "ordinary ones");
	is(fcntl(ends[0], F_SETPIPE_SZ, 32 * PAGE), 32 * (long)PAGE, "and larger ones");
	is(pwrite(fd, text, (size_t)size, 0), size, "the limit is as before");
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

int main(void)
{
	test_append();
	test_nowait();
	test_direct();
	test_packets();
	test_packet_room();
	test_packets_wait();
	test_packets_moved();
	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	test_pipe_limit();
	return finish();
}
