/*
 * Tests eventfd, timerfd and epoll: level, edge, one-shot, nesting, and files that are closed while they are watched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KERNEL ((void *)(-1UL << 31))
#define END    ((char *)0x7ffffffff000) /* the end of user addresses */
#define MS     1000000L

static uint64_t counter;

static long take(int fd)
{
	counter = 0;
	return sys(SYS_read, fd, &counter, 8);
}

static long give(int fd, uint64_t value)
{
	return sys(SYS_write, fd, &value, 8);
}

static short ready(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN | POLLOUT };

	return sys(SYS_poll, &entry, 1, 0) < 0 ? -1 : entry.revents;
}

static void test_eventfd(void)
{
	int fd = (int)sys(SYS_eventfd2, 3, EFD_NONBLOCK), semaphore = (int)sys(SYS_eventfd2, 2, 1 | EFD_NONBLOCK);
	char small[7];

	is_true(fd >= 0 && semaphore >= 0, fd, "eventfd2");
	is(ready(fd), POLLIN | POLLOUT, "one with a count can be read and written");
	is(take(fd), 8, "a read of it");
	is((long)counter, 3, "gives the count");
	is(take(fd), -EAGAIN, "and then there is none");
	is(ready(fd), POLLOUT, "so it can be written only");
	is(give(fd, 5) + give(fd, 6), 16, "two writes");
	is(take(fd), 8, "are read together");
	is((long)counter, 11, "as their sum");
	is(sys(SYS_read, fd, small, 7), -EINVAL, "seven bytes are too few to read");
	is(sys(SYS_write, fd, small, 7), -EINVAL, "and to write");
	is(give(fd, ~0ULL), -EINVAL, "the largest number cannot be added");
	is(give(fd, ~0ULL - 1), 8, "the one below can");
	is(give(fd, 1), -EAGAIN, "and then no more");
	is(ready(fd), POLLIN, "so it can be read only");
	is(sys(SYS_write, fd, KERNEL, 8), -EFAULT, "a write from a kernel address");
	is(take(semaphore), 8, "a semaphore's read");
	is((long)counter, 1, "gives 1");
	is(take(semaphore) + take(semaphore), 8 - EAGAIN, "as often as it counts");
	is(sys(SYS_eventfd2, 0, 2), -EINVAL, "a flag that is none");
	close(fd);
	close(semaphore);
}

static int add_later(void *fd)
{
	usleep(20000);
	return give(*(int *)fd, 42) != 8;
}

static void test_blocking_eventfd(void)
{
	int fd = (int)sys(SYS_eventfd2, 0, 0);
	pid_t child = fork();

	if (!child)
		_exit(add_later(&fd));
	is(take(fd), 8, "a read waits for a count");
	is((long)counter, 42, "of another process");
	is(sys(SYS_wait4, child, NULL, 0, NULL), child, "which ends");
	close(fd);
}

static int watch(int epoll, int operation, int fd, unsigned events)
{
	struct epoll_event event = { .events = events, .data.u64 = 0x1234567800000000UL + (unsigned)fd };

	return (int)sys(SYS_epoll_ctl, epoll, operation, fd, &event);
}

/*
 * Poll `epoll` without waiting. Returns 0 when there is no event, the first event's bits, or -1 when its data is wrong.
 */
static long look(int epoll)
{
	struct epoll_event events[4];
	long count = sys(SYS_epoll_pwait, epoll, events, 4, 0, NULL, 8);

	if (count <= 0)
		return count;
	return events[0].data.u64 >> 32 == 0x12345678 ? (long)events[0].events : -1;
}

