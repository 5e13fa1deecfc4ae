/* What a program can have many of, and what it then does with it; see stops.h. */
#define _GNU_SOURCE
#include "test/user/attack/stops.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"
#include "test/user/window.h"

#define MREMAP_MAY_MOVE 1

static int event(void)
{
	return (int)sys(SYS_eventfd2, 0, 0);
}

/* ---- descriptors ---- */

static void poll_many(unsigned long many)
{
	struct pollfd *entries = calloc(many, sizeof(*entries));
	int ends[2];

	if (!entries || pipe(ends) != 0)
		_exit(2);
	for (unsigned long i = 0; i < many; i++)
		entries[i] = (struct pollfd){ ends[0], POLLIN, 0 };
	sys(SYS_poll, entries, many, 10);
	for (unsigned long i = 0; i < many; i++)
		entries[i].fd = 100000;
	sys(SYS_poll, entries, many, 10);
}

/* Poll what is woken each 100 us. */
static void poll_woken(unsigned long many)
{
	struct pollfd *entries = calloc(many, sizeof(*entries));
	int ends[2];
	pid_t child;

	if (!entries || pipe(ends) != 0)
		_exit(2);
	for (unsigned long i = 0; i < many; i++)
		entries[i] = (struct pollfd){ ends[0], POLLPRI, 0 };
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 20; i++) {
			(void)!write(ends[1], "x", 1);
			usleep(100);
		}
		_exit(0);
	}
	sys(SYS_poll, entries, many, 10);
	waitpid(child, NULL, 0);
}

static void select_many(unsigned long many)
{
	fd_set reads;
	struct timeval time = { 0, 1000 };
	int ends[2];

	if (pipe(ends) != 0)
		_exit(2);
	FD_ZERO(&reads);
	for (int fd = 10; fd < 1024; fd++) {
		dup2(ends[0], fd);
		FD_SET(fd, &reads);
	}
	for (unsigned long i = 0; i < many; i++)
		sys(SYS_select, 1024, &reads, &reads, &reads, &time);
}

/* An epoll file with `many` items for the same event counter. */
static int epoll_of_one(unsigned long many, int fd, unsigned events)
{
	int epoll = epoll_create1(0);
	struct epoll_event event = { .events = events };

	for (unsigned long i = 0; i < many; i++)
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, dup(fd), &event) != 0)
			_exit(3);
	return epoll;
}

static void epoll_close(unsigned long many)
{
	close(epoll_of_one(many, event(), EPOLLIN));
}

static void epoll_exit(unsigned long many)
{
	epoll_of_one(many, event(), EPOLLIN);
}

static void epoll_ready(unsigned long many)
{
	struct epoll_event *events = calloc(many, sizeof(*events));
	uint64_t one = 1;
	int fd = event(), epoll = epoll_of_one(many, fd, EPOLLIN);

	(void)!write(fd, &one, sizeof(one));
	sys(SYS_epoll_wait, epoll, events, many, 0);
	close(epoll);
}

/* One object that many epoll files watch. */
static void epoll_many(unsigned long many)
{
	struct epoll_event event_of = { .events = EPOLLIN };
	uint64_t one = 1;
	int fd = event();

	for (unsigned long i = 0; i < many; i++)
		if (epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, fd, &event_of) != 0)
			_exit(3);
	(void)!write(fd, &one, sizeof(one));
	close(fd);
}

static void descriptors(unsigned long many)
{
	for (unsigned long i = 0; i < many; i++)
		if (event() < 0)
			_exit(3);
	if (fork() == 0)
		_exit(0);
	wait(NULL);
	if (fork() == 0) {
		sys(SYS_close_range, 3, -1, 4);
		sys(SYS_close_range, 3, -1, 0);
		_exit(0);
	}
	wait(NULL);
}

static void blocked_readers(unsigned long many)
{
	int ends[2];

	if (pipe(ends) != 0)
		_exit(2);
	for (unsigned long i = 0; i < many; i++)
		if (fork() == 0) {
			char byte;

			_exit((int)read(ends[0], &byte, 1));
		}
	usleep(1000);
	(void)!write(ends[1], "x", 1);
	close(ends[1]);
	kill(0, SIGUSR1);
}

