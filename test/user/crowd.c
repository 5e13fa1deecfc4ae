/*
 * Makes as many processes at once as memory holds, and measures how much memory one more object of each kind takes:
 * crowd PROCESSES. Prints `crowd NAME COUNT BYTES` for each kind, BYTES being those of one object, computed from the
 * free memory before and after. Runs as /init.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define THREADS 2000
#define ZOMBIES 20000

static long free_memory(void)
{
	struct sysinfo info;

	if (sys(SYS_sysinfo, &info) != 0)
		bail("sysinfo", errno);
	return (long)(info.freeram * info.mem_unit);
}

/* Call make(i) `count` times, and print how much memory one call has taken. Kinds that take less are measured first. */
static void measure(const char *name, int count, long (*make)(int i))
{
	long before = free_memory();

	for (int i = 0; i < count; i++) {
		long result = make(i);

		if (result < 0)
			bail(name, result);
	}
	/* Let the new processes run until each waits. */
	for (int i = 0; i < 10; i++)
		usleep(20000);
	printf("crowd %s %d %ld\n", name, count, (before - free_memory()) / count);
	fflush(stdout);
}

static long make_copy(int i)
{
	(void)i;
	return sys(SYS_dup, 0);
}

static long make_eventfd(int i)
{
	(void)i;
	return sys(SYS_eventfd2, 0, 0);
}

static long make_pipe(int i)
{
	int ends[2];

	(void)i;
	return sys(SYS_pipe2, ends, 0);
}

static long make_file(int i)
{
	char name[32];

	snprintf(name, sizeof(name), "/tmp/file%d", i);
	return sys(SYS_mknodat, AT_FDCWD, name, S_IFREG | 0600, 0);
}

static _Noreturn int wait_for_ever(void *nothing)
{
	(void)nothing;
	for (;;)
		sys(SYS_pause);
}

static long make_thread(int i)
{
	static char stacks[THREADS][512] __attribute__((aligned(16)));

	return clone(wait_for_ever, stacks[i] + sizeof(stacks[i]),
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL);
}

static long make_process(int i)
{
	pid_t child = fork();

	(void)i;
	if (!child)
		wait_for_ever(NULL);
	return child < 0 ? -errno : child;
}

/* The end of a child: it exits as soon as it runs, and nobody waits for it yet. */
static long make_zombie(int i)
{
	pid_t child = vfork();

	(void)i;
	if (!child)
		_exit(0);
	return child < 0 ? -errno : child;
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		bail(path, errno);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct rlimit many = { 1000000, 1000000 };
	const int processes = argc > 1 ? atoi(argv[1]) : 1000;
	int ended = 0;

	mkdir("/proc", 0555);
	mkdir("/tmp", 0777);
	if (mount("proc", "/proc", "proc", 0, NULL) != 0 || mount("tmpfs", "/tmp", "tmpfs", 0, "nr_inodes=0") != 0)
		bail("mount", errno);
	set("/proc/sys/kernel/pid_max", "1000000");
	set("/proc/sys/kernel/threads-max", "300000");
	setrlimit(RLIMIT_NOFILE, &many);
	setrlimit(RLIMIT_NPROC, &many);
	measure("dup", 100000, make_copy);
	sys(SYS_close_range, 3, ~0U, 0);
	measure("eventfd", 20000, make_eventfd);
	sys(SYS_close_range, 3, ~0U, 0);
	measure("pipe", 30000, make_pipe);
	sys(SYS_close_range, 3, ~0U, 0);
	measure("file", 100000, make_file);
	measure("zombie", ZOMBIES, make_zombie);
	while (wait(NULL) > 0)
		;
	measure("process", processes, make_process);
	sys(SYS_kill, -1, SIGKILL);
	while (wait(NULL) > 0)
		ended++;
	is(ended, processes, "all have ended");
	measure("thread", THREADS, make_thread);
	printf("crowd end\n");
	fflush(stdout);
	sys(SYS_reboot, 0xfee1dead, 0x28121969, 0x4321fedc, 0);
}
