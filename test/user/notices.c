/*
 * Tests which processes are told that a file can be read: EPOLLEXCLUSIVE tells one of several, O_ASYNC and similar
 * commands send a signal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1U << 28)
#endif
#define OWN_SIGNAL (SIGRTMIN + 3)
#define SETSIG     10 /* commands of fcntl(2) that not every C library names */
#define GETSIG     11
#define SETOWN_EX  15
#define GETOWN_EX  16
#define GETUIDS    17
#define SETOWN     0x8901 /* requests of ioctl(2): this is FIOSETOWN, the next FIOGETOWN */
#define GETOWN     0x8903

struct owner {
	int type, pid;
};

/* ---- EPOLLEXCLUSIVE ---- */

static int epoll_of(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		bail("an epoll file", errno);
	return epoll;
}

static long change(int epoll, int operation, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };

	return sys(SYS_epoll_ctl, epoll, operation, fd, &event);
}

static void test_exclusive_rules(void)
{
	int epoll = epoll_create1(0), other = epoll_create1(0), ends[2];

	if (pipe(ends))
		bail("pipe", errno);
	is(change(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), -EINVAL,
	   "not with EPOLLONESHOT");
	is(change(epoll, EPOLL_CTL_ADD, ends[0], EPOLLPRI | EPOLLEXCLUSIVE), -EINVAL, "nor for EPOLLPRI");
	is(change(epoll, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE), -EINVAL, "nor of an epoll file");
	is(change(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLET | EPOLLEXCLUSIVE), 0, "EPOLLEXCLUSIVE");
	is(change(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN), -EINVAL, "cannot be changed");
	is(change(epoll, EPOLL_CTL_DEL, ends[0], 0), 0, "but removed");
	is(change(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN), 0, "and added without");
	is(change(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLEXCLUSIVE), -EINVAL, "and not changed to it");
	close(epoll);
	close(other);
	close(ends[0]);
	close(ends[1]);
}

/* Make a child that waits for `epoll`, writes a byte to `tell` when it is woken, and ends. */
static pid_t waiter_for(int epoll, int tell)
{
	struct epoll_event event;
	pid_t child = fork();

	if (child)
		return child;
	if (epoll_wait(epoll, &event, 1, -1) == 1)
		sys(SYS_write, tell, "w", 1);
	_exit(0);
}

static void test_exclusive_wakes(void)
{
	int watched[2], tell[2], epolls[3];
	struct pollfd told;
	char bytes[8];
	pid_t children[3];

	if (pipe(watched) || pipe(tell))
		bail("pipe", errno);
	for (int i = 0; i < 3; i++) {
		epolls[i] = epoll_of(watched[0], EPOLLIN | EPOLLEXCLUSIVE);
		children[i] = waiter_for(epolls[i], tell[1]);
	}
	usleep(200000);
	is(write(watched[1], "x", 1), 1, "an event for three");
	told = (struct pollfd){ .fd = tell[0], .events = POLLIN };
	is(poll(&told, 1, 10000), 1, "wakes one");
	usleep(200000);
	is(read(tell[0], bytes, sizeof(bytes)), 1, "and no other");
	close(watched[1]);
	for (int i = 0; i < 3; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
		close(epolls[i]);
	}
	close(watched[0]);
	close(tell[0]);
	close(tell[1]);
}

static void test_exclusive_alone(void)
{
	struct epoll_event event;
	int ends[2], epoll;

	if (pipe(ends))
		bail("pipe", errno);
	epoll = epoll_of(ends[0], EPOLLIN | EPOLLEXCLUSIVE);
	is(epoll_wait(epoll, &event, 1, 0), 0, "nothing is ready");
	is(write(ends[1], "x", 1), 1, "a write while nobody waits");
	is(epoll_wait(epoll, &event, 1, 1000), 1, "is seen later");
	close(ends[0]);
	is(epoll_wait(epoll, &event, 1, 0), 0, "until the file is closed");
	close(ends[1]);
	close(epoll);
}

/* ---- owners ---- */

static long owner(int fd, int command, int type, int pid)
{
	struct owner who = { type, pid };

	return sys(SYS_fcntl, fd, command, &who);
}

