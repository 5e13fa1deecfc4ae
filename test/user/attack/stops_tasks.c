/* Many tasks, timers and waiters that one call, or one moment, concerns; see stops.h. */
#define _GNU_SOURCE
#include "test/user/attack/stops.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define STACK_SIZE 4096UL

/* What the threads of start_threads() do, and how many have begun. */
static struct {
	int fd, *word;
	unsigned long begun;
} shared;

/* Start `many` threads, which run `body` and end the whole process when it returns. Returns when all have begun. */
static void start_threads(unsigned long many, int (*body)(void *))
{
	char *stacks = mmap(NULL, many * STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	if (stacks == MAP_FAILED)
		_exit(2);
	for (unsigned long i = 0; i < many; i++)
		if (clone(body, stacks + (i + 1) * STACK_SIZE, flags, NULL) < 0)
			_exit(3);
	while (__atomic_load_n(&shared.begun, __ATOMIC_ACQUIRE) < many)
		usleep(1000);
	usleep(1000);
}

static void begun(void)
{
	__atomic_add_fetch(&shared.begun, 1, __ATOMIC_RELEASE);
}

static int pauses(void *unused)
{
	(void)unused;
	begun();
	sys(SYS_pause);
	return 0;
}

static void threads_exit(unsigned long many)
{
	start_threads(many, pauses);
	sys(SYS_exit_group, 0);
}

/* SIGSTOP, SIGCONT and SIGKILL go to all threads. */
static void threads_signals(unsigned long many)
{
	volatile int *ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t other = fork();

	if (other == 0) {
		start_threads(many, pauses);
		*ready = 1;
		sys(SYS_pause);
	}
	while (!*ready && waitpid(other, NULL, WNOHANG) == 0)
		usleep(1000);
	kill(other, SIGSTOP);
	usleep(1000);
	kill(other, SIGCONT);
	usleep(1000);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}

/* execve(2) ends all threads but one. */
static void threads_exec(unsigned long many)
{
	char *words[] = { (char *)"/test/stops", (char *)"nothing", NULL };

	start_threads(many, pauses);
	execv(words[0], words);
}

static int reads(void *unused)
{
	char bytes[8];

	(void)unused;
	begun();
	(void)!read(shared.fd, bytes, sizeof(bytes));
	sys(SYS_pause);
	return 0;
}

/* Threads that all read one pipe, which gets a byte, many bytes, and then its end. */
static void pipe_readers(unsigned long many)
{
	char bytes[4096] = { 0 };
	int ends[2];

	if (pipe(ends) != 0)
		_exit(2);
	shared.fd = ends[0];
	start_threads(many, reads);
	(void)!write(ends[1], bytes, 1);
	(void)!write(ends[1], bytes, sizeof(bytes));
	usleep(1000);
	close(ends[1]);
	usleep(1000);
}

static void event_readers(unsigned long many)
{
	uint64_t one = 1, lot = many;

	shared.fd = (int)sys(SYS_eventfd2, 0, 1 /* EFD_SEMAPHORE */);
	start_threads(many, reads);
	(void)!write(shared.fd, &one, sizeof(one));
	usleep(1000);
	(void)!write(shared.fd, &lot, sizeof(lot));
	usleep(1000);
}

static int waits(void *unused)
{
	struct epoll_event event;

	(void)unused;
	begun();
	sys(SYS_epoll_wait, shared.fd, &event, 1, -1);
	sys(SYS_pause);
	return 0;
}

/* Threads that all wait for one epoll file. */
static void epoll_waiters(unsigned long many)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = (int)sys(SYS_eventfd2, 0, 0);
	uint64_t one = 1;

	shared.fd = epoll_create1(0);
	if (epoll_ctl(shared.fd, EPOLL_CTL_ADD, fd, &event) != 0)
		_exit(2);
	start_threads(many, waits);
	(void)!write(fd, &one, sizeof(one));
	usleep(1000);
}

