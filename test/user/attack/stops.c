/*
 * Whatever one program does, its neighbour runs within a millisecond: each case of stops_cases.c runs in a child, beside a neighbour that
 * wants to run each tenth of a millisecond and measures how late it was. The clock must count instructions, a nanosecond each (QEMU's -icount shift=0): what a host
 * that is busy does to a machine is not the kernel's.
 *
 *   stops [SCALE [PART]]   SCALE: ten for the long run; PART: only the cases whose name has it
 */
#define _GNU_SOURCE
#include "test/user/attack/stops.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define STEP_NS 100000L
#define LATE_NS 1000000L

/* Shared with the neighbour. */
static volatile struct {
	long worst; /* how late it was at the most, in nanoseconds, since this was 0 */
	long runs;
} * seen;

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void sleep_until(long ns)
{
	struct timespec time = { ns / 1000000000L, ns % 1000000000L };

	sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static pid_t start_neighbour(void)
{
	pid_t neighbour = fork();

	if (neighbour != 0)
		return neighbour;
	setpriority(PRIO_PROCESS, 0, -20);
	for (;;) {
		long due = now() + STEP_NS, late;

		sleep_until(due);
		late = now() - due;
		if (late > seen->worst)
			seen->worst = late;
		seen->runs++;
	}
}

static unsigned long scale = 1;
static const char *part = "";

/* Run a body in a child. Tells how late the neighbour was from the child's start to its end. */
static void watch(const char *name, void (*body)(unsigned long many), unsigned long many)
{
	long runs, before;
	int status = 0;
	pid_t child;

	if (!strstr(name, part))
		return;
	sleep_until(now() + 3 * STEP_NS);
	seen->worst = 0;
	before = now();
	runs = seen->runs;
	child = fork();
	if (child == 0) {
		struct rlimit files = { 1 << 20, 1 << 20 };

		setpgid(0, 0);
		setrlimit(RLIMIT_NOFILE, &files);
		body(many);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		bail("no child", errno);
	sleep_until(now() + 3 * STEP_NS);
	printf("# %s, %lu: late %ld us in %ld us, status %x, %ld runs\n", name, many, seen->worst / 1000,
	       (now() - before) / 1000, status, seen->runs - runs);
	is_between(seen->worst, 0, LATE_NS, name);
}

int main(int argc, char **argv)
{
	static const struct stops_case *const lists[] = { stops_cases, stops_files, stops_tasks };
	pid_t neighbour;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "nothing") == 0)
		return 0;
	if (argc > 1)
		scale = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		part = argv[2];
	signal(SIGUSR1, SIG_IGN);
	seen = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		bail("no shared memory", errno);
	mkdir("/tmp", 0777);
	mknod("/tmp/zero", S_IFCHR | 0666, makedev(1, 5));
	neighbour = start_neighbour();
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct stops_case *at = lists[i]; at->name; at++)
			watch(at->name, at->run, at->most && at->many * scale > at->most ? at->most : at->many * scale);
	kill(neighbour, SIGKILL);
	waitpid(neighbour, NULL, 0);
	return finish();
}
