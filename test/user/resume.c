/*
 * Tests calls with a time span that a signal interrupts. After SIGSTOP and SIGCONT each must end at the time at which
 * it would have ended anyway, as if nothing had happened, or return EINTR where Linux does; after a handler it must
 * return EINTR. Tests what poll and select leave in their arguments, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define SPAN_MS 600 /* how long the calls wait */
#define STOP_MS 800 /* how long the process is stopped */
#define SOON_MS 300 /* a call whose time is over has returned this long after SIGCONT */
#define TRIES   10  /* how often a check is tried, since a host that stalls the machine spoils a try */
#define SET     8   /* bytes of a set of signals */

/* What a child that makes a call tells its parent. */
static struct told {
	volatile long result;
	volatile long end_ms;  /* when the call returned */
	volatile long hits;    /* how often the handler ran */
	volatile long left_ms; /* the time span after the call, if the call changes it */
	volatile long extra;
} * told;

static int pipe_fds[2], epoll;

static long now_ms(void)
{
	struct timespec time;

	sys(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void rest_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	sys(SYS_nanosleep, &time, NULL);
}

/* Wait until /proc says that `pid` is in that state. */
static void wait_state(int pid, char state)
{
	char path[32], text[200] = "", *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		int fd = (int)sys(SYS_open, path, O_RDONLY);

		sys(SYS_read, fd, text, sizeof(text) - 1);
		close(fd);
		at = strrchr(text, ')');
		sys(SYS_sched_yield);
	} while (!at || at[2] != state);
}

static void handle(int signal)
{
	(void)signal;
	told->hits++;
}

/* ---- the calls ---- */

static const struct timespec span = { SPAN_MS / 1000, SPAN_MS % 1000 * 1000000 };

