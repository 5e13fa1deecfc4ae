/* Many names, mounts, locks, descriptors and bytes that one call concerns; see stops.h. */
#define _GNU_SOURCE
#include "test/user/attack/stops.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"
#include "test/user/window.h"

static void read_all(const char *path, size_t size)
{
	char *to = malloc(size);
	int fd = open(path, O_RDONLY);

	while (fd >= 0 && read(fd, to, size) > 0)
		;
	close(fd);
	free(to);
}

/* ---- descriptors ---- */

static void descriptors_open(unsigned long many)
{
	for (unsigned long i = 0; i < many; i++)
		if (dup(0) < 0)
			_exit(3);
}

/* Close them all by the end, by one call, by exec; copy them by fork. */
static void descriptors_end(unsigned long many)
{
	descriptors_open(many);
	if (fork() == 0) {
		sys(SYS_close_range, 3, -1, 4); /* CLOSE_RANGE_CLOEXEC */
		execl("/test/stops", "/test/stops", "nothing", NULL);
	}
	wait(NULL);
	if (fork() == 0) {
		sys(SYS_close_range, 3, -1, 0);
		_exit(0);
	}
	wait(NULL);
	read_all("/proc/self/status", 4096);
	if (chdir("/proc/self/fd") == 0) {
		char *to = malloc(MIB);
		int fd = open(".", O_RDONLY | O_DIRECTORY);

		while (sys(SYS_getdents64, fd, to, MIB) > 0)
			;
	}
}

static void poll_ready(unsigned long many)
{
	struct pollfd *entries = calloc(many, sizeof(*entries));
	int ends[2];

	if (!entries || pipe(ends) != 0)
		_exit(2);
	for (unsigned long i = 0; i < many; i++)
		entries[i] = (struct pollfd){ ends[i % 2], POLLOUT | POLLIN, 0 };
	(void)!write(ends[1], "x", 1);
	sys(SYS_poll, entries, many, -1);
}

/* An epoll file with very many items: what one more costs. */
static void epoll_items(unsigned long many)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), fd = (int)sys(SYS_eventfd2, 0, 0);

	for (unsigned long i = 0; i < many; i++)
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, dup(fd), &event) != 0)
			_exit(3);
	for (int i = 0; i < 100; i++)
		if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd + 1 + i, &event) != 0)
			_exit(4);
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd + 1, &event);
}

/* ---- bytes ---- */

static void vectors(unsigned long pages)
{
	static struct iovec parts[1024];
	char *at = window(pages * PAGE);
	int zero = open("/tmp/zero", O_RDWR), fd = (int)sys(SYS_memfd_create, "parts", 0);

	for (int i = 0; i < 1024; i++)
		parts[i] = (struct iovec){ at, pages * PAGE / 64 };
	sys(SYS_readv, zero, parts, 1024);
	sys(SYS_writev, zero, parts, 1024);
	sys(SYS_ftruncate, fd, pages * PAGE);
	sys(SYS_preadv, fd, parts, 1024, 0, 0);
	for (int i = 0; i < 1024; i++)
		parts[i] = (struct iovec){ at + i, 1 };
	for (int i = 0; i < 10; i++)
		sys(SYS_pwritev, fd, parts, 1024, 0, 0);
}

/* Room and holes in a file of many TiB. */
static void far_away(unsigned long many)
{
	int fd = (int)sys(SYS_memfd_create, "far", 0);
	long end = LONG_MAX - 4096;

	sys(SYS_ftruncate, fd, end);
	for (unsigned long i = 0; i < many; i++)
		(void)!pwrite(fd, "x", 1, (long)(i << 32));
	sys(SYS_lseek, fd, 1, SEEK_DATA);
	sys(SYS_lseek, fd, (long)many << 32, SEEK_DATA);
	sys(SYS_lseek, fd, 0, SEEK_HOLE);
	sys(SYS_fallocate, fd, 3, 0, end); /* PUNCH_HOLE and KEEP_SIZE */
	sys(SYS_fallocate, fd, 0, 0, 1L << 40);
	sys(SYS_readahead, fd, 0, end);
	sys(SYS_fadvise64, fd, 0, end, 3);
	sys(SYS_sync_file_range, fd, 0, end, 7);
	sys(SYS_fsync, fd);
	sys(SYS_ftruncate, fd, 0);
}

/* ---- paths ---- */