static void test_epoll_kinds(void)
{
	int epoll = (int)sys(SYS_epoll_create1, EPOLL_CLOEXEC), fd = (int)sys(SYS_eventfd2, 0, EFD_NONBLOCK);

	is_true(epoll >= 0, epoll, "epoll_create1");
	is(watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN), 0, "a file is watched");
	is(watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN), -EEXIST, "once only");
	is(look(epoll), 0, "nothing comes");
	give(fd, 1);
	is(look(epoll), EPOLLIN, "it can be read");
	is(look(epoll), EPOLLIN, "and still can: level");
	take(fd);
	is(look(epoll), 0, "until it has been");
	is(watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET), 0, "by edge");
	give(fd, 1);
	is(look(epoll), EPOLLIN, "a write is told");
	is(look(epoll), 0, "once");
	give(fd, 1);
	is(look(epoll), EPOLLIN, "each");
	is(watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT), 0, "one shot");
	is(look(epoll), EPOLLIN, "is told");
	give(fd, 1);
	is(look(epoll), 0, "and no more");
	is(watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT), 0, "until it is loaded again");
	is(look(epoll), EPOLLIN, "then it is");
	is(watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT), 0, "two events");
	is(look(epoll), EPOLLIN | EPOLLOUT, "are told together");
	is(watch(epoll, EPOLL_CTL_DEL, fd, 0), 0, "it is watched no longer");
	is(watch(epoll, EPOLL_CTL_DEL, fd, 0), -ENOENT, "and cannot be given up again");
	is(watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN), -ENOENT, "or changed");
	is(look(epoll), 0, "nothing comes of it");
	close(fd);
	close(epoll);
}

static void test_epoll_ends(void)
{
	int epoll = (int)sys(SYS_epoll_create1, 0), ends[2], copy;

	if (sys(SYS_pipe2, ends, O_NONBLOCK) != 0)
		bail("pipe2", 0);
	copy = (int)sys(SYS_dup, ends[0]);
	is(watch(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN), 0, "a pipe");
	is(sys(SYS_write, ends[1], "x", 1), 1, "with a byte in it");
	is(look(epoll), EPOLLIN, "can be read");
	close(ends[0]);
	is(look(epoll), EPOLLIN, "and is watched while a copy of the descriptor is open");
	close(copy);
	is(look(epoll), 0, "but no longer");
	close(ends[1]);
	if (sys(SYS_pipe2, ends, O_NONBLOCK) != 0)
		bail("pipe2", 0);
	watch(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN);
	watch(epoll, EPOLL_CTL_ADD, ends[1], EPOLLOUT | EPOLLET);
	is(look(epoll), EPOLLOUT, "the other end can be written");
	close(ends[1]);
	is(look(epoll), EPOLLHUP, "without it the one hangs up, asked or not");
	close(ends[0]);
	close(epoll);
}

static void test_epoll_nesting(void)
{
	int epolls[6], fd = (int)sys(SYS_eventfd2, 0, EFD_NONBLOCK), result = 0;

	for (int i = 0; i < 6; i++)
		epolls[i] = (int)sys(SYS_epoll_create1, 0);
	is(watch(epolls[0], EPOLL_CTL_ADD, epolls[0], EPOLLIN), -EINVAL, "one cannot watch itself");
	is(watch(epolls[0], EPOLL_CTL_ADD, epolls[1], EPOLLIN), 0, "but another");
	is(watch(epolls[1], EPOLL_CTL_ADD, epolls[0], EPOLLIN), -ELOOP, "which then cannot watch it");
	is(watch(epolls[1], EPOLL_CTL_ADD, fd, EPOLLIN), 0, "a file below both");
	is(look(epolls[0]), 0, "not ready");
	give(fd, 1);
	is(look(epolls[0]), EPOLLIN, "comes up when it is");
	is(look(epolls[1]), EPOLLIN, "in each");
	take(fd);
	is(look(epolls[0]), 0, "and goes down");
	for (int i = 1; i < 5; i++)
		result = result ? result : watch(epolls[i], EPOLL_CTL_ADD, epolls[i + 1], EPOLLIN);
	is(result, -ELOOP, "six deep is too deep");
	for (int i = 0; i < 6; i++)
		close(epolls[i]);
	close(fd);
}

static int close_later(void *fd)
{
	usleep(20000);
	return give(*(int *)fd, 1) != 8;
}

#define WAITERS 10

/*
 * Sum up the number that /proc/PID/status shows behind `name` for each waiter; with `name` NULL, count those that
 * sleep.
 */
