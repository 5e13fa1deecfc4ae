/*
 * Tests pseudo-terminals: what masters type and read, packet mode, sizes, sessions, and the effects of a hang-up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "test/user/tap.h"

#define PTS       "/tmp/pts"
#define GET_PEER  0x5441
#define PACKETS   0x5420
#define SIGNAL_IT 0x40045436

static char seen[9000];

static int open_master(void)
{
	return open(PTS "/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
}

static int number_of(int master)
{
	int number = -1;

	return ioctl(master, TIOCGPTN, &number) ? -errno : number;
}

static void unlock(int master)
{
	int off = 0;

	if (ioctl(master, TIOCSPTLCK, &off))
		bail("TIOCSPTLCK", errno);
}

/* Return the path of the terminal that belongs to `master`. */
static const char *path_of(int master)
{
	static char path[32];
	int number = number_of(master);

	strcpy(path, PTS "/000");
	path[sizeof(PTS)] = (char)('0' + number % 10);
	path[sizeof(PTS) + 1] = '\0';
	return path;
}

static int open_peer(int master)
{
	return (int)sys(SYS_ioctl, master, GET_PEER, O_RDWR | O_NOCTTY);
}

/*
 * Read a string until `want` bytes are there, or nothing has come for 2 s: the parts of a line may come one by one.
 * Returns how many bytes came, or an error.
 */
static long get(int fd, long want)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN };
	long total = 0, size;

	do {
		sys(SYS_poll, &entry, 1, 2000);
		size = sys(SYS_read, fd, seen + total, sizeof(seen) - 1 - (size_t)total);
		total += size > 0 ? size : 0;
	} while (size > 0 && total < want);
	seen[total] = '\0';
	return total ? total : size;
}

static long put(int fd, const char *text)
{
	return sys(SYS_write, fd, text, strlen(text));
}

static short ready(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };

	return sys(SYS_poll, &entry, 1, 0) < 0 ? -1 : entry.revents;
}

/* Turn local modes of the terminal on and off. */
static void set_modes(int fd, tcflag_t on, tcflag_t off)
{
	struct termios modes;

	tcgetattr(fd, &modes);
	modes.c_lflag = (modes.c_lflag | on) & ~off;
	tcsetattr(fd, TCSANOW, &modes);
}

/* Check the older structure of a terminal's modes. */
static void test_old_modes(void)
{
	struct {
		unsigned short iflag, oflag, cflag, lflag;
		unsigned char line, cc[8];
	} modes;
	struct termios all, after;
	int master = open_master(), slave;

	unlock(master);
	slave = open(path_of(master), O_RDWR | O_NOCTTY);
	tcgetattr(slave, &all);
	is(sys(SYS_ioctl, slave, 0x5405, &modes), 0, "TCGETA");
	is(modes.lflag, all.c_lflag & 0xffff, "has the flags");
	is(modes.cc[VINTR], all.c_cc[VINTR], "and characters");
	is(sys(SYS_ioctl, slave, 0x5405, -1L), -EFAULT, "if it has a place");
	modes.lflag &= (unsigned short)~ECHO;
	modes.cc[VINTR] = 'x';
	is(sys(SYS_ioctl, slave, 0x5406, &modes), 0, "TCSETA");
	tcgetattr(slave, &after);
	is(after.c_lflag & 0xffffffff, all.c_lflag & ~(tcflag_t)ECHO, "sets the flags");
	is(after.c_cc[VINTR], 'x', "and characters");
	is(after.c_cc[VEOL], all.c_cc[VEOL], "and leaves the others");
	is(sys(SYS_ioctl, slave, 0x5407, -1L), -EFAULT, "TCSETAW without a place");
	close(slave);
	close(master);
}

