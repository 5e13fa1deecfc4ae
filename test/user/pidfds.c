/*
 * Tests files that stand for processes and for signals: pidfd_open, clone3, waitid, signalfd; and kcmp, which compares
 * what two processes use.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define PIDFD_SEND   424
#define PIDFD_OPEN   434
#define CLONE3       435
#define PIDFD_GETFD  438
#define PIDFD        3 /* the kind of ID that makes waitid take a pidfd */
#define CLONE_PIDFD_ 0x1000

static short ready(int fd, int milliseconds)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN };

	return sys(SYS_poll, &entry, 1, milliseconds) < 0 ? -1 : entry.revents;
}

static void test_pidfd(void)
{
	int ends[2], fd, got;
	pid_t child;
	siginfo_t info = { 0 };
	char byte = 0;

	is(pipe(ends), 0, "a pipe");
	is(sys(PIDFD_OPEN, 0, 0), -EINVAL, "no process");
	is(sys(PIDFD_OPEN, 0x3fffff, 0), -ESRCH, "one that is not there");
	is(sys(PIDFD_OPEN, getpid(), 1), -EINVAL, "a flag that is none");
	child = fork();
	if (!child) {
		sys(SYS_read, ends[0], &byte, 1);
		_exit(byte);
	}
	fd = (int)sys(PIDFD_OPEN, child, 0);
	is_true(fd >= 0, fd, "a child's");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "is close-on-exec");
	is(ready(fd, 0), 0, "the child lives");
	is(sys(SYS_read, fd, &byte, 1), -EINVAL, "nothing can be read");
	is(sys(PIDFD_SEND, fd, 0, NULL, 0), 0, "a signal that is none");
	is(sys(PIDFD_SEND, 1, 0, NULL, 0), -EBADF, "to a file that is none");
	is(sys(PIDFD_SEND, fd, 99, NULL, 0), -EINVAL, "one that does not exist");
	is(sys(PIDFD_SEND, fd, 0, NULL, 1), -EINVAL, "a flag");
	got = (int)sys(PIDFD_GETFD, fd, ends[1], 0);
	is_true(got >= 0, got, "the child's descriptor");
	is(sys(PIDFD_GETFD, fd, 999, 0), -EBADF, "one that it has not");
	is(sys(PIDFD_GETFD, 1, 0, 0), -EBADF, "of a file that is none");
	is(sys(SYS_waitid, PIDFD, fd, &info, WEXITED | WNOHANG, NULL), 0, "a look at its end");
	is(info.si_pid, 0, "which has not come");
	is(sys(SYS_write, got, "\007", 1), 1, "the pipe is the same");
	is(ready(fd, 2000), POLLIN, "the child ends");
	is(sys(SYS_waitid, PIDFD, fd, &info, WEXITED, NULL), 0, "waitid");
	is(info.si_pid, child, "is of the child");
	is(info.si_status, 7, "and has its status");
	is(sys(SYS_waitid, PIDFD, fd, &info, WEXITED, NULL), -ECHILD, "once only");
	is(sys(PIDFD_SEND, fd, SIGTERM, NULL, 0), -ESRCH, "it gets no signals any more");
	is(sys(SYS_waitid, PIDFD, 1, &info, WEXITED, NULL), -EBADF, "of a file that is none");
	close(fd);
	close(got);
	close(ends[0]);
	close(ends[1]);
}

static void test_kill(void)
{
	int epoll = epoll_create1(0), status, fd;
	struct epoll_event event = { .events = EPOLLIN };
	pid_t child = fork();

	if (!child)
		for (;;)
			pause();
	fd = (int)sys(PIDFD_OPEN, child, O_NONBLOCK);
	is(sys(SYS_waitid, PIDFD, fd, NULL, WEXITED, NULL), -EAGAIN, "a nonblocking one does not wait");
	is(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0, "epoll");
	is(sys(PIDFD_SEND, fd, SIGKILL, NULL, 0), 0, "killed");
	is(epoll_wait(epoll, &event, 1, 2000), 1, "which is told");
	sys(SYS_wait4, child, &status, 0, NULL);
	is(status, SIGKILL, "as its status is");
	close(fd);
	close(epoll);
}