static long sum_of(const pid_t *waiters, const char *name)
{
	static char text[4096];
	long sum = 0;

	for (int i = 0; i < WAITERS; i++) {
		char path[32];
		const char *at;
		long file, size;

		snprintf(path, sizeof(path), "/proc/%d/status", waiters[i]);
		file = sys(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
		size = sys(SYS_read, file, text, sizeof(text) - 1);
		sys(SYS_close, file);
		text[size > 0 ? size : 0] = '\0';
		at = strstr(text, name ? name : "State:\tS");
		sum += !at ? 0 : name ? strtol(at + strlen(name), NULL, 10) : 1;
	}
	return sum;
}

static void wait_asleep(const pid_t *waiters)
{
	const struct timespec some = { 0, 10 * MS };

	for (int i = 0; i < 500 && sum_of(waiters, NULL) < WAITERS; i++)
		sys(SYS_nanosleep, &some, NULL);
}

/* Check that an event wakes one of many tasks in epoll_wait while the others sleep on, and that two events wake two. */
static void test_epoll_wakes_one(void)
{
	static const char voluntary[] = "\nvoluntary_ctxt_switches:\t";
	int epoll = (int)sys(SYS_epoll_create1, 0), out[2], fds[2];
	pid_t waiters[WAITERS];
	char bytes[4];
	long before;

	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	if (pipe(out) != 0)
		bail("pipe", errno);
	for (int i = 0; i < 2; i++) {
		fds[i] = (int)sys(SYS_eventfd2, 0, EFD_NONBLOCK);
		watch(epoll, EPOLL_CTL_ADD, fds[i], EPOLLIN | EPOLLET);
	}
	for (int i = 0; i < WAITERS; i++) {
		waiters[i] = fork();
		if (waiters[i])
			continue;
		for (;;) {
			struct epoll_event event;

			if (sys(SYS_epoll_pwait, epoll, &event, 1, -1, NULL, 8) == 1)
				sys(SYS_write, out[1], "x", 1);
		}
	}
	wait_asleep(waiters);
	before = sum_of(waiters, voluntary);
	give(fds[0], 1);
	is(sys(SYS_read, out[0], bytes, 4), 1, "an event wakes one who waits");
	wait_asleep(waiters);
	is(sum_of(waiters, voluntary) - before, 1, "and the others sleep on");
	before = sum_of(waiters, voluntary);
	give(fds[0], 1);
	give(fds[1], 1);
	is(sys(SYS_read, out[0], bytes, 1) + sys(SYS_read, out[0], bytes, 1), 2, "two wake two");
	wait_asleep(waiters);
	before = sum_of(waiters, voluntary) - before;
	is_true(before >= 2 && before <= 3, before, "and no more");
	for (int i = 0; i < WAITERS; i++)
		kill(waiters[i], SIGKILL);
	for (int i = 0; i < WAITERS; i++)
		waitpid(waiters[i], NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(out[i]);
		close(fds[i]);
	}
	close(epoll);
}

static void test_epoll_waiting(void)
{
	int epoll = (int)sys(SYS_epoll_create1, 0), fd = (int)sys(SYS_eventfd2, 0, EFD_NONBLOCK);
	struct timespec time = { 0, MS };
	struct epoll_event event;
	pid_t child;

	watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
	is(sys(SYS_epoll_pwait, epoll, &event, 1, 5, NULL, 8), 0, "a wait that ends by time");
	is(sys(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8), 0, "and by epoll_pwait2's time");
	child = fork();
	if (!child)
		_exit(close_later(&fd));
	is(sys(SYS_epoll_pwait, epoll, &event, 1, -1, NULL, 8), 1, "one that ends by another process's write");
	is(sys(SYS_wait4, child, NULL, 0, NULL), child, "which ends");
	is(sys(SYS_epoll_pwait, epoll, KERNEL, 1, -1, NULL, 8), -EFAULT, "events to a kernel address");
	is(sys(SYS_epoll_pwait, epoll, &event, 1, -1, NULL, 8), 1, "are not lost");
	is(sys(SYS_epoll_pwait, epoll, END - sizeof(event), 1, -1, NULL, 8), -EFAULT, "nor those to where nothing is");
	is(sys(SYS_epoll_pwait, epoll, END - sizeof(event), 2, 0, NULL, 8), -EFAULT, "room beyond all addresses");
	is(sys(SYS_epoll_pwait, 99, END, 1, 0, NULL, 8), -EFAULT, "of no file, too");
	is(sys(SYS_epoll_pwait, epoll, &event, 0, -1, NULL, 8), -EINVAL, "room for no event");
	is(sys(SYS_epoll_pwait, fd, &event, 1, -1, NULL, 8), -EINVAL, "a wait at what is none");
	is(sys(SYS_epoll_pwait, 99, &event, 1, -1, NULL, 8), -EBADF, "a wait at nothing");
	is(watch(fd, EPOLL_CTL_ADD, epoll, EPOLLIN), -EINVAL, "a watch by what is none");
	is(watch(epoll, EPOLL_CTL_ADD, 99, EPOLLIN), -EBADF, "a watch of nothing");
	is(watch(epoll, 7, fd, EPOLLIN), -EINVAL, "an operation that is none");
	is(sys(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, epoll, KERNEL), -EFAULT, "an event at a kernel address");
	close(fd);
	fd = (int)sys(SYS_openat, AT_FDCWD, "/", O_RDONLY);
	is(watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN), -EPERM, "a directory is always ready");
	is(sys(SYS_epoll_create1, 1), -EINVAL, "a flag that is none");
	close(fd);
	close(epoll);
}

