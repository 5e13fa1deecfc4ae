/* What a program asks to be told of: timers, signals, changes of files, stops of a child; and a path as a user. See bench.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/bench/bench.h"

#define USER  1000
#define DEPTH 10

/* A timer of POSIX's, made, set and deleted. */
uint64_t bench_timer(unsigned count)
{
	const struct itimerspec hour = { .it_value = { .tv_sec = 3600 } };
	long result = 0;
	uint64_t start = meter_read();

	for (unsigned i = 0; i < count; i++) {
		int timer = -1;

		result |= sys(SYS_timer_create, CLOCK_MONOTONIC, NULL, &timer);
		result |= sys(SYS_timer_settime, timer, 0, &hour, NULL);
		result |= sys(SYS_timer_delete, timer);
	}
	start = meter_read() - start;
	if (result != 0)
		failed("a timer", result);
	return start;
}

/* A signal to oneself, read. */
uint64_t bench_signalfd(unsigned count)
{
	const uint64_t mask = 1UL << (SIGUSR2 - 1);
	long self = sys(SYS_getpid), fd, result = 0;
	struct signalfd_siginfo info;
	uint64_t start;

	sys(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, sizeof(mask));
	fd = sys(SYS_signalfd4, -1, &mask, sizeof(mask), 0);
	start = meter_read();
	for (unsigned i = 0; i < count; i++) {
		result += sys(SYS_kill, self, SIGUSR2);
		result += sys(SYS_read, fd, &info, sizeof(info));
	}
	start = meter_read() - start;
	if (result != (long)(count * sizeof(info)))
		failed("signals that were read", result);
	sys(SYS_close, fd);
	sys(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, sizeof(mask));
	return start;
}

/* A byte is written to a file that is watched, and the event read. */
uint64_t bench_inotify(unsigned count)
{
	static const char name[] = "/tmp/watched";
	long file = sys(SYS_open, name, O_RDWR | O_CREAT, 0644), watches = sys(SYS_inotify_init1, 0), result = 0;
	struct inotify_event event;
	uint64_t start;

	if (file < 0 || sys(SYS_inotify_add_watch, watches, name, IN_MODIFY) < 0)
		failed("a watch", file);
	start = meter_read();
	for (unsigned i = 0; i < count; i++) {
		result += sys(SYS_pwrite64, file, name, 1, 0);
		result += sys(SYS_read, watches, &event, sizeof(event));
	}
	start = meter_read() - start;
	if (result != (long)(count * (1 + sizeof(event))) || event.mask != IN_MODIFY)
		failed("events of a file", result);
	sys(SYS_close, watches);
	sys(SYS_close, file);
	sys(SYS_unlink, name);
	return start;
}

/* A child that makes calls stops at the entry and the end of each. An operation is one stop: let go on, wait. */
uint64_t bench_trace_stop(unsigned count)
{
	long child = fork_child(), result = 0;
	int status = 0;
	uint64_t start;

	if (child == 0) {
		sys(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
		sys(SYS_kill, sys(SYS_getpid), SIGSTOP);
		for (;;)
			sys(SYS_getppid);
	}
	if (sys(SYS_wait4, child, &status, 0, NULL) != child || !WIFSTOPPED(status))
		failed("a child that stops", status);
	sys(SYS_ptrace, PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
	start = meter_read();
	for (unsigned i = 0; i < count; i++) {
		result |= sys(SYS_ptrace, PTRACE_SYSCALL, child, 0, 0);
		result |= sys(SYS_wait4, child, &status, 0, NULL) - child;
	}
	start = meter_read() - start;
	if (result != 0 || !WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80))
		failed("stops of a child", status);
	sys(SYS_kill, child, SIGKILL);
	sys(SYS_wait4, child, &status, 0, NULL);
	return start;
}

/* Make /tmp/d/d/…, DEPTH directories, and a file in the last. */
static void make_deep(char *path, size_t size)
{
	int length = snprintf(path, size, "/tmp"), file;

	for (int i = 0; i < DEPTH; i++) {
		length += snprintf(path + length, size - (size_t)length, "/d");
		mkdir(path, 0755);
	}
	snprintf(path + length, size - (size_t)length, "/file");
	file = open(path, O_RDWR | O_CREAT, 0644);
	if (file < 0)
		failed("a file in deep directories", file);
	close(file);
}

/* A file below ten directories, opened and closed by a user who owns none of them. */
uint64_t bench_open_deep(unsigned count)
{
	char path[64];
	long result = 0;
	uint64_t start;

	make_deep(path, sizeof(path));
	if (sys(SYS_setresuid, -1, USER, -1) != 0)
		failed("setresuid", 0);
	start = meter_read();
	for (unsigned i = 0; i < count; i++) {
		long fd = sys(SYS_open, path, O_RDONLY, 0);

		result |= fd < 0 ? fd : sys(SYS_close, fd);
	}
	start = meter_read() - start;
	sys(SYS_setresuid, -1, 0, -1);
	if (result != 0)
		failed("open as a user", result);
	return start;
}