/* ---- memory ---- */

static char *anonymous(unsigned long size, int rights)
{
	char *at = mmap(NULL, size, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		_exit(4);
	return at;
}

/* Memory that has been touched, in small frames: a stack gets no large ones. */
static char *touched(unsigned long pages)
{
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (at == MAP_FAILED)
		_exit(4);
	for (unsigned long i = 0; i < pages; i++)
		at[i * PAGE] = 1;
	return at;
}

static void touch_unmap(unsigned long pages)
{
	munmap(touched(pages), pages * PAGE);
}

static void touch_protect(unsigned long pages)
{
	char *at = touched(pages);

	mprotect(at, pages * PAGE, PROT_READ);
	mprotect(at, pages * PAGE, PROT_NONE);
	mprotect(at, pages * PAGE, PROT_READ | PROT_WRITE);
}

static void touch_drop(unsigned long pages)
{
	madvise(touched(pages), pages * PAGE, MADV_DONTNEED);
}

static void touch_move(unsigned long pages)
{
	char *at = touched(pages), *to = anonymous(pages * PAGE + MIB, PROT_NONE);

	sys(SYS_mremap, at, pages * PAGE, pages * PAGE, MREMAP_MAY_MOVE | 2, to + PAGE);
}

static void touch_fork(unsigned long pages)
{
	touched(pages);
	if (fork() == 0)
		_exit(0);
	wait(NULL);
}

static void touch_exit(unsigned long pages)
{
	touched(pages);
}

static void touch_exec(unsigned long pages)
{
	char *words[] = { (char *)"/test/stops", (char *)"nothing", NULL };

	touched(pages);
	execv(words[0], words);
}

static void touch_replace(unsigned long pages)
{
	mmap(touched(pages), pages * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void shared_memory(unsigned long pages)
{
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (unsigned long i = 0; i < pages; i++)
		at[i * PAGE] = 1;
	if (fork() == 0)
		_exit(0);
	wait(NULL);
	madvise(at, pages / 2 * PAGE, MADV_REMOVE);
	munmap(at, pages * PAGE);
}

static void lock_memory(unsigned long pages)
{
	char *at = anonymous(pages * PAGE, PROT_READ | PROT_WRITE);

	sys(SYS_mlock, at, pages * PAGE);
	madvise(at, pages * PAGE, 23);
	sys(SYS_munlock, at, pages * PAGE);
}

static void populate(unsigned long pages)
{
	mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

/* Move the break up by memory that is touched, and down again. */
static void program_break(unsigned long pages)
{
	char *at = (char *)sys(SYS_brk, 0);

	sys(SYS_brk, at + pages * PAGE);
	for (unsigned long i = 0; i < pages; i++)
		at[i * PAGE] = 1;
	sys(SYS_brk, at);
}

/* `many` areas, each of a page, of which every other one can be written to. */
static char *areas(unsigned long many)
{
	char *at = anonymous(many * PAGE, PROT_READ);

	for (unsigned long i = 0; i < many; i += 2)
		if (mprotect(at + i * PAGE, PAGE, PROT_READ | PROT_WRITE) != 0)
			_exit(5);
	return at;
}

static void areas_unmap(unsigned long many)
{
	munmap(areas(many), many * PAGE);
}

static void areas_protect(unsigned long many)
{
	char *at = areas(many);

	sys(SYS_mlock, at, many * PAGE);
	sys(SYS_msync, at, many * PAGE, 4);
	madvise(at, many * PAGE, MADV_DONTFORK);
	madvise(at, many * PAGE, MADV_DOFORK);
	madvise(at, many * PAGE, MADV_WILLNEED);
	mprotect(at, many * PAGE, PROT_READ);
}

static void areas_fork(unsigned long many)
{
	areas(many);
	if (fork() == 0)
		_exit(0);
	wait(NULL);
}

/* Read all of a file with a buffer of `size` bytes. */
static void read_file(const char *path, unsigned long size)
{
	char *to = malloc(size);
	int fd = open(path, O_RDONLY);

	while (fd >= 0 && read(fd, to, size) > 0)
		;
	close(fd);
	free(to);
}

/* Many areas of one file, which then gets shorter. */
static void areas_cut(unsigned long many)
{
	int fd = (int)sys(SYS_memfd_create, "cut", 0);
	char *at;

	sys(SYS_ftruncate, fd, PAGE);
	for (unsigned long i = 0; i < many; i++) {
		at = mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			_exit(5);
		(void)*(volatile char *)at;
	}
	sys(SYS_ftruncate, fd, 0);
}

static void resident(unsigned long many)
{
	char *at = anonymous(many * GIB, PROT_NONE), *to = window((many * GIB / PAGE + MIB - 1) & ~(MIB - 1));

	sys(SYS_mincore, at, many * GIB, to);
}

/* ---- files ---- */

static int file_of(unsigned long pages)
{
	int fd = (int)sys(SYS_memfd_create, "large", 0);
	char *piece = anonymous(MIB, PROT_READ | PROT_WRITE);

	for (unsigned long i = 0; i < pages; i += 256)
		if (write(fd, piece, MIB) != (long)MIB)
			_exit(6);
	return fd;
}

static void file_cut(unsigned long pages)
{
	sys(SYS_ftruncate, file_of(pages), 0);
}

static void file_close(unsigned long pages)
{
	close(file_of(pages));
}

static void file_unlink(unsigned long pages)
{
	int fd = open("/tmp/large", O_CREAT | O_RDWR, 0600);
	char *piece = anonymous(MIB, PROT_READ | PROT_WRITE);

	for (unsigned long i = 0; i < pages; i += 256)
		if (write(fd, piece, MIB) != (long)MIB)
			_exit(6);
	close(fd);
	unlink("/tmp/large");
}

static void file_mapped_cut(unsigned long pages)
{
	int fd = file_of(pages);
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	for (unsigned long i = 0; i < pages; i++)
		at[i * PAGE] = 1;
	sys(SYS_ftruncate, fd, 0);
}

static void transfers(unsigned long pages)
{
	char *at = window(pages * PAGE);
	int from = file_of(256), to = (int)sys(SYS_memfd_create, "to", 0), zero = open("/tmp/zero", O_RDWR);
	int sparse = (int)sys(SYS_memfd_create, "sparse", 0);

	sys(SYS_ftruncate, sparse, pages * PAGE);
	sys(SYS_read, zero, at, pages * PAGE);
	sys(SYS_read, sparse, at, pages * PAGE);
	sys(SYS_write, zero, at, pages * PAGE);
	sys(SYS_sendfile, to, sparse, 0, pages * PAGE);
	sys(SYS_sendfile, to, from, 0, pages * PAGE);
	sys(SYS_lseek, sparse, 0, SEEK_DATA);
	sys(SYS_lseek, sparse, 0, SEEK_HOLE);
	sys(SYS_getrandom, at, pages * PAGE, 0);
}

/* A directory with `many` files, on a file system of its own. */
static void make_files(unsigned long many)
{
	char path[64];

	mkdir("/tmp/many", 0777);
	if (mount("none", "/tmp/many", "tmpfs", 0, NULL) != 0)
		_exit(7);
	for (unsigned long i = 0; i < many; i++) {
		snprintf(path, sizeof(path), "/tmp/many/%lu", i);
		close(open(path, O_CREAT | O_RDWR, 0666));
	}
}

static void files_unmount(unsigned long many)
{
	make_files(many);
	umount2("/tmp/many", MNT_DETACH);
}

static void files_list(unsigned long many)
{
	char *to = malloc(64 * MIB);
	int fd;

	make_files(many);
	fd = open("/tmp/many", O_RDONLY | O_DIRECTORY);
	while (sys(SYS_getdents64, fd, to, 64 * MIB) > 0)
		;
	close(fd);
	umount2("/tmp/many", MNT_DETACH);
}

static void mounts(unsigned long many)
{
	char path[64];

	mkdir("/tmp/mounts", 0777);
	mount("none", "/tmp/mounts", "tmpfs", 0, NULL);
	for (unsigned long i = 0; i < many; i++) {
		snprintf(path, sizeof(path), "/tmp/mounts/%lu", i);
		mkdir(path, 0777);
		mount("none", path, "tmpfs", 0, NULL);
	}
	read_file("/proc/self/mounts", 100);
	read_file("/proc/self/mounts", 8 * MIB);
	umount2("/tmp/mounts", MNT_DETACH);
}

static void record_locks(unsigned long many)
{
	int fd = (int)sys(SYS_memfd_create, "locks", 0);

	for (unsigned long i = 0; i < many; i++) {
		struct flock lock = { .l_type = F_WRLCK, .l_start = (long)(2 * i), .l_len = 1 };

		if (fcntl(fd, F_SETLK, &lock) != 0)
			_exit(8);
	}
	if (fork() == 0) {
		struct flock lock = { .l_type = F_WRLCK, .l_start = 2 * (long)many, .l_len = 1 };

		fcntl(fd, F_GETLK, &lock);
		fcntl(fd, F_SETLK, &lock);
		_exit(0);
	}
	wait(NULL);
}

/* ---- signals, timers, processes ---- */

static void on_signal(int signal)
{
	(void)signal;
}

static void queued_signals(unsigned long many)
{
	struct rlimit limit = { 100000, 100000 };
	sigset_t all, none;
	union sigval value = { 0 };

	setrlimit(RLIMIT_SIGPENDING, &limit);
	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGRTMIN, on_signal);
	for (unsigned long i = 0; i < many; i++)
		if (sigqueue(getpid(), SIGRTMIN + 1 + (int)(i % 20), value) != 0)
			_exit(9);
	sigqueue(getpid(), SIGRTMIN, value);
	sigaddset(&none, SIGRTMIN + 5);
	sigwaitinfo(&none, NULL);
	signal(SIGRTMIN + 3, SIG_IGN);
	signal(SIGRTMIN, SIG_DFL);
}

static void interval_timer(unsigned long many)
{
	struct itimerval often = { { 0, 1 }, { 0, 1 } };
	struct timespec second = { 0, (long)many * 1000 };

	signal(SIGALRM, SIG_IGN);
	setitimer(ITIMER_REAL, &often, NULL);
	nanosleep(&second, NULL);
	signal(SIGALRM, on_signal);
	for (unsigned long i = 0; i < many; i++)
		nanosleep(&second, NULL);
}

static void processes(unsigned long many)
{
	pid_t all = fork();

	if (all) {
		waitpid(all, NULL, 0);
		return;
	}
	setpgid(0, 0);
	signal(SIGUSR1, SIG_IGN);
	for (unsigned long i = 0; i < many; i++)
		if (fork() == 0) {
			pause();
			_exit(0);
		}
	for (int i = 0; i < 2; i++) {
		DIR *directory = opendir("/proc");

		while (readdir(directory))
			;
		closedir(directory);
	}
	read_file("/proc/loadavg", 100);
	read_file("/proc/stat", 100);
	kill(0, SIGUSR1);
	kill(0, 0);
	kill(-1, SIGUSR1);
	kill(-1, 0);
	sys(SYS_getpriority, PRIO_PGRP, 0);
	sys(SYS_setpriority, PRIO_PGRP, 0, 1);
	sys(SYS_getpriority, PRIO_USER, 0);
	sys(SYS_setpgid, 0, 5);
	sys(SYS_wait4, -1, NULL, WNOHANG, NULL);
	kill(0, SIGKILL);
}

/* The parent ends, and init has its children. */
static void orphans(unsigned long many)
{
	for (unsigned long i = 0; i < many; i++)
		if (fork() == 0) {
			for (int j = 0; j < 20; j++)
				usleep(1000);
			_exit(0);
		}
}

static int sleeps(void *unused)
{
	(void)unused;
	sys(SYS_pause);
	return 0;
}

static void threads(unsigned long many)
{
	char *stacks = anonymous(many * 2 * PAGE, PROT_READ | PROT_WRITE);

	for (unsigned long i = 0; i < many; i++)
		if (clone(sleeps, stacks + (i + 1) * 2 * PAGE,
			  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL) < 0)
			_exit(11);
	read_file("/proc/self/stat", 100);
	read_file("/proc/self/status", 100);
	free(scandir("/proc/self/task", &(struct dirent **){ NULL }, NULL, NULL) < 0 ? NULL : NULL);
	kill(getpid(), SIGCONT);
	sys(SYS_times, NULL);
	sys(SYS_getrusage, 0, anonymous(PAGE, PROT_WRITE));
}

static void futex_waiters(unsigned long many)
{
	int *word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (unsigned long i = 0; i < many; i++)
		if (fork() == 0) {
			sys(SYS_futex, word, 0, 0, NULL);
			_exit(0);
		}
	usleep(1000);
	sys(SYS_futex, word, 3, 0, many, word + 1, 0); /* FUTEX_REQUEUE */
	sys(SYS_futex, word + 1, 1, many);
	while (wait(NULL) > 0)
		;
}

const struct stops_case stops_cases[] = {
	{ "poll with many entries", poll_many, 20000, 0, 0 },
	{ "poll that is woken in vain", poll_woken, 20000, 0, 0 },
	{ "select", select_many, 5, 0, 0 },
	{ "close of an epoll file", epoll_close, 4000, 0, 0 },
	{ "the end of a process with an epoll file", epoll_exit, 4000, 0, 0 },
	{ "epoll_wait with many ready", epoll_ready, 4000, 0, 0 },
	{ "an object that many epoll files watch", epoll_many, 1000, 5000, 0 },
	{ "descriptors", descriptors, 10000, 0, 0 },
	{ "readers that are woken", blocked_readers, 100, 100, 0 },
	{ "munmap of touched memory", touch_unmap, 8192, 0, 0 },
	{ "mprotect of touched memory", touch_protect, 8192, 0, 0 },
	{ "MADV_DONTNEED of touched memory", touch_drop, 8192, 0, 0 },
	{ "mremap of touched memory", touch_move, 8192, 0, 0 },
	{ "fork with touched memory", touch_fork, 8192, 0, 0 },
	{ "exit with touched memory", touch_exit, 8192, 0, 0 },
	{ "exec with touched memory", touch_exec, 8192, 0, 0 },
	{ "mmap over touched memory", touch_replace, 8192, 0, 0 },
	{ "shared memory", shared_memory, 8192, 0, 0 },
	{ "mlock and populate", lock_memory, 4096, 0, 0 },
	{ "MAP_POPULATE", populate, 4096, 0, 0 },
	{ "brk", program_break, 8192, 0, 0 },
	{ "munmap of many areas", areas_unmap, 3000, 0, 0 },
	{ "mprotect of many areas", areas_protect, 3000, 0, 0 },
	{ "fork with many areas", areas_fork, 3000, 0, 1000000 },
	{ "a file in many areas is cut", areas_cut, 3000, 0, 0 },
	{ "mincore", resident, 1, 0, 0 },
	{ "ftruncate of a large file", file_cut, 16384, 0, 0 },
	{ "close of a large file", file_close, 16384, 0, 0 },
	{ "unlink of a large file", file_unlink, 16384, 0, 0 },
	{ "ftruncate of a mapped file", file_mapped_cut, 8192, 0, 0 },
	{ "transfers", transfers, 1024, 0, 0 },
	{ "umount with many files", files_unmount, 2000, 2000, 0 },
	{ "listing of many files", files_list, 2000, 8000, 0 },
	{ "many mounts", mounts, 400, 0, 0 },
	{ "many record locks", record_locks, 500, 0, 0 },
	{ "many queued signals", queued_signals, 1500, 0, 0 },
	{ "an interval of a microsecond", interval_timer, 100, 0, 0 },
	{ "many processes", processes, 200, 0, 0 },
	{ "children of a parent that ends", orphans, 200, 0, 0 },
	{ "many threads", threads, 200, 0, 0 },
	{ "many waiters of a futex", futex_waiters, 200, 0, 0 },
	{ NULL, NULL, 0, 0, 0 },
};