static int waits_for_word(void *word)
{
	begun();
	sys(SYS_futex, shared.word, 128, 0, NULL);
	(void)word;
	sys(SYS_pause);
	return 0;
}

/* Threads that wait for a futex: all are moved to another one, and all are woken; some more are woken at once. */
static void futex_threads(unsigned long many)
{
	static int words[2];

	shared.word = words;
	start_threads(many, waits_for_word);
	sys(SYS_futex, words, 3 | 128, 0, many, words + 1, 0); /* FUTEX_REQUEUE */
	sys(SYS_futex, words + 1, 3 | 128, 0, many / 2, words, 0);
	sys(SYS_futex, words, 5 | 128, many, many, words + 1, 0); /* FUTEX_WAKE_OP */
	usleep(1000);
}

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define WAITS_MOST 128 /* FUTEX_WAITV_MAX */

/* futex_waitv(2)'s struct futex_waitv. */
static struct {
	uint64_t value, at;
	uint32_t flags, reserved;
} wishes[WAITS_MOST];

static int waits_often(void *unused)
{
	(void)unused;
	begun();
	sys(SYS_futex_waitv, wishes, WAITS_MOST, 0, NULL, 0);
	sys(SYS_pause);
	return 0;
}

/* Threads each of which waits for one word as often as a call may: one call wakes all these waits. */
static void futex_waits(unsigned long many)
{
	static int word;

	for (size_t i = 0; i < WAITS_MOST; i++) {
		wishes[i].at = (uint64_t)&word;
		wishes[i].flags = 2 | 128; /* FUTEX_32, private */
	}
	start_threads(many, waits_often);
	if (sys(SYS_futex, &word, 1 | 128 /* FUTEX_WAKE */, many * WAITS_MOST) < (long)(many * WAITS_MOST / 2))
		_exit(3);
}

/* ---- processes ---- */

/* Start `many` processes that wait for a signal, in a group of their own; returns the group. */
static pid_t start_processes(unsigned long many, void (*body)(void))
{
	pid_t first = fork(), other;

	if (first == 0) {
		setpgid(0, 0);
		body();
		_exit(0);
	}
	setpgid(first, first);
	for (unsigned long i = 1; i < many; i++) {
		other = fork();
		if (other == 0) {
			setpgid(0, first);
			body();
			_exit(0);
		}
		if (other < 0) {
			kill(-first, SIGKILL);
			_exit(errno);
		}
	}
	usleep(1000);
	return first;
}

static void waits_for_signal(void)
{
	signal(SIGUSR1, SIG_IGN);
	for (;;)
		pause();
}

static void on_child(int number)
{
	(void)number;
}

/* One signal stops, continues and kills many processes, whose parent then waits for all of them. */
static void group_signals(unsigned long many)
{
	pid_t group = start_processes(many, waits_for_signal);

	signal(SIGCHLD, on_child);
	kill(-group, SIGSTOP);
	usleep(1000);
	waitpid(-group, NULL, WUNTRACED | WNOHANG);
	kill(-group, SIGCONT);
	waitpid(-1, NULL, WCONTINUED | WNOHANG);
	kill(-group, SIGUSR1);
	sys(SYS_getpriority, PRIO_PGRP, group);
	sys(SYS_setpriority, PRIO_PGRP, group, 1);
	sys(SYS_ioprio_set, 2, group, 0);
	sys(SYS_ioprio_get, 2, group);
	kill(-group, SIGKILL);
	while (wait(NULL) > 0)
		;
}

/* All die before anybody waits for one. */
static void many_zombies(unsigned long many)
{
	pid_t group = start_processes(many, waits_for_signal);
	siginfo_t info;

	kill(-group, SIGKILL);
	usleep(500000);
	sys(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOWAIT, NULL);
	waitpid(-group, NULL, 0);
	signal(SIGCHLD, SIG_IGN);
}

