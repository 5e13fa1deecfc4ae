/*
 * Calls that need memory while it is refused now and then (frame_fail_user=N, heap_fail_user=N) or while somebody else
 * has all of it: each finds some, as faults do, and none of them ends with ENOMEM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>

#include "test/user/tap.h"

#define FILE_NAME "/refused"
#define ROUNDS    300
#define PIPES     100
#define LEAST     (1UL << 20) /* bytes that the hog leaves */
#define HOG_SIZE  (1UL << 36) /* more than the machine has */

static char block[65536];

/* ---- each returns 0, or the first negative result ---- */

static long fill_pipe(void)
{
	int ends[2];
	long error = sys(SYS_pipe2, ends, 0), done;

	if (error < 0)
		return error;
	done = sys(SYS_write, ends[1], block, sizeof(block));
	sys(SYS_close, ends[0]);
	sys(SYS_close, ends[1]);
	return done < 0 ? done : 0;
}

static long fill_file(void)
{
	long file = sys(SYS_openat, AT_FDCWD, FILE_NAME, O_RDWR | O_CREAT | O_EXCL, 0600), done;

	if (file < 0)
		return file;
	done = sys(SYS_write, file, block, sizeof(block));
	if (done >= 0)
		done = sys(SYS_pwrite64, file, block, 1, 1L << 30);
	sys(SYS_close, file);
	sys(SYS_unlink, FILE_NAME);
	return done < 0 ? done : 0;
}

static long make_directory(void)
{
	long error = sys(SYS_mkdir, FILE_NAME, 0700);

	return error < 0 ? error : sys(SYS_rmdir, FILE_NAME);
}

static long map_and_split(void)
{
	long at = sys(SYS_mmap, NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long error;

	if (at < 0 && at > -4096)
		return at;
	error = sys(SYS_mprotect, at + (long)PAGE, PAGE, PROT_READ);
	if (!error)
		error = sys(SYS_munmap, at, 4 * PAGE);
	return error;
}

static long watch_pipe(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ends[2];
	long error = sys(SYS_pipe2, ends, 0), epoll;

	if (error < 0)
		return error;
	epoll = sys(SYS_epoll_create1, 0);
	error = epoll < 0 ? epoll : sys(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, ends[0], &event);
	sys(SYS_close, ends[0]);
	sys(SYS_close, ends[1]);
	if (epoll >= 0)
		sys(SYS_close, epoll);
	return error;
}

static long have_child(void)
{
	long child = sys(SYS_fork);

	if (child == 0)
		sys(SYS_exit_group, 0);
	if (child > 0)
		while (sys(SYS_wait4, child, NULL, 0, NULL) == -EINTR)
			;
	return child < 0 ? child : 0;
}

static const struct {
	long (*call)(void);
	const char *name;
} calls[] = {
	{ fill_pipe, "a pipe is filled" },      { fill_file, "a file is made and filled" },
	{ make_directory, "a directory" },      { map_and_split, "memory is mapped, split, unmapped" },
	{ watch_pipe, "epoll watches a pipe" }, { have_child, "a child" },
};

static void check_calls(void)
{
	for (size_t i = 0; i < COUNT(calls); i++) {
		long error = 0;

		for (int round = 0; round < ROUNDS && !error; round++)
			error = calls[i].call();
		is(error, 0, calls[i].name);
	}
}

/* ---- somebody else has all memory ---- */

/*
 * Touch ever more until hardly any is left, then keep it until the killer comes: for somebody else, as AnkeOS does, or,
 * since Linux keeps more than LEAST free, for these faults.
 */
static void take_all(volatile int *taken)
{
	long at = sys(SYS_mmap, NULL, HOG_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		      0);
	struct sysinfo info;

	for (; at > 0; at += (long)PAGE) {
		*(volatile char *)at = 1;
		if (at / (long)PAGE % 16)
			continue;
		sys(SYS_sysinfo, &info);
		if (info.freeram * info.mem_unit < LEAST)
			break;
	}
	*taken = 1;
	for (;;)
		sys(SYS_pause);
}

/* Fill pipes until `hog` has been killed; all of them are kept. Returns how many were filled. */
static int fill_pipes(pid_t hog, long *ret_error, int *ret_status)
{
	int ends[2], made = 0;

	while (*ret_error >= 0 && sys(SYS_wait4, hog, ret_status, WNOHANG, NULL) == 0) {
		if (made == PIPES)
			break;
		*ret_error = sys(SYS_pipe2, ends, 0);
		if (*ret_error >= 0)
			*ret_error = sys(SYS_write, ends[1], block, sizeof(block));
		made += *ret_error >= 0;
	}
	return made;
}

static void check_hog(void)
{
	volatile int *taken =
		(volatile int *)sys(SYS_mmap, NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct timespec pause = { 0, 10000000 };
	siginfo_t ended = { .si_pid = 0 };
	long error = 0;
	int status = 0;
	pid_t hog = (pid_t)sys(SYS_fork);

	if (hog == 0)
		take_all(taken);
	if (hog < 0)
		bail("fork", hog);
	while (!*taken && sys(SYS_waitid, P_PID, hog, &ended, WEXITED | WNOHANG | WNOWAIT, NULL) == 0 && !ended.si_pid)
		sys(SYS_nanosleep, &pause, NULL);
	(void)fill_pipes(hog, &error, &status);
	is(error < 0 ? error : 0, 0, "pipes are filled though somebody has all memory");
	is(status, KILLED(SIGKILL), "since it is that one who ends");
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	check_calls();
	check_hog();
	return finish();
}