/* The kernel's struct clone_args. */
struct arguments {
	unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, rest[4];
};

static void test_clone3(void)
{
	struct arguments arguments = { .exit_signal = SIGCHLD };
	int fd = -1, tid = -1, status;
	long child;

	is(sys(CLONE3, &arguments, 8), -EINVAL, "too few arguments");
	is(sys(CLONE3, &arguments, 5000), -E2BIG, "too many");
	arguments.rest[3] = 1;
	is(sys(CLONE3, &arguments, sizeof(arguments)), -E2BIG, "one that is not known");
	arguments.rest[3] = 0;
	arguments.flags = SIGCHLD;
	is(sys(CLONE3, &arguments, 64), -EINVAL, "a signal among the flags");
	arguments.flags = CLONE_PIDFD_ | 0x100000; /* CLONE_PARENT_SETTID */
	arguments.stack_size = 4096;
	is(sys(CLONE3, &arguments, 64), -EINVAL, "a stack without a place");
	arguments.stack_size = 0;
	arguments.pidfd = 8;
	is(sys(CLONE3, &arguments, 64), -EFAULT, "no place for the descriptor");
	arguments.pidfd = (unsigned long)&fd;
	arguments.parent_tid = (unsigned long)&tid;
	child = sys(CLONE3, &arguments, 64);
	if (!child)
		_exit(3);
	is_true(child > 0, child, "a child");
	is(tid, child, "its number");
	is_true(fd >= 0, fd, "its file");
	is(ready(fd, 2000), POLLIN, "it ends");
	is(sys(SYS_wait4, child, &status, 0, NULL), child, "and is waited for");
	is(status, EXITED(3), "with its status");
	close(fd);
	child = sys(SYS_clone, CLONE_PIDFD_ | SIGCHLD, 0, &fd, NULL, 0);
	if (!child)
		_exit(4);
	is(ready(fd, 2000), POLLIN, "clone has the flag, too");
	sys(SYS_wait4, child, &status, 0, NULL);
	is(sys(SYS_clone, CLONE_PIDFD_ | 0x100000 | SIGCHLD, 0, &fd, NULL, 0), -EINVAL, "but not both numbers");
	close(fd);
}

static void test_signalfd(void)
{
	struct signalfd_siginfo got[3];
	union sigval value = { .sival_int = 1234 };
	int epoll = epoll_create1(0), fd, other;
	struct epoll_event event = { .events = EPOLLIN };
	unsigned long mask = 1UL << (SIGUSR1 - 1) | 1UL << (SIGRTMIN - 1), old;

	is(sys(SYS_signalfd4, -1, &mask, 4, 0), -EINVAL, "a mask of the wrong size");
	is(sys(SYS_signalfd4, -1, &mask, 8, 1), -EINVAL, "a flag that is none");
	is(sys(SYS_signalfd4, 999, &mask, 8, 0), -EBADF, "a descriptor that is not open");
	is(sys(SYS_signalfd4, 1, &mask, 8, 0), -EINVAL, "a file that is none");
	sys(SYS_rt_sigprocmask, SIG_BLOCK, &mask, &old, 8);
	fd = (int)sys(SYS_signalfd4, -1, &mask, 8, SFD_NONBLOCK | SFD_CLOEXEC);
	is_true(fd >= 0, fd, "signalfd");
	is(sys(SYS_read, fd, got, sizeof(got)), -EAGAIN, "no signal waits");
	is(sys(SYS_read, fd, got, 100), -EINVAL, "too little room");
	is(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0, "epoll");
	is(epoll_wait(epoll, &event, 1, 0), 0, "has nothing");
	kill(getpid(), SIGUSR1);
	is(ready(fd, 0), POLLIN, "a signal");
	is(epoll_wait(epoll, &event, 1, 0), 1, "is told");
	sigqueue(getpid(), SIGRTMIN, value);
	is(sys(SYS_read, fd, got, sizeof(got)), 2 * sizeof(got[0]), "two are read");
	is(got[0].ssi_signo, SIGUSR1, "the first");
	is(got[0].ssi_pid, getpid(), "and who sent it");
	is(got[1].ssi_signo, SIGRTMIN, "the second");
	is(got[1].ssi_int, 1234, "and its value");
	is(got[1].ssi_code, SI_QUEUE, "and how it was sent");
	is(sys(SYS_read, fd, got, sizeof(got)), -EAGAIN, "then there is none");
	mask = 1UL << (SIGUSR2 - 1);
	is(sys(SYS_signalfd4, fd, &mask, 8, 0), fd, "another mask");
	kill(getpid(), SIGUSR1);
	is(ready(fd, 0), 0, "the signals before are not its own any more");
	other = (int)sys(SYS_signalfd, -1, &mask, 8);
	is_true(other >= 0, other, "the old call");
	close(other);
	/* Take the signal that is still pending by a wait, as other programs do. */
	mask = 1UL << (SIGUSR1 - 1);
	is(sys(SYS_rt_sigtimedwait, &mask, NULL, NULL, 8), SIGUSR1, "which others take");
	close(fd);
	close(epoll);
	sys(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8);
}