static struct timespec together; /* when the timers of all processes go off */

static long ns_left(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (together.tv_sec - now.tv_sec) * 1000000000L + together.tv_nsec - now.tv_nsec;
}

static void rings(void)
{
	struct itimerval at = { { 0, 0 }, { 0, ns_left() / 1000 } };

	signal(SIGALRM, on_child);
	setitimer(ITIMER_REAL, &at, NULL);
	pause();
}

static void sleeps(void)
{
	sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &together, NULL);
}

static void in_milliseconds(long ms)
{
	clock_gettime(CLOCK_MONOTONIC, &together);
	together.tv_sec += ms / 1000;
	together.tv_nsec += ms % 1000 * 1000000;
	if (together.tv_nsec >= 1000000000) {
		together.tv_nsec -= 1000000000;
		together.tv_sec++;
	}
}

static void alarms(unsigned long many)
{
	in_milliseconds((long)many / 10 + 20);
	start_processes(many, rings);
	while (wait(NULL) > 0)
		;
}

static void sleepers(unsigned long many)
{
	in_milliseconds((long)many / 10 + 20);
	start_processes(many, sleeps);
	while (wait(NULL) > 0)
		;
}

/*
 * Timers of descriptors, which go off at once, again and again, watched by one epoll file; then the wall clock is
 * set.
 */
static void descriptor_timers(unsigned long many)
{
	struct epoll_event event = { .events = EPOLLIN }, ready[64];
	struct itimerspec at = { { 0, 20000000 }, { 0, 0 } };
	int epoll = epoll_create1(0);
	struct timespec now;

	in_milliseconds((long)many / 20 + 5);
	at.it_value = together;
	for (unsigned long i = 0; i < many; i++) {
		int fd = timerfd_create(i % 4 ? CLOCK_MONOTONIC : CLOCK_REALTIME, 0);

		if (timerfd_settime(fd, i % 4 ? TFD_TIMER_ABSTIME : TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at,
				    NULL) != 0 ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
			_exit(2);
	}
	for (int i = 0; i < 10; i++)
		epoll_wait(epoll, ready, 64, 20);
	clock_gettime(CLOCK_REALTIME, &now);
	clock_settime(CLOCK_REALTIME, &now);
}

static void many_signals(unsigned long many)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	union sigval value = { 0 };
	sigset_t all;

	setrlimit(RLIMIT_SIGPENDING, &limit);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (unsigned long i = 0; i < many; i++)
		if (sigqueue(getpid(), SIGRTMIN + (int)(i % 2), value) != 0)
			_exit(2);
	signal(SIGRTMIN, SIG_IGN);
	/* The rest is dropped at the end. */
}

const struct stops_case stops_tasks[] = {
	{ "exit_group of many threads", threads_exit, 1000, 5000, 0 },
	{ "signals to many threads", threads_signals, 1000, 2500, 0 },
	{ "exec of many threads", threads_exec, 1000, 5000, 0 },
	{ "threads that read one pipe", pipe_readers, 1000, 2500, 0 },
	{ "threads that read one counter", event_readers, 1000, 2500, 0 },
	{ "threads that wait for one epoll file", epoll_waiters, 1000, 2500, 0 },
	{ "threads that wait for one futex", futex_threads, 1000, 2500, 0 },
	{ "threads that wait often for one futex", futex_waits, 400, 1000, 0 },
	{ "signals to a large group", group_signals, 1000, 5000, 0 },
	{ "many zombies", many_zombies, 1000, 5000, 0 },
	{ "alarms that are due at once", alarms, 1000, 1000, 0 },
	{ "sleepers that are due at once", sleepers, 1000, 1000, 0 },
	{ "timers of descriptors that are due at once", descriptor_timers, 1000, 10000, 0 },
	{ "signals that are dropped at once", many_signals, 10000, 100000, 0 },
	{ NULL, NULL, 0, 0, 0 },
};
