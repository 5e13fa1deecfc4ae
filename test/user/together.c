/*
 * Tests threads that read and write one file at once: the bytes of one call must lie together, in however many steps
 * the kernel moves them, and RLIMIT_FSIZE must hold.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "test/user/tap.h"

#define NAME    "/tmp/.together"
#define RECORD  (512UL << 10)
#define RECORDS 12 /* how many records each thread writes */
#define THREADS 3

static volatile bool over;
static char blocks[THREADS][RECORD];
static int files[THREADS]; /* the descriptor that each thread uses */
static long refused;       /* how many calls have moved anything but a whole record */

/* Wake up all the time, so that others get the CPU in the middle of a call. */
static void *tick(void *unused)
{
	const struct timespec pause = { 0, 50000 };

	(void)unused;
	while (!over)
		sys(SYS_nanosleep, &pause, NULL);
	return NULL;
}

static void *write_records(void *argument)
{
	size_t self = (size_t)argument;

	memset(blocks[self], (int)('a' + self), RECORD);
	for (int i = 0; i < RECORDS; i++)
		if (sys(SYS_write, files[self], blocks[self], RECORD) != (long)RECORD)
			__atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* Read records, and check that each is one that was written. */
static void *read_records(void *argument)
{
	size_t self = (size_t)argument;

	for (int i = 0; i < RECORDS; i++)
		if (sys(SYS_read, files[self], blocks[self], RECORD) != (long)RECORD ||
		    memcmp(blocks[self], blocks[self] + 1, RECORD - 1) != 0)
			__atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void in_threads(void *(*body)(void *))
{
	pthread_t threads[THREADS], ticker;

	over = false;
	refused = 0;
	if (pthread_create(&ticker, NULL, tick, NULL) != 0)
		bail("no thread", 0);
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, body, (void *)i) != 0)
			bail("no thread", (long)i);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	over = true;
	pthread_join(ticker, NULL);
}

/* Return how many records of the file do not consist of one letter. */
static int torn_records(void)
{
	int file = (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDONLY), torn = 0;

	while (sys(SYS_read, file, blocks[0], RECORD) == (long)RECORD)
		torn += memcmp(blocks[0], blocks[0] + 1, RECORD - 1) != 0;
	sys(SYS_close, file);
	return torn;
}

static long size_of_file(void)
{
	struct stat status;

	sys(SYS_stat, NAME, &status);
	return status.st_size;
}

static void open_files(int flags, bool one)
{
	sys(SYS_unlink, NAME);
	for (int i = 0; i < THREADS; i++) {
		files[i] = one && i ? files[0] : (int)sys(SYS_openat, AT_FDCWD, NAME, flags | O_CREAT, 0600);
		if (files[i] < 0)
			bail("no file", files[i]);
	}
}

static void close_files(bool one)
{
	for (int i = 0; i < (one ? 1 : THREADS); i++)
		sys(SYS_close, files[i]);
}

static void test_append(void)
{
	open_files(O_WRONLY | O_APPEND, false);
	in_threads(write_records);
	is(refused, 0, "threads append to a file");
	is(torn_records(), 0, "what each write appends lies together");
	is(size_of_file(), THREADS * RECORDS * (long)RECORD, "and none is lost");
	close_files(false);
}

static void test_position(void)
{
	open_files(O_RDWR, true);
	in_threads(write_records);
	is(refused, 0, "threads write by one position");
	is(torn_records(), 0, "each write lies together");
	is(size_of_file(), THREADS * RECORDS * (long)RECORD, "behind the one before");
	sys(SYS_lseek, files[0], 0, SEEK_SET);
	in_threads(read_records);
	is(refused, 0, "and each read gets one of them");
	is(sys(SYS_lseek, files[0], 0, SEEK_CUR), THREADS * RECORDS * (long)RECORD, "up to the end");
	close_files(true);
}

/* Append by three descriptors until the limit, which lies inside a record. */
static int write_limited(void *unused)
{
	const long limit = 5 * (long)RECORD + 100;
	struct rlimit sizes = { (rlim_t)limit, (rlim_t)limit };

	(void)unused;
	signal(SIGXFSZ, SIG_IGN);
	open_files(O_WRONLY | O_APPEND, false);
	sys(SYS_prlimit64, 0, RLIMIT_FSIZE, &sizes, NULL);
	in_threads(write_records);
	return size_of_file() != limit;
}

static int sizes_seen; /* a file that another thread writes to and cuts off */

static void *cut_off(void *unused)
{
	(void)unused;
	for (int i = 0; i < 200; i++)
		sys(SYS_ftruncate, files[0], 0);
	return NULL;
}

/* Check that a write and a truncation do not mix: one of them comes first as a whole. */
static void test_truncate(void)
{
	pthread_t cutter;

	open_files(O_RDWR | O_APPEND, true);
	memset(blocks[1], 'x', RECORD);
	if (pthread_create(&cutter, NULL, cut_off, NULL) != 0)
		bail("no thread", 0);
	for (int i = 0; i < 4 * RECORDS; i++) {
		sys(SYS_write, files[0], blocks[1], RECORD);
		sizes_seen += size_of_file() % (long)RECORD != 0;
	}
	pthread_join(cutter, NULL);
	is(sizes_seen, 0, "no truncation comes in the middle of a write");
	close_files(true);
}

int main(void)
{
	test_append();
	test_position();
	is(in_child(write_limited, NULL), EXITED(0), "together they end at RLIMIT_FSIZE");
	test_truncate();
	sys(SYS_unlink, NAME);
	return finish();
}