static void test_open(void)
{
	int master = open_master(), other = open_master(), value = -1, slave;
	struct stat info;
	char before[32];

	is_true(master >= 0 && other >= 0, master, "two masters");
	is_true(number_of(master) != number_of(other), number_of(other), "have two terminals");
	is(ioctl(master, TIOCGPTLCK, &value) ? -errno : value, 1, "which are locked at first");
	is(open(path_of(master), O_RDWR | O_NOCTTY) < 0 ? -errno : 0, -EIO, "and cannot be opened");
	is(open_peer(master), -EIO, "by the master neither");
	is(sys(SYS_read, master, seen, 1), -EAGAIN, "nothing is shown");
	is(sys(SYS_write, master, "x", 1), 1, "but it can be typed on");
	unlock(master);
	is(ioctl(master, TIOCGPTLCK, &value) ? -errno : value, 0, "unlocked");
	slave = open(path_of(master), O_RDWR | O_NOCTTY);
	is_true(slave >= 0, slave, "it can");
	is(stat(path_of(master), &info), 0, "its node");
	is((long)(info.st_mode & 07777), 0620, "has the mode of the mount");
	is(info.st_gid, 5, "and its group");
	is(major(info.st_rdev), 136, "and this device number");
	is(isatty(slave), 1, "it is a terminal");
	is(sys(SYS_ioctl, slave, TIOCGPTN, &value), -ENOTTY, "but no master");
	is(sys(SYS_ioctl, slave, GET_PEER, O_RDWR), -EIO, "and has no peer");
	strcpy(before, path_of(master));
	close(slave);
	slave = open_peer(master);
	is_true(slave >= 0, slave, "the master opens it without a path");
	close(slave);
	close(master);
	is(stat(before, &info) ? -errno : 0, -ENOENT, "the node goes with the master");
	close(other);
}

/* Open a pair of master and terminal, and unlock it. */
static void open_pair(int fds[2])
{
	fds[0] = open_master();
	unlock(fds[0]);
	fds[1] = open_peer(fds[0]);
	if (fds[1] < 0)
		bail("no pair", fds[1]);
}

static void close_pair(const int fds[2])
{
	close(fds[1]);
	close(fds[0]);
}

static void test_lines(void)
{
	struct winsize size = { 0 };
	int fds[2], waiting = -1;

	open_pair(fds);
	is(put(fds[1], "shown\n"), 6, "a write to the terminal");
	is(get(fds[0], 7), 7, "is read by the master");
	is_text(seen, "shown\r\n", "with the end of line that terminals have");
	is(put(fds[0], "typex\177d\n"), 8, "what the master writes is typed");
	is(get(fds[0], 11), 11, "it is echoed");
	is_text(seen, "typex\b \bd\r\n", "as it was edited");
	is(ioctl(fds[1], FIONREAD, &waiting) ? -errno : waiting, 6, "one line waits");
	is(get(fds[1], 6), 6, "to be read");
	is_text(seen, "typed\n", "as a line");
	set_modes(fds[0], 0, ECHO | ICANON);
	is(put(fds[0], "raw"), 3, "the master sets the terminal's modes");
	is(get(fds[1], 3), 3, "bytes come at once");
	is(sys(SYS_read, fds[0], seen, 1), -EAGAIN, "and are not echoed");
	is(ioctl(fds[1], TIOCGWINSZ, &size), 0, "its size");
	is(size.ws_row + size.ws_col, 0, "is not known");
	size = (struct winsize){ 40, 100, 0, 0 };
	is(ioctl(fds[0], TIOCSWINSZ, &size), 0, "until the master sets it");
	memset(&size, 0, sizeof(size));
	is(ioctl(fds[1], TIOCGWINSZ, &size), 0, "the terminal");
	is(size.ws_col, 100, "has it then");
	is(ready(fds[1]), POLLOUT, "it can be written");
	is(ready(fds[0]), POLLOUT, "and typed on");
	put(fds[1], "x");
	is(ready(fds[0]), POLLIN | POLLOUT, "and what is shown be read");
	close(fds[1]);
	is(get(fds[0], 1), 1, "also when the terminal is closed");
	is(sys(SYS_read, fds[0], seen, 1), -EIO, "then there is no more");
	is_true(ready(fds[0]) & POLLHUP, ready(fds[0]), "hung up");
	fds[1] = open_peer(fds[0]);
	is(sys(SYS_read, fds[0], seen, 1), -EAGAIN, "until it is opened again");
	close_pair(fds);
}

