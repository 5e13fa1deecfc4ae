/* Locks of files and who waits for them, and pipes with N tasks that wait. See scale.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "test/user/scale/scale.h"

#define LARGEST 5000

static int file, other, ends[2], files[LARGEST];
static char byte;
static struct flock each[LARGEST];

static long lock_range(int fd, int command, int type, long start)
{
	struct flock lock = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1 };

	return sys(SYS_fcntl, fd, command, &lock);
}

static int create(unsigned i)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", i);
	return (int)must(sys(SYS_open, name, O_CREAT | O_RDWR, 0644), "create");
}

/* Every second byte of a file is locked, N in all; and some of another file, by the same process. */
static void locks(unsigned n)
{
	work_open();
	file = create(0);
	other = create(1);
	for (unsigned i = 0; i < n; i++)
		must(lock_range(file, F_SETLK, F_WRLCK, 2 * i), "lock");
}

static long lock_more(unsigned n, unsigned turn)
{
	(void)turn;
	return lock_range(file, F_SETLK, F_WRLCK, n / 2 * 2 + 1);
}

static long lock_end(unsigned n, unsigned turn)
{
	(void)turn;
	return lock_range(file, F_SETLK, F_WRLCK, 2 * n + 10);
}

static void unlock_end(unsigned n, unsigned turn)
{
	(void)turn;
	must(lock_range(file, F_SETLK, F_UNLCK, 2 * n + 10), "unlock");
}

/* Between two, which the lock makes one: back to two. */
static void unlock_more(unsigned n, unsigned turn)
{
	(void)turn;
	must(lock_range(file, F_SETLK, F_UNLCK, n / 2 * 2 + 1), "unlock");
}

static long ask_middle(unsigned n, unsigned turn)
{
	(void)turn;
	return lock_range(file, F_GETLK, F_WRLCK, n / 2 * 2 + 1);
}

static long lock_other(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	lock_range(other, F_SETLK, F_WRLCK, 0);
	return lock_range(other, F_SETLK, F_UNLCK, 0);
}

static long open_and_close(unsigned n, unsigned turn)
{
	long fd = sys(SYS_open, "2", O_CREAT | O_RDWR, 0644);

	(void)n, (void)turn;
	return sys(SYS_close, fd);
}

/* N files with a lock each. */
static void locked_files(unsigned n)
{
	work_open();
	for (unsigned i = 0; i < n; i++) {
		files[i] = create(i);
		must(lock_range(files[i], F_SETLK, F_WRLCK, 0), "lock");
	}
	file = create(n);
	other = create(n + 1);
}

static long lock_and_unlock(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	lock_range(file, F_SETLK, F_WRLCK, 0);
	return lock_range(file, F_SETLK, F_UNLCK, 0);
}

static long flock_and_unlock(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_flock, file, LOCK_EX);
	return sys(SYS_flock, file, LOCK_UN);
}

/* N processes wait for a byte of their own in one file. */
static void lock_waiters(unsigned n)
{
	locks(n);
	for (unsigned i = 0; i < n; i++) {
		each[i] = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1 };
		tasks[i] = spawn(PROCESS, NULL, SYS_fcntl, file, F_SETLKW, (long)&each[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		sys(SYS_sched_yield);
}

static long unlock_end_step(unsigned n, unsigned turn)
{
	unlock_end(n, turn);
	return 0;
}

static void lock_end_before(unsigned n, unsigned turn)
{
	must(lock_end(n, turn), "lock");
}

/* What the step set going has run until it waits again. */
static void let_run(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_sched_yield);
	sys(SYS_sched_yield);
}

static long lock_other_and_run(unsigned n, unsigned turn)
{
	long result = lock_other(n, turn);

	let_run(n, turn);
	return result;
}

static void readers(unsigned n)
{
	must(sys(SYS_pipe, ends), "pipe");
	processes_start_in(n, THREAD, SYS_read, ends[0], (long)&byte, 1);
	let_run(n, 0);
}

static void writers(unsigned n)
{
	static char full[64 << 10];

	must(sys(SYS_pipe, ends), "pipe");
	must(sys(SYS_write, ends[1], full, sizeof(full)), "write");
	processes_start_in(n, THREAD, SYS_write, ends[1], (long)full, 4096);
	let_run(n, 0);
}

/* A byte is written, and who is woken by that runs until it waits again. */
static long write_byte(unsigned n, unsigned turn)
{
	long result = sys(SYS_write, ends[1], &byte, 1);

	let_run(n, turn);
	return result;
}

static long read_page(unsigned n, unsigned turn)
{
	static char page[4096];
	long result = sys(SYS_read, ends[0], page, sizeof(page));

	let_run(n, turn);
	return result;
}

static struct pollfd polled;

static void pollers(unsigned n)
{
	must(sys(SYS_pipe, ends), "pipe");
	must(sys(SYS_pipe, files), "pipe");
	polled = (struct pollfd){ .fd = files[0], .events = POLLIN };
	processes_start_in(n, THREAD, SYS_poll, (long)&polled, 1, -1);
	let_run(n, 0);
}

static long use_pipe(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_write, ends[1], &byte, 1);
	return sys(SYS_read, ends[0], &byte, 1);
}

static void pipes(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_pipe, ends), "pipe");
}

static long make_pipe(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_pipe, files);
}

static void close_pipe(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_close, files[0]);
	sys(SYS_close, files[1]);
}

static long poll_pipe(unsigned n, unsigned turn)
{
	struct pollfd one = { .fd = files[0], .events = POLLIN };

	(void)n, (void)turn;
	return sys(SYS_poll, &one, 1, 0);
}

#define LOCKS   .largest = LARGEST, .setup = locks
#define FILES   .largest = LARGEST, .setup = locked_files
#define WAITERS .largest = 2000, .setup = lock_waiters, .teardown = processes_end
#define READERS .largest = LARGEST, .setup = readers
#define WRITERS .largest = LARGEST, .setup = writers
#define POLLERS .largest = LARGEST, .setup = pollers
#define PIPES   .largest = LARGEST, .setup = pipes

static const struct row rows[] = {
	{ "record lock in the middle", LOCKS, .kind = ROW_LOG, .step = lock_more, .after = unlock_more },
	{ "record lock at the end", LOCKS, .kind = ROW_LOG, .step = lock_end, .after = unlock_end },
	{ "unlock at the end", LOCKS, .kind = ROW_LOG, .before = lock_end_before, .step = unlock_end_step },
	{ "F_GETLK", LOCKS, .kind = ROW_LOG, .step = ask_middle },
	{ "lock and unlock of another file", LOCKS, .step = lock_other },
	{ "open and close, N locks", LOCKS, .step = open_and_close },
	{ "record lock, N locked files", FILES, .step = lock_and_unlock },
	{ "flock, N locked files", FILES, .step = flock_and_unlock },
	{ "lock of another file, N wait", WAITERS, .step = lock_other_and_run },
	{ "unlock, N wait for others", WAITERS, .kind = ROW_LOG, .before = lock_end_before, .step = unlock_end_step,
	  .after = let_run },
	{ "write to a pipe, N readers", READERS, .step = write_byte },
	{ "read of a pipe, N writers", WRITERS, .step = read_page },
	{ "write and read, N poll another pipe", POLLERS, .step = use_pipe },
	{ "poll, N poll the same", POLLERS, .step = poll_pipe },
	{ "write and read, N pipes", PIPES, .step = use_pipe },
	{ "pipe, N pipes", PIPES, .step = make_pipe, .after = close_pipe },
};

ROOM(locks);