static void test_owner(void)
{
	int ends[2], path = open("/tmp", O_PATH);
	struct owner who = { -1, -1 };
	uint32_t uids[2] = { 9, 9 };

	if (pipe(ends))
		bail("pipe", errno);
	is(sys(SYS_fcntl, ends[0], F_GETOWN), 0, "a file has no owner");
	is(sys(SYS_fcntl, ends[0], F_SETOWN, getpid()), 0, "F_SETOWN");
	is(sys(SYS_fcntl, ends[0], F_GETOWN), getpid(), "gives it one");
	is(sys(SYS_fcntl, ends[1], F_GETOWN), 0, "and no other file");
	is(owner(ends[0], GETOWN_EX, 0, 0), 0, "F_GETOWN_EX");
	sys(SYS_fcntl, ends[0], GETOWN_EX, &who);
	is_true(who.type == 1 && who.pid == getpid(), who.type, "says that it is a process");
	is(sys(SYS_fcntl, ends[0], F_SETOWN, -getpgrp()), 0, "a group");
	sys(SYS_fcntl, ends[0], GETOWN_EX, &who);
	is_true(who.type == 2 && who.pid == getpgrp(), who.type, "is one");
	is(owner(ends[0], SETOWN_EX, 0, (int)sys(SYS_gettid)), 0, "a task");
	sys(SYS_fcntl, ends[0], GETOWN_EX, &who);
	is_true(who.type == 0 && who.pid == getpid(), who.type, "is one, too");
	is(owner(ends[0], SETOWN_EX, 3, getpid()), -EINVAL, "no other type");
	is(owner(ends[0], SETOWN_EX, 1, 4000000), -ESRCH, "nobody with that number");
	is(sys(SYS_fcntl, ends[0], F_SETOWN, 4000000), -ESRCH, "nor by F_SETOWN");
	is(sys(SYS_fcntl, ends[0], F_SETOWN, INT_MIN), -EINVAL, "nor the least number");
	is(sys(SYS_fcntl, ends[0], SETOWN_EX, -1L), -EFAULT, "from nowhere");
	is(sys(SYS_fcntl, ends[0], GETUIDS, uids), 0, "F_GETOWNER_UIDS");
	is_true(uids[0] == 0 && uids[1] == 0, uids[0], "tells who set it");
	is(sys(SYS_fcntl, ends[0], F_SETOWN, 0), 0, "nobody");
	is(sys(SYS_fcntl, ends[0], F_GETOWN), 0, "is the owner again");
	is(sys(SYS_fcntl, ends[0], GETSIG), 0, "no signal is set");
	is(sys(SYS_fcntl, ends[0], SETSIG, 65), -EINVAL, "65 is none");
	is(sys(SYS_fcntl, ends[0], SETSIG, OWN_SIGNAL), 0, "F_SETSIG");
	is(sys(SYS_fcntl, ends[0], GETSIG), OWN_SIGNAL, "sets one");
	is(sys(SYS_fcntl, path, F_SETOWN, getpid()), -EBADF, "not by O_PATH");
	is(sys(SYS_fcntl, path, 9999, 0), -EBADF, "nor a command that is none");
	close(path);
	close(ends[0]);
	close(ends[1]);
}

/* Wait for SIGIO or OWN_SIGNAL, which are blocked, for `ms` at most. Returns which signal came, or -errno. */
static long next_signal(siginfo_t *info, long ms)
{
	const struct timespec most = { ms / 1000, ms % 1000 * 1000000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, OWN_SIGNAL);
	return sys(SYS_rt_sigtimedwait, &set, info, &most, 8);
}