/* Links that each lead to a long path that ends in the next one: the longest walk that a path may ask for. */
static void long_walk(unsigned long many)
{
	char path[64], target[PATH_MAX];
	struct stat stat_of;

	mkdir("/tmp/walk", 0777);
	mkdir("/tmp/walk/d", 0777);
	for (unsigned long i = 0; i < many; i++) {
		size_t size = 0;

		while (size < PATH_MAX - 32) {
			memcpy(target + size, "d/../", 5);
			size += 5;
		}
		snprintf(target + size, 16, i ? "l%lu" : "d", i - 1);
		snprintf(path, sizeof(path), "/tmp/walk/l%lu", i);
		unlink(path);
		if (symlink(target, path) != 0)
			_exit(3);
	}
	snprintf(path, sizeof(path), "/tmp/walk/l%lu", many - 1);
	if (stat(path, &stat_of) != 0)
		_exit(4);
	open(path, O_RDONLY);
	rename(path, "/tmp/walk/other");
	for (unsigned long i = 0; i < many; i++) {
		snprintf(path, sizeof(path), "/tmp/walk/l%lu", i);
		unlink(path);
	}
}

/* A directory so many levels down, which is moved and asked for its path. */
static void deep(unsigned long many)
{
	char *path = malloc(PATH_MAX);

	mkdir("/tmp/deep", 0777);
	mkdir("/tmp/other", 0777);
	if (mount("none", "/tmp/deep", "tmpfs", 0, NULL) != 0 || chdir("/tmp/deep") != 0 || mkdir("top", 0777) != 0)
		_exit(2);
	for (unsigned long i = 0; i < many; i++)
		if (mkdir("d", 0777) != 0 || chdir("d") != 0)
			_exit(3);
	mkdir("one", 0777);
	mkdir("two", 0777);
	rename("one", "two/one");
	rename("/tmp/deep/top", "two/top");
	rename("/tmp/deep/d", "two/d");
	sys(SYS_getcwd, path, PATH_MAX);
	(void)!readlink("/proc/self/cwd", path, PATH_MAX);
	mount("none", "two", "tmpfs", 0, NULL);
	read_all("/proc/self/mounts", 4096);
	umount2("/tmp/deep", MNT_DETACH);
}

/* ---- locks ---- */

/* Lock every other byte of a file, so that no two locks become one. */
static void lock_bytes(int fd, unsigned long many)
{
	struct flock one = { .l_type = F_WRLCK, .l_len = 1 };

	for (unsigned long i = many; i-- > 0;) {
		one.l_start = (long)(2 * i);
		if (fcntl(fd, F_SETLK, &one) != 0)
			_exit(3);
	}
}

static void many_locks(unsigned long many)
{
	int fd = (int)sys(SYS_memfd_create, "locks", 0);
	struct flock all = { .l_type = F_UNLCK }, one = { .l_type = F_WRLCK, .l_len = 1 };

	lock_bytes(fd, many);
	if (fork() == 0) {
		one.l_start = 2 * (long)many;
		fcntl(fd, F_GETLK, &one);
		fcntl(fd, F_SETLK, &one);
		_exit(0);
	}
	wait(NULL);
	read_all("/proc/locks", 4096);
	if (fork() == 0)
		_exit(0);
	wait(NULL);
	one.l_start = 0;
	one.l_len = (long)many;
	fcntl(fd, F_SETLK, &one);
	one.l_len = 2 * (long)many;
	fcntl(fd, F_SETLK, &one);
	fcntl(fd, F_SETLK, &all);
}

/*
 * Two owners have locks of one file: one of them gives its many locks up, by one lock in their place, and by closing
 * the file.
 */
static void mixed_locks(unsigned long many)
{
	struct flock one = { .l_type = F_WRLCK, .l_start = 2 * (long)many, .l_len = 1 };
	int fd = open("/tmp/mixed", O_CREAT | O_RDWR, 0600), other = open("/tmp/mixed", O_RDWR);

	if (fcntl(other, 37 /* F_OFD_SETLK */, &one) != 0)
		_exit(4);
	for (int i = 0; i < 2; i++) {
		lock_bytes(fd, many);
		one.l_start = 0;
		one.l_len = 2 * (long)many;
		fcntl(fd, i ? F_GETLK : F_SETLK, &one);
	}
	close(fd);
}

