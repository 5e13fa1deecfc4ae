/* Bytes from one process to another: pipes, AF_UNIX sockets, a terminal. See bench.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/user/bench/bench.h"

#define PIECE    65536UL
#define GET_PEER 0x5441 /* TIOCGPTPEER */

/* One process's ends. */
struct ends {
	int in, out;
};

static void close_both(struct ends ends)
{
	sys(SYS_close, ends.in);
	if (ends.out != ends.in)
		sys(SYS_close, ends.out);
}

/* A byte goes to the child and another comes back. An operation is one way: a write, a switch, a read. */
static uint64_t ping_pong(struct ends ours, struct ends childs, unsigned count)
{
	char byte = 1;
	long child, result = 0;
	uint64_t start;

	count /= 2;
	child = fork_child();
	if (child == 0) {
		for (unsigned i = 0; i < count; i++) {
			sys(SYS_read, childs.in, &byte, 1);
			sys(SYS_write, childs.out, &byte, 1);
		}
		sys(SYS_exit_group, 0);
	}
	start = meter_read();
	for (unsigned i = 0; i < count; i++) {
		result += sys(SYS_write, ours.out, &byte, 1);
		result += sys(SYS_read, ours.in, &byte, 1);
	}
	start = meter_read() - start;
	if (result != 2L * count)
		failed("bytes to a process and back", result);
	wait_for(child);
	close_both(ours);
	close_both(childs);
	return start;
}

static void make_pipe(int *ends)
{
	if (sys(SYS_pipe2, ends, 0) != 0)
		failed("pipe2", 0);
}

static void make_sockets(int *ends)
{
	if (sys(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		failed("socketpair", 0);
}

uint64_t bench_pipe(unsigned count)
{
	int there[2], back[2];

	make_pipe(there);
	make_pipe(back);
	return ping_pong((struct ends){ back[0], there[1] }, (struct ends){ there[0], back[1] }, count);
}

uint64_t bench_unix(unsigned count)
{
	int pair[2];

	make_sockets(pair);
	return ping_pong((struct ends){ pair[0], pair[0] }, (struct ends){ pair[1], pair[1] }, count);
}

/* A child writes to ends[1]; an operation is 64 KiB that are read from ends[0]. */
static uint64_t send_bulk(const int *ends, unsigned count)
{
	static char bytes[PIECE];
	uint64_t start, total = 0;
	long child, size;

	child = fork_child();
	if (child == 0) {
		sys(SYS_close, ends[0]);
		for (unsigned i = 0; i < count; i++)
			if (sys(SYS_write, ends[1], bytes, PIECE) != (long)PIECE)
				sys(SYS_exit_group, 1);
		sys(SYS_exit_group, 0);
	}
	sys(SYS_close, ends[1]);
	start = meter_read();
	while ((size = sys(SYS_read, ends[0], bytes, PIECE)) > 0)
		total += (uint64_t)size;
	start = meter_read() - start;
	if (total != count * PIECE)
		failed("bytes of a process", (long)total);
	sys(SYS_close, ends[0]);
	wait_for(child);
	return start;
}

uint64_t bench_pipe_bulk(unsigned count)
{
	int ends[2];

	make_pipe(ends);
	return send_bulk(ends, count);
}

uint64_t bench_unix_bulk(unsigned count)
{
	int ends[2];

	make_sockets(ends);
	return send_bulk(ends, count);
}

/* Returns a pseudo-terminal's master, with its slave. */
static int open_terminal(int *ret_slave)
{
	int master, off = 0;

	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, NULL);
	master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &off) != 0)
		failed("/dev/pts/ptmx", master);
	*ret_slave = ioctl(master, GET_PEER, O_RDWR | O_NOCTTY);
	if (*ret_slave < 0)
		failed("TIOCGPTPEER", *ret_slave);
	return master;
}

/* A line is typed at a terminal's master, a reader of the terminal gets it, and the master its echo. */
uint64_t bench_pty_line(unsigned count)
{
	static const char line[] = "a line of thirty-two characters\n";
	const long length = sizeof(line) - 1;
	char seen[64];
	int slave, master = open_terminal(&slave);
	long result = 0;
	uint64_t start = meter_read();

	for (unsigned i = 0; i < count; i++) {
		long echoed = 0;

		result += sys(SYS_write, master, line, length);
		result += sys(SYS_read, slave, seen, sizeof(seen));
		/* The echo's newline is two bytes. */
		while (echoed < length + 1)
			echoed += sys(SYS_read, master, seen, sizeof(seen));
		result += echoed;
	}
	start = meter_read() - start;
	if (result != (3 * length + 1) * (long)count)
		failed("lines of a terminal", result);
	sys(SYS_close, slave);
	sys(SYS_close, master);
	return start;
}