static void test_async(void)
{
	siginfo_t info;
	int ends[2];
	char byte;

	if (pipe(ends))
		bail("pipe", errno);
	is(sys(SYS_fcntl, ends[0], F_SETOWN, getpid()), 0, "F_SETOWN");
	is(write(ends[1], "x", 1), 1, "a write");
	is(next_signal(&info, 50), -EAGAIN, "sends nothing without O_ASYNC");
	is(read(ends[0], &byte, 1), 1, "a read");
	is(sys(SYS_fcntl, ends[0], F_SETFL, O_ASYNC), 0, "O_ASYNC");
	is(fcntl(ends[0], F_GETFL), O_ASYNC, "is set");
	is(write(ends[1], "x", 1), 1, "a write");
	is(next_signal(&info, 10000), SIGIO, "sends SIGIO");
	is(info.si_code, SI_KERNEL, "without details");
	is(sys(SYS_fcntl, ends[0], SETSIG, OWN_SIGNAL), 0, "with F_SETSIG");
	is(write(ends[1], "x", 1), 1, "a write");
	is(next_signal(&info, 10000), OWN_SIGNAL, "sends that signal");
	is(info.si_code, POLL_IN, "and what can be done");
	is(info.si_fd, ends[0], "with which descriptor");
	is(info.si_band, POLLIN | POLLRDNORM, "as poll says it");
	is(owner(ends[0], SETOWN_EX, 0, (int)sys(SYS_gettid)), 0, "to a task");
	is(write(ends[1], "x", 1), 1, "a write");
	is(next_signal(&info, 10000), OWN_SIGNAL, "sends it as well");
	is(sys(SYS_fcntl, ends[0], F_SETOWN, -getpgrp()), 0, "to a group");
	is(write(ends[1], "x", 1), 1, "a write");
	is(next_signal(&info, 10000), OWN_SIGNAL, "and so");
	is(sys(SYS_fcntl, ends[0], F_SETFL, 0), 0, "without O_ASYNC");
	is(write(ends[1], "x", 1), 1, "a write");
	is(next_signal(&info, 50), -EAGAIN, "sends nothing any more");
	close(ends[0]);
	close(ends[1]);
}

static volatile sig_atomic_t handled;

static void handle(int signal)
{
	(void)signal;
	handled++;
}

static void test_requests(void)
{
	int pair[2], on = 1, pid = getpid(), file = open("/tmp/.async", O_CREAT | O_RDWR, 0600);
	struct sigaction action = { .sa_handler = handle };
	siginfo_t info;
	sigset_t set;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		bail("socketpair", errno);
	is(sys(SYS_ioctl, file, FIOASYNC, &on), -ENOTTY, "FIOASYNC of a file in memory");
	is(sys(SYS_ioctl, pair[0], FIOASYNC, &on), 0, "of a socket");
	is(fcntl(pair[0], F_GETFL), O_RDWR | O_ASYNC, "sets O_ASYNC");
	is(sys(SYS_ioctl, pair[0], SETOWN, &pid), 0, "FIOSETOWN");
	is(sys(SYS_fcntl, pair[0], F_GETOWN), getpid(), "sets the owner");
	pid = 0;
	is(sys(SYS_ioctl, pair[0], GETOWN, &pid), 0, "FIOGETOWN");
	is(pid, getpid(), "gets it");
	is(write(pair[1], "x", 1), 1, "a write to the other end");
	is(next_signal(&info, 10000), SIGIO, "sends SIGIO");
	sigaction(SIGIO, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	is(write(pair[1], "x", 1), 1, "a write");
	is(handled, 1, "has sent it when it returns");
	sigprocmask(SIG_BLOCK, &set, NULL);
	close(file);
	unlink("/tmp/.async");
	close(pair[0]);
	close(pair[1]);
}

static void become(int uid)
{
	if (sys(SYS_setresuid, uid, uid, uid))
		bail("setresuid", uid);
}

/* Make the parent, which is root, the owner of a file as another user: the parent must then get no signal. */
static int set_for_parent(void *ends)
{
	become(1000);
	if (sys(SYS_fcntl, *(int *)ends, F_SETOWN, getppid()))
		return 1;
	return sys(SYS_fcntl, *(int *)ends, F_SETFL, O_ASYNC) != 0;
}

static void test_rights(void)
{
	siginfo_t info;
	int ends[2];

	if (pipe(ends))
		bail("pipe", errno);
	is(in_child(set_for_parent, ends), EXITED(0), "a user sets root as the owner");
	is(write(ends[1], "x", 1), 1, "a write");
	is(next_signal(&info, 50), -EAGAIN, "sends root nothing");
	is(sys(SYS_fcntl, ends[0], F_SETOWN, getpid()), 0, "root itself");
	is(write(ends[1], "x", 1), 1, "a write");
	is(next_signal(&info, 10000), SIGIO, "may");
	close(ends[0]);
	close(ends[1]);
}

/* ---- F_NOTIFY ---- */

#define NOTED "/tmp/noted" /* the directory that is watched */

/* Take all pending signals. Returns which came first, and stores its siginfo; 0: none was pending. */
static int take_signals(siginfo_t *ret)
{
	const struct timespec now = { 0, 0 };
	siginfo_t more;
	sigset_t set;
	int first;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, OWN_SIGNAL);
	first = sigtimedwait(&set, ret, &now);
	while (first > 0 && sigtimedwait(&set, &more, &now) > 0)
		;
	return first > 0 ? first : 0;
}

