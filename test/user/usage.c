/*
 * Tests getrusage, times, wait4 and /proc on CPU time (apart for user mode and the kernel), page faults, and switches
 * between tasks.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/one_cpu.h"
#include "test/user/self_stat.h"
#include "test/user/tap.h"

#define BUSY_US 500000 /* a task that computes for so long has been seen by many timer interrupts */

static char *buffer;

static long us_of(const struct timeval *time)
{
	return time->tv_sec * 1000000 + time->tv_usec;
}

static struct rusage used_by(int who)
{
	struct rusage used;

	memset(&used, 0xff, sizeof(used));
	sys(SYS_getrusage, who, &used);
	return used;
}

static long total(const struct rusage *used)
{
	return us_of(&used->ru_utime) + us_of(&used->ru_stime);
}

static long clock_us(void)
{
	struct timespec time;

	sys(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* Compute in user mode, or in the kernel, until the process has used that much CPU time. */
static void compute(long until_us)
{
	do
		for (volatile long i = 0; i < 100000; i++)
			;
	while (clock_us() < until_us);
}

static void call(long until_us)
{
	do
		for (int i = 0; i < 4; i++)
			sys(SYS_getrandom, buffer, 256 * 1024, 0);
	while (clock_us() < until_us);
}

/* ---- user and system time ---- */

static int compute_child(void *unused)
{
	(void)unused;
	compute(BUSY_US);
	return 0;
}

static int call_child(void *unused)
{
	(void)unused;
	call(BUSY_US);
	return 0;
}

/* Run a child. Returns what wait4 says that it used. */
static struct rusage child(int (*body)(void *))
{
	struct rusage used;
	int pid = fork(), status;

	if (pid == 0)
		_exit(body(NULL));
	memset(&used, 0xff, sizeof(used));
	sys(SYS_wait4, pid, &status, 0, &used);
	return used;
}

static void test_kinds(void)
{
	struct rusage computes = child(compute_child), calls = child(call_child), both = used_by(RUSAGE_CHILDREN);
	struct tms ticks;

	is_true(total(&computes) >= BUSY_US * 9 / 10, total(&computes), "a child's CPU time");
	is_between(us_of(&computes.ru_utime) * 100 / total(&computes), 60, 100, "who computes has user time");
	is_between(us_of(&calls.ru_stime) * 100 / total(&calls), 60, 100, "who makes calls has system time");
	is_between(us_of(&both.ru_utime) - us_of(&computes.ru_utime) - us_of(&calls.ru_utime), -20000, 20000,
		   "RUSAGE_CHILDREN has the user time of both");
	is_between(us_of(&both.ru_stime) - us_of(&computes.ru_stime) - us_of(&calls.ru_stime), -20000, 20000,
		   "and the system time");
	sys(SYS_times, &ticks);
	is_between(ticks.tms_cutime * 10000 - us_of(&both.ru_utime), -20000, 20000, "times has it in ticks");
	is_between(ticks.tms_cstime * 10000 - us_of(&both.ru_stime), -20000, 20000, "both of them");
}

static void test_self(void)
{
	struct rusage before = used_by(RUSAGE_SELF), now;
	long backwards = 0, start = clock_us(), first, last;
	struct tms ticks;

	while (clock_us() < start + BUSY_US) {
		compute(0);
		sys(SYS_getrandom, buffer, 4096, 0);
		now = used_by(RUSAGE_SELF);
		backwards += us_of(&now.ru_utime) < us_of(&before.ru_utime);
		backwards += us_of(&now.ru_stime) < us_of(&before.ru_stime);
		before = now;
	}
	is(backwards, 0, "neither time ever becomes less");
	first = clock_us();
	now = used_by(RUSAGE_SELF);
	last = clock_us();
	is_between(total(&now), first - 20000, last, "together they are the process's clock");
	sys(SYS_times, &ticks);
	is_between(ticks.tms_utime * 10000 - us_of(&now.ru_utime), -30000, 3000000, "times says the same");
	is_between(ticks.tms_stime * 10000 - us_of(&now.ru_stime), -30000, 3000000, "of both");
	is_between(stat_field(14) - ticks.tms_utime, -1, 300, "and so does /proc/self/stat");
	is_between(stat_field(15) - ticks.tms_stime, -1, 300, "of both");
	is_between(stat_field(16) - ticks.tms_cutime, 0, 0, "of the children's");
	is_between(stat_field(17) - ticks.tms_cstime, 0, 0, "as well");
	now = used_by(RUSAGE_THREAD);
	is_between(total(&now), first - 20000, clock_us(), "RUSAGE_THREAD is the same with one thread");
}

/* ---- faults, switches ---- */

static void test_faults(void)
{
	struct rusage before = used_by(RUSAGE_SELF), after;
	char *pages = fresh(64 * PAGE, PROT_READ | PROT_WRITE);

	madvise(pages, 64 * PAGE, MADV_NOHUGEPAGE);
	for (int i = 0; i < 64; i++)
		pages[(unsigned long)i * PAGE] = 1;
	after = used_by(RUSAGE_SELF);
	is_between(after.ru_minflt - before.ru_minflt, 64, 80, "page faults are counted");
	is(after.ru_majflt, before.ru_majflt, "none of which read a disk");
}

static long status_number(const char *label)
{
	static char text[4096];
	int fd = (int)sys(SYS_open, "/proc/self/status", O_RDONLY),
	    size = (int)sys(SYS_read, fd, text, sizeof(text) - 1);
	char *at;

	close(fd);
	text[size > 0 ? size : 0] = 0;
	at = strstr(text, label);
	return at ? atol(at + strlen(label)) : -1;
}

static void test_waits(void)
{
	struct timespec moment = { 0, 1000000 };
	struct rusage before = used_by(RUSAGE_SELF), after;
	long shown;

	for (int i = 0; i < 20; i++)
		sys(SYS_nanosleep, &moment, NULL);
	after = used_by(RUSAGE_SELF);
	is_between(after.ru_nvcsw - before.ru_nvcsw, 15, 200, "who sleeps gives the CPU up by himself");
	shown = status_number("\nvoluntary_ctxt_switches:");
	is_between(shown - after.ru_nvcsw, 0, 20, "/proc/self/status says so, too");
}

static int beside(void *unused)
{
	(void)unused;
	compute(BUSY_US);
	return 0;
}

static void test_turns(void)
{
	struct rusage used, own;
	int pid = fork(), status;

	if (pid == 0)
		_exit(beside(NULL));
	own = used_by(RUSAGE_SELF);
	compute(clock_us() + BUSY_US);
	used = used_by(RUSAGE_SELF);
	is_true(used.ru_nivcsw > own.ru_nivcsw, used.ru_nivcsw, "who computes beside another is made to give it up");
	is_between(status_number("nonvoluntary_ctxt_switches:") - used.ru_nivcsw, 0, 100, "as /proc/self/status says");
	memset(&used, 0xff, sizeof(used));
	sys(SYS_wait4, pid, &status, 0, &used);
	is_between(used.ru_nivcsw, 1, 1000, "and wait4 of the other");
}

/* Sleep for longer than the limit of CPU time: sleeping must not count. */
static int sleep_child(void *unused)
{
	struct rlimit limit = { 1, 1 };
	struct timespec time = { 1, 500000000 };

	(void)unused;
	setrlimit(RLIMIT_CPU, &limit);
	return (int)sys(SYS_nanosleep, &time, NULL);
}

int main(void)
{
	stay_on_one_cpu();
	buffer = fresh(256 * 1024, PROT_READ | PROT_WRITE);
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	test_kinds();
	test_self();
	test_faults();
	test_waits();
	test_turns();
	is(in_child(sleep_child, NULL), EXITED(0), "RLIMIT_CPU does not count sleep");
	return finish();
}