static void locks_close(unsigned long many)
{
	int fd = (int)sys(SYS_memfd_create, "locks", 0);

	lock_bytes(fd, many);
	close(fd);
}

/* Children that wait for one lock, which goes. */
static void lock_waiters(unsigned long many)
{
	int fd = open("/tmp/lock", O_CREAT | O_RDWR, 0600);

	flock(fd, LOCK_EX);
	for (unsigned long i = 0; i < many; i++)
		if (fork() == 0) {
			int own = open("/tmp/lock", O_RDWR);

			_exit(flock(own, LOCK_SH));
		}
	usleep(1000);
	flock(fd, LOCK_UN);
	while (wait(NULL) > 0)
		;
}

/* ---- memory ---- */

static void lock_all(unsigned long pages)
{
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	sys(SYS_mlockall, 3);
	madvise(at, pages * PAGE, MADV_DONTNEED);
	sys(SYS_munlockall);
	madvise(at, pages * PAGE, 4 /* MADV_DONTNEED */);
	madvise(at, pages * PAGE, 8 /* MADV_FREE */);
	madvise(at, pages * PAGE, 18 /* MADV_WIPEONFORK */);
	sys(SYS_mlock2, at, pages * PAGE, 1);
	if (fork() == 0)
		_exit(0);
	wait(NULL);
	sys(SYS_mremap, at, pages * PAGE, 2 * pages * PAGE, 1);
	sys(SYS_membarrier, 8, 0);
}

/* The largest space, all of it nothing. */
static void space(unsigned long many)
{
	unsigned long size = many << 40;
	char *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		_exit(2);
	for (unsigned long i = 0; i < size; i += size / 512) {
		mprotect(at + i, PAGE, PROT_READ | PROT_WRITE);
		at[i] = 1;
	}
	mprotect(at, size, PROT_READ);
	madvise(at, size, MADV_WILLNEED);
	sys(SYS_msync, at, size, MS_SYNC);
	madvise(at, size, MADV_DONTNEED);
	if (fork() == 0)
		_exit(0);
	wait(NULL);
	munmap(at, size);
}

/* As many arguments as there may be, short ones and long ones. */
static void arguments(unsigned long many)
{
	char **words = calloc(many + 3, sizeof(*words)), *one = malloc(131072);

	memset(one, 'x', 131071);
	one[131071] = 0;
	words[0] = (char *)"/test/stops";
	words[1] = (char *)"nothing";
	for (unsigned long i = 2; i < many; i++)
		words[i] = (char *)"";
	if (fork() == 0) {
		execv(words[0], words);
		_exit(2);
	}
	wait(NULL);
	for (unsigned long i = 2; i < many; i++)
		words[i] = i < 17 ? one : NULL;
	execv(words[0], words);
	_exit(3);
}

static void groups(unsigned long many)
{
	int *list = calloc(many, sizeof(*list));

	for (unsigned long i = 0; i < many; i++)
		list[i] = (int)(many - i);
	sys(SYS_setgroups, many, list);
	sys(SYS_getgroups, many, list);
	sys(SYS_sched_setaffinity, 0, 1UL << 30, list);
	sys(SYS_sched_getaffinity, 0, 1UL << 30, list);
	sys(SYS_syslog, 3, list, many);
}

const struct stops_case stops_files[] = {
	{ "descriptors at the end", descriptors_end, 100000, 1000000, 0 },
	{ "poll with many that are ready", poll_ready, 100000, 0, 0 },
	{ "an epoll file with many items", epoll_items, 10000, 200000, 0 },
	{ "many parts of a transfer", vectors, 1024, 0, 0 },
	{ "a file of many TiB", far_away, 500, 0, 0 },
	{ "a path with long links", long_walk, 38, 38, 0 },
	{ "a deep directory", deep, 20000, 100000, 0 },
	{ "very many record locks", many_locks, 3000, 0, 0 },
	{ "record locks of two owners", mixed_locks, 3000, 0, 0 },
	{ "record locks that end at close", locks_close, 5000, 0, 0 },
	{ "children that wait for a lock", lock_waiters, 500, 1000, 0 },
	{ "mlockall", lock_all, 4096, 0, 0 },
	{ "the largest space", space, 16, 64, 0 },
	{ "exec with many arguments", arguments, 100000, 200000, 0 },
	{ "lists that are read whole", groups, 65536, 65536, 0 },
	{ NULL, NULL, 0, 0, 0 },
};