/* Check that a signal of another process wakes a blocked read. */
static void test_blocking(void)
{
	struct signalfd_siginfo got;
	unsigned long mask = 1UL << (SIGCHLD - 1), old;
	int fd, status;
	pid_t child;

	sys(SYS_rt_sigprocmask, SIG_BLOCK, &mask, &old, 8);
	fd = (int)sys(SYS_signalfd4, -1, &mask, 8, 0);
	child = fork();
	if (!child)
		_exit(9);
	is(sys(SYS_read, fd, &got, sizeof(got)), sizeof(got), "a read waits for a child's end");
	is(got.ssi_pid, child, "and tells which child");
	is(got.ssi_status, 9, "and its status");
	sys(SYS_wait4, child, &status, 0, NULL);
	close(fd);
	sys(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8);
}

/* ---- kcmp ---- */

#define KCMP 312 /* the system call's number */

enum { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND };

static void test_comparison(void)
{
	int fds[2], copy = dup(1), own = getpid();
	long first, second;
	pid_t child;

	is(pipe(fds), 0, "a pipe");
	child = fork();
	if (!child) {
		char byte;

		close(fds[1]);
		_exit((int)read(fds[0], &byte, 1));
	}
	is(sys(KCMP, own, own, KCMP_FILE, 1, copy), 0, "a descriptor's copy is the same file");
	is(sys(KCMP, own, child, KCMP_FILE, fds[0], fds[0]), 0, "as a child's is");
	first = sys(KCMP, own, own, KCMP_FILE, fds[0], fds[1]);
	second = sys(KCMP, own, own, KCMP_FILE, fds[1], fds[0]);
	is_true((first == 1 && second == 2) || (first == 2 && second == 1), first, "others have an order");
	is(sys(KCMP, own, own, KCMP_VM, 0, 0), 0, "a process has its memory");
	is_true(sys(KCMP, own, child, KCMP_VM, 0, 0) > 0, 0, "a child another");
	is_true(sys(KCMP, own, child, KCMP_FILES, 0, 0) > 0, 0, "and other descriptors");
	is_true(sys(KCMP, own, child, KCMP_FS, 0, 0) > 0, 0, "and another directory");
	is_true(sys(KCMP, own, child, KCMP_SIGHAND, 0, 0) > 0, 0, "and other handlers");
	is(sys(KCMP, own, own, KCMP_FILE, 1, 999), -EBADF, "no file");
	is(sys(KCMP, own, own, 99, 0, 0), -EINVAL, "an unknown type");
	is(sys(KCMP, own, 0x3ffff0, KCMP_VM, 0, 0), -ESRCH, "no process");
	close(fds[1]);
	close(fds[0]);
	close(copy);
	waitpid(child, NULL, 0);
}

int main(void)
{
	test_pidfd();
	test_kill();
	test_clone3();
	test_signalfd();
	test_blocking();
	test_comparison();
	return finish();
}