static void test_much(void)
{
	int fds[2], status;
	long total = 0, size;
	pid_t child;

	open_pair(fds);
	child = fork();
	if (!child) {
		static char many[60000];

		close(fds[0]);
		memset(many, 'm', sizeof(many));
		_exit(sys(SYS_write, fds[1], many, sizeof(many)) != sizeof(many));
	}
	close(fds[1]);
	while ((size = get(fds[0], 1)) > 0)
		total += size;
	is(total, 60000, "a write waits for the master to read");
	is(size, -EIO, "up to the end");
	is(sys(SYS_wait4, child, &status, 0, NULL), child, "the writer");
	is(status, 0, "has written all");
	close(fds[0]);
}

static void test_packets(void)
{
	int fds[2], on = 1;

	open_pair(fds);
	is(ioctl(fds[0], PACKETS, &on), 0, "packets");
	put(fds[1], "abc");
	is(get(fds[0], 4), 4, "a read of shown bytes");
	is_true(seen[0] == 0 && !strcmp(seen + 1, "abc"), seen[0], "begins with a 0");
	is(tcflush(fds[1], TCIFLUSH), 0, "input is dropped");
	is_true(ready(fds[0]) & POLLPRI, ready(fds[0]), "the master is told");
	is(get(fds[0], 1), 1, "by one byte");
	is(seen[0], TIOCPKT_FLUSHREAD, "which says so");
	is(tcflow(fds[1], TCOOFF), 0, "output is stopped");
	is(get(fds[0], 1), 1, "which is told, too");
	is(seen[0] & TIOCPKT_STOP, TIOCPKT_STOP, "as this");
	is(tcflow(fds[1], TCOON), 0, "and goes on");
	is(get(fds[0], 1), 1, "one byte");
	is(seen[0] & TIOCPKT_START, TIOCPKT_START, "says so");
	on = 0;
	ioctl(fds[0], PACKETS, &on);
	put(fds[1], "abc");
	is(get(fds[0], 3), 3, "without packets bytes come alone");
	close_pair(fds);
}

static volatile sig_atomic_t caught;

static void note(int signal)
{
	caught = signal;
}

/* Become the leader of a session with the terminal, write a line to say so, and then wait for signals. */
static int lead(int master, int slave)
{
	struct sigaction action = { .sa_handler = note };
	const char *text;
	int group = 0;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGWINCH, &action, NULL);
	close(master);
	setsid();
	if (sys(SYS_ioctl, slave, TIOCSCTTY, 0))
		return 1;
	if (ioctl(slave, TIOCGPGRP, &group) || group != getpid())
		return 2;
	put(slave, "ready\n");
	for (int round = 0; round < 3; round++) {
		while (!caught)
			usleep(1000);
		if (caught == SIGHUP)
			return sys(SYS_read, slave, seen, 1) ? 3 : put(slave, "x") == -EIO ? 42 : 4;
		text = caught == SIGINT ? "int\n" : "size\n";
		caught = 0;
		put(slave, text);
	}
	return 5;
}