static long left_of(const struct timespec *time)
{
	return time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

static long call_nanosleep(void)
{
	struct timespec rest = { 99, 0 };
	long result = sys(SYS_nanosleep, &span, &rest);

	told->left_ms = left_of(&rest);
	return result;
}

static long call_sleep_until(void)
{
	struct timespec at;

	sys(SYS_clock_gettime, CLOCK_MONOTONIC, &at);
	at.tv_nsec += span.tv_nsec;
	at.tv_sec += span.tv_sec + at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static long call_futex(void)
{
	int word = 1;

	return sys(SYS_futex, &word, 128 /* FUTEX_PRIVATE_FLAG */, 1, &span, NULL, 0);
}

static long call_futex_shared(void)
{
	int word = 1;

	return sys(SYS_futex, &word, 0, 1, &span, NULL, 0);
}

static long call_poll(void)
{
	struct pollfd file = { pipe_fds[0], POLLIN, 0x7777 };
	long result = sys(SYS_poll, &file, 1, SPAN_MS);

	told->extra = (unsigned short)file.revents;
	return result;
}

static long call_ppoll(void)
{
	struct pollfd file = { pipe_fds[0], POLLIN, 0x7777 };
	struct timespec time = span;
	long result = sys(SYS_ppoll, &file, 1, &time, NULL, SET);

	told->extra = (unsigned short)file.revents;
	told->left_ms = left_of(&time);
	return result;
}

static long call_select(void)
{
	struct timeval time = { SPAN_MS / 1000, SPAN_MS % 1000 * 1000 };
	fd_set set;
	long result;

	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	result = sys(SYS_select, pipe_fds[0] + 1, &set, NULL, NULL, &time);
	told->extra = FD_ISSET(pipe_fds[0], &set);
	told->left_ms = time.tv_sec * 1000 + time.tv_usec / 1000;
	return result;
}

static long call_pselect(void)
{
	struct timespec time = span;
	fd_set set;
	long result;

	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	result = sys(SYS_pselect6, pipe_fds[0] + 1, &set, NULL, NULL, &time, NULL);
	told->extra = FD_ISSET(pipe_fds[0], &set);
	told->left_ms = left_of(&time);
	return result;
}

static long call_epoll(void)
{
	struct epoll_event event;

	return sys(SYS_epoll_wait, epoll, &event, 1, SPAN_MS);
}

static long call_sigtimedwait(void)
{
	uint64_t set = 1UL << (SIGUSR2 - 1);

	return sys(SYS_rt_sigtimedwait, &set, NULL, &span, SET);
}

static const struct call {
	const char *name;
	long (*make)(void);
	long stopped; /* the result after SIGSTOP and SIGCONT */
	bool goes_on; /* the time runs on during a stop; else the call waits for what was left then */
	bool left;    /* the call stores how much time is left */
	long handled; /* what `extra` is after a handler has run; after a stop it is 0 */
} calls[] = {
	{ "nanosleep", call_nanosleep, 0, true, true, 0 },
	{ "clock_nanosleep until a time", call_sleep_until, 0, true, false, 0 },
	{ "futex", call_futex, -ETIMEDOUT, true, false, 0 },
	{ "futex, shared", call_futex_shared, -ETIMEDOUT, true, false, 0 },
	{ "poll", call_poll, 0, true, false, 0 },
	{ "ppoll", call_ppoll, 0, false, true, 0 },
	{ "select", call_select, 0, false, true, 1 },
	{ "pselect", call_pselect, 0, false, true, 1 },
	{ "epoll_wait", call_epoll, -EINTR, true, false, 0 },
	{ "sigtimedwait", call_sigtimedwait, -EINTR, true, false, 0 },
};

/* Start a child that makes the call, and return once it waits there. */
static int start(const struct call *call, int flags)
{
	struct sigaction action = { .sa_handler = handle, .sa_flags = flags };
	int pid;

	memset(told, 0, sizeof(*told));
	told->result = 1;
	pid = fork();
	if (pid == 0) {
		sigaction(SIGUSR1, &action, NULL);
		told->result = call->make();
		told->end_ms = now_ms();
		/* The interrupted call must not be there to be restarted any more. */
		if (told->hits && sys(SYS_restart_syscall) != -EINTR)
			told->result = 2;
		_exit(0);
	}
	wait_state(pid, 'S');
	return pid;
}

/* Stop the child in its call, and let it go on. Returns how long after SIGCONT the call ended. */
static long stop(const struct call *call)
{
	int pid = start(call, 0);
	long continued;

	sys(SYS_kill, pid, SIGSTOP);
	wait_state(pid, 'T');
	rest_ms(STOP_MS);
	continued = now_ms();
	sys(SYS_kill, pid, SIGCONT);
	sys(SYS_wait4, pid, NULL, 0, NULL);
	return told->end_ms - continued;
}

static void test_stop(const struct call *call)
{
	long late = stop(call);

	for (int tries = 1; call->goes_on && tries < TRIES && late > SOON_MS; tries++)
		late = stop(call);
	is(told->result, call->stopped, call->name);
	if (call->goes_on)
		is_between(late, 0, SOON_MS, "ends when it would have, were it not stopped");
	is(told->extra, 0, "and finds nothing");
}

static void test_handler(const struct call *call, int flags)
{
	int pid = start(call, flags);

	sys(SYS_kill, pid, SIGUSR1);
	sys(SYS_wait4, pid, NULL, 0, NULL);
	is(told->result, -EINTR, call->name);
	is(told->hits, 1, "after a handler");
	is(told->extra, call->handled, "leaves in its arguments what Linux does");
	if (call->left)
		is_between(told->left_ms, 0, SPAN_MS, "and tells how much time is left");
}

static void test_rest(void)
{
	struct timeval time = { 0, 1000 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipe_fds[1], &set);
	is(sys(SYS_select, pipe_fds[1] + 1, NULL, &set, NULL, &time), 1, "select finds a pipe that can be written");
	is(time.tv_sec, 0, "before its time is over");
	is_between(time.tv_usec, 0, 1000, "and tells the microseconds that are left");
	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	is(sys(SYS_select, pipe_fds[0] + 1, &set, NULL, NULL, &time), 0, "select whose time ends");
	is_true(time.tv_sec == 0 && time.tv_usec == 0, time.tv_usec, "has no time left");
	is(FD_ISSET(pipe_fds[0], &set), 0, "and finds nothing");
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	if (pipe(pipe_fds) != 0)
		bail("pipe", errno);
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_fds[0], &event);
	for (size_t i = 0; i < COUNT(calls); i++) {
		test_stop(&calls[i]);
		test_handler(&calls[i], 0);
		test_handler(&calls[i], SA_RESTART);
	}
	test_rest();
	return finish();
}
