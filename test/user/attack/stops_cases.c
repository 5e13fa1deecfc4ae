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

#define MREMAP_MAY_MOVE 1

char *stops_window(unsigned long size)
{
	int fd = (int)sys(SYS_memfd_create, "window", 0);
	char *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (fd < 0 || at == MAP_FAILED || sys(SYS_ftruncate, fd, MIB) != 0)
		return NULL;
	for (unsigned long i = 0; i < size; i += MIB)
		if (mmap(at + i, MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			return NULL;
	close(fd);
	return at;
}

/* ---- descriptors ---- */

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

static void resident(unsigned long many)
{
	char *at = anonymous(many * GIB, PROT_NONE), *to = stops_window((many * GIB / PAGE + MIB - 1) & ~(MIB - 1));

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

static void transfers(unsigned long pages)
{
	char *window = stops_window(pages * PAGE);
	int from = file_of(256), to = (int)sys(SYS_memfd_create, "to", 0), zero = open("/tmp/zero", O_RDWR);
	int sparse = (int)sys(SYS_memfd_create, "sparse", 0);

	sys(SYS_ftruncate, sparse, pages * PAGE);
	sys(SYS_read, zero, window, pages * PAGE);
	sys(SYS_read, sparse, window, pages * PAGE);
	sys(SYS_write, zero, window, pages * PAGE);
	sys(SYS_sendfile, to, sparse, 0, pages * PAGE);
	sys(SYS_sendfile, to, from, 0, pages * PAGE);
	sys(SYS_lseek, sparse, 0, SEEK_DATA);
	sys(SYS_lseek, sparse, 0, SEEK_HOLE);
	sys(SYS_getrandom, window, pages * PAGE, 0);
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
	{ "select", select_many, 5 },
	{ "readers that are woken", blocked_readers, 200 },
	{ "munmap of touched memory", touch_unmap, 8192 },
	{ "mprotect of touched memory", touch_protect, 8192 },
	{ "MADV_DONTNEED of touched memory", touch_drop, 8192 },
	{ "mremap of touched memory", touch_move, 8192 },
	{ "fork with touched memory", touch_fork, 8192 },
	{ "exit with touched memory", touch_exit, 8192 },
	{ "exec with touched memory", touch_exec, 8192 },
	{ "mmap over touched memory", touch_replace, 8192 },
	{ "mlock and populate", lock_memory, 4096 },
	{ "MAP_POPULATE", populate, 4096 },
	{ "brk", program_break, 8192 },
	{ "munmap of many areas", areas_unmap, 6000 },
	{ "mprotect of many areas", areas_protect, 6000 },
	{ "fork with many areas", areas_fork, 6000 },
	{ "mincore", resident, 1 },
	{ "transfers", transfers, 1024 },
	{ "many record locks", record_locks, 500 },
	{ "an interval of a microsecond", interval_timer, 100 },
	{ "children of a parent that ends", orphans, 200 },
	{ "many waiters of a futex", futex_waiters, 200 },
	{ NULL, NULL, 0 },
};