static void test_session(void)
{
	struct winsize size = { 50, 120, 0, 0 };
	int fds[2], status, value = 0;
	pid_t child;

	open_pair(fds);
	set_modes(fds[0], 0, ECHO);
	child = fork();
	if (!child)
		_exit(lead(fds[0], fds[1]));
	close(fds[1]);
	is(get(fds[0], 7), 7, "a session has the terminal");
	is(ioctl(fds[0], TIOCGPGRP, &value) ? -errno : value, child, "the master knows its foreground");
	is(sys(SYS_ioctl, fds[0], TIOCGSID, &value) ? -1 : value, child, "and its leader");
	is(put(fds[0], "\003"), 1, "a typed Ctrl-C");
	is(get(fds[0], 5), 5, "is a signal");
	is_text(seen, "int\r\n", "SIGINT");
	is(ioctl(fds[0], TIOCSWINSZ, &size), 0, "another size");
	is(get(fds[0], 6), 6, "is one, too");
	is_text(seen, "size\r\n", "SIGWINCH");
	close(fds[0]);
	is(sys(SYS_wait4, child, &status, 0, NULL), child, "the leader gets SIGHUP when the master closes");
	is(status, EXITED(42), "reads the end, and cannot write");
}

static void test_leader_ends(void)
{
	int fds[2], status;
	pid_t child;

	open_pair(fds);
	child = fork();
	if (!child) {
		setsid();
		sys(SYS_ioctl, fds[1], TIOCSCTTY, 0);
		_exit(0);
	}
	sys(SYS_wait4, child, &status, 0, NULL);
	is(put(fds[1], "x"), 1, "when a session's leader ends, the terminal stays");
	is(get(fds[0], 1), 1, "for the master, too");
	child = fork();
	if (!child) {
		setsid();
		_exit(sys(SYS_ioctl, fds[1], TIOCSCTTY, 0) != 0);
	}
	sys(SYS_wait4, child, &status, 0, NULL);
	is(status, 0, "and another session can have it");
	close_pair(fds);
}

/* Try, as a session's leader, to take the terminal away from the session that has it. Returns the child's status. */
static int steal(int slave, int uid)
{
	pid_t child = fork();
	int status;

	if (!child) {
		setsid();
		sys(SYS_setresuid, uid, uid, uid);
		_exit((int)-sys(SYS_ioctl, slave, TIOCSCTTY, 1));
	}
	sys(SYS_wait4, child, &status, 0, NULL);
	return status;
}

static void test_steal(void)
{
	int fds[2], status, group = -1;
	pid_t child;

	open_pair(fds);
	child = fork();
	if (!child) {
		setsid();
		put(fds[1], sys(SYS_ioctl, fds[1], TIOCSCTTY, 0) ? "?" : "x");
		pause();
		_exit(0);
	}
	is(get(fds[0], 1), 1, "a session has a terminal");
	is(steal(fds[1], 1000), EXITED(EPERM), "a user cannot take it away");
	is(ioctl(fds[0], TIOCGPGRP, &group) ? -errno : group, child, "the session has it still");
	is(steal(fds[1], 0), EXITED(0), "root can");
	sys(SYS_kill, child, SIGKILL);
	sys(SYS_wait4, child, &status, 0, NULL);
	close_pair(fds);
}

/* Check that a descriptor of the node of a terminal that is gone does not open the next terminal with that number. */
static void test_old_node(void)
{
	int first = open_master(), number = number_of(first), node = open(path_of(first), O_PATH), second;
	char path[32];

	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	close(first);
	second = open_master();
	unlock(second);
	is(number_of(second), number, "a number is used again");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", node);
	is(open(path, O_RDWR | O_NOCTTY) < 0 ? -errno : 0, -EIO, "the old node does not lead to it");
	close(node);
	close(second);
	umount("/proc");
}

int main(void)
{
	mkdir(PTS, 0755);
	is(mount("devpts", PTS, "devpts", 0, "nonsense=1") ? -errno : 0, -EINVAL, "an option that is none");
	is(mount("devpts", PTS, "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666") ? -errno : 0, 0,
	   "mount devpts");
	test_open();
	test_old_modes();
	test_lines();
	test_much();
	test_packets();
	test_session();
	test_leader_ends();
	test_steal();
	test_old_node();
	is(umount(PTS) ? -errno : 0, 0, "unmount");
	return finish();
}