static void set(int fd, long value_ns, long interval_ns)
{
	struct itimerspec spec = { .it_value.tv_nsec = value_ns, .it_interval.tv_nsec = interval_ns };

	is(sys(SYS_timerfd_settime, fd, 0, &spec, NULL), 0, "timerfd_settime");
}

static void test_timerfd(void)
{
	int fd = (int)sys(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec spec = { .it_value.tv_sec = 1000, .it_interval.tv_sec = 7 }, left;
	struct timespec until = { 0, 0 };

	is_true(fd >= 0, fd, "timerfd_create");
	is(take(fd), -EAGAIN, "nothing has expired");
	is(sys(SYS_timerfd_settime, fd, 0, &spec, NULL), 0, "a timer far away");
	is(sys(SYS_timerfd_gettime, fd, &left), 0, "what is left of it");
	is_between(left.it_value.tv_sec, 900, 1000, "is nearly all");
	is(left.it_interval.tv_sec, 7, "and the interval is told");
	is(ready(fd), 0, "nothing to read");
	set(fd, MS, 0);
	sys(SYS_fcntl, fd, F_SETFL, 0);
	is(take(fd), 8, "a read waits");
	is((long)counter, 1, "for the one time that it expires");
	sys(SYS_timerfd_gettime, fd, &left);
	is(left.it_value.tv_sec + left.it_value.tv_nsec, 0, "and then none is left");
	set(fd, MS, MS);
	usleep(20000);
	is(take(fd), 8, "an interval");
	is_true(counter >= 15, (long)counter, "expires again and again");
	is(take(fd), 8, "and goes on");
	sys(SYS_clock_gettime, CLOCK_MONOTONIC, &until);
	spec = (struct itimerspec){ .it_value = until };
	is(sys(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, &spec, NULL), 0, "a time that has passed");
	is(take(fd), 8, "expires at once");
	spec.it_value.tv_nsec = 1000000000;
	is(sys(SYS_timerfd_settime, fd, 0, &spec, NULL), -EINVAL, "a second of nanoseconds");
	is(sys(SYS_timerfd_settime, 0, 0, &left, NULL), -EINVAL, "a file that is no timer");
	is(sys(SYS_timerfd_create, 77, 0), -EINVAL, "a clock that is none");
	is(sys(SYS_timerfd_gettime, fd, KERNEL), -EFAULT, "to a kernel address");
	is(give(fd, 1), -EINVAL, "it cannot be written");
	close(fd);
}

static void test_together(void)
{
	int epoll = (int)sys(SYS_epoll_create1, 0), fd = (int)sys(SYS_timerfd_create, CLOCK_REALTIME, TFD_NONBLOCK);
	struct epoll_event event;

	watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
	set(fd, MS, 0);
	is(sys(SYS_epoll_pwait, epoll, &event, 1, -1, NULL, 8), 1, "epoll waits for a timer");
	close(epoll);
	is(take(fd), 8, "which outlives it");
	set(fd, MS, MS);
	close(fd);
}

int main(void)
{
	test_eventfd();
	test_blocking_eventfd();
	test_epoll_kinds();
	test_epoll_ends();
	test_epoll_nesting();
	test_epoll_wakes_one();
	test_epoll_waiting();
	test_timerfd();
	test_together();
	return finish();
}