/* Do an operation on NOTED "/a", and return the signal that it causes, or 0. */
static int act(const char *what)
{
	siginfo_t info;
	int fd = -1;
	char byte = 'x';

	switch (*what) {
	case 'c':
		fd = open(NOTED "/a", O_CREAT | O_EXCL | O_RDWR, 0600);
		break;
	case 'm':
		fd = open(NOTED "/a", O_RDWR);
		write(fd, &byte, 1);
		break;
	case 'r':
		fd = open(NOTED "/a", O_RDWR);
		read(fd, &byte, 1);
		break;
	case 'a':
		chmod(NOTED "/a", 0644);
		break;
	case 'n':
		rename(NOTED "/a", NOTED "/b");
		rename(NOTED "/b", NOTED "/a");
		break;
	default:
		unlink(NOTED "/a");
	}
	if (fd >= 0)
		close(fd);
	return take_signals(&info);
}

static void test_directory(void)
{
	static const struct {
		const char *what;
		unsigned flag;
	} events[] = {
		{ "create", DN_CREATE },     { "modify", DN_MODIFY }, { "read", DN_ACCESS },
		{ "attributes", DN_ATTRIB }, { "name", DN_RENAME },   { "delete", DN_DELETE },
	};
	int file = open(NOTED "-file", O_CREAT | O_RDWR, 0600), dir;
	siginfo_t info = { 0 };

	mkdir(NOTED, 0700);
	dir = open(NOTED, O_RDONLY | O_DIRECTORY);
	is(sys(SYS_fcntl, file, F_NOTIFY, DN_CREATE), -ENOTDIR, "F_NOTIFY of a file");
	is(sys(SYS_fcntl, file, F_NOTIFY, 0), 0, "of no event");
	is(sys(SYS_fcntl, dir, F_NOTIFY, DN_CREATE), 0, "of a directory");
	is(fcntl(dir, F_GETOWN), getpid(), "the process owns it");
	is(act("create"), SIGIO, "a new file sends SIGIO");
	is(act("delete") + act("create"), 0, "once");
	is(fcntl(dir, SETSIG, OWN_SIGNAL), 0, "another signal");
	is(fcntl(dir, F_NOTIFY, DN_MODIFY), 0, "for a change");
	close(open(NOTED "/a", O_RDWR));
	is(take_signals(&info), 0, "which opening is not");
	file = open(NOTED "/a", O_RDWR);
	write(file, "y", 1);
	is(take_signals(&info), OWN_SIGNAL, "a write is");
	is(info.si_code, 3, "POLL_MSG");
	is(info.si_fd, dir, "the descriptor");
	is(info.si_band, POLLIN | POLLRDNORM | 0x400, "the band");
	act("delete");
	for (size_t i = 0; i < COUNT(events); i++) {
		is(sys(SYS_fcntl, dir, F_NOTIFY, DN_MULTISHOT | events[i].flag), 0, events[i].what);
		for (size_t j = 0; j < COUNT(events); j++)
			is(act(events[j].what) != 0,
			   i == j || (events[j].flag == DN_RENAME && (events[i].flag & (DN_CREATE | DN_DELETE))),
			   events[j].what);
		is(sys(SYS_fcntl, dir, F_NOTIFY, 0), 0, "no more");
	}
	is(sys(SYS_fcntl, dir, F_NOTIFY, DN_MULTISHOT | DN_RENAME), 0, "for names");
	act("create");
	is(rename(NOTED "/a", NOTED "-away") ? -errno : take_signals(&info), 0, "a file that leaves has no other name");
	is(rename(NOTED "-away", NOTED "/a") ? -errno : take_signals(&info), 0, "nor one that comes");
	act("delete");
	is(sys(SYS_fcntl, dir, F_NOTIFY, DN_MULTISHOT | DN_CREATE), 0, "once more");
	is(act("create") + act("delete") + act("create"), 2 * OWN_SIGNAL, "each new file is told");
	close(dir);
	is(act("delete") + act("create"), 0, "until the directory is closed");
	act("delete");
	close(file);
	unlink(NOTED "-file");
	rmdir(NOTED);
}

int main(void)
{
	sigset_t set;

	setpgid(0, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, OWN_SIGNAL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	test_exclusive_rules();
	test_exclusive_wakes();
	test_exclusive_alone();
	test_owner();
	test_async();
	test_requests();
	test_rights();
	test_directory();
	return finish();
}
