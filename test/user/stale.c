/*
 * Tests that no CPU uses stale translations: threads read a page, or write to it, while another thread maps something
 * else there, takes the right to write away, or forks. What the call has changed must hold for all threads when it
 * returns, on whatever CPU they are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define READERS 3
#define ROUNDS  100

#define THREADS    200
#define STACK_SIZE (16UL << 10)

/* The page; the least number that it may hold; how many reads found less; and how many reads there were. */
static volatile unsigned long *page;
static unsigned long least, stale, reads;
static int over;

static unsigned long load(const unsigned long *from)
{
	return __atomic_load_n(from, __ATOMIC_SEQ_CST);
}

/* Read the page again and again: no read may give less than the number that the page held before that read began. */
static void *read_on(void *unused)
{
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
		unsigned long before = load(&least), saw = *page;

		if (saw < before)
			__atomic_add_fetch(&stale, 1, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&reads, 1, __ATOMIC_RELAXED);
	}
	return unused;
}

/* Let each thread run a little. */
static void let_run(void)
{
	unsigned long before = load(&reads);

	for (int i = 0; i < 1000 && load(&reads) < before + 20; i++)
		sched_yield();
}

/* Call change(i) for each round while the threads read. After the call the page holds at least i. */
static void with_readers(void (*change)(unsigned long i), const char *name)
{
	pthread_t threads[READERS];

	least = stale = reads = 0;
	over = 0;
	for (int i = 0; i < READERS; i++)
		if (pthread_create(&threads[i], NULL, read_on, NULL))
			bail("pthread_create", 0);
	for (unsigned long i = 1; i <= ROUNDS; i++) {
		change(i);
		__atomic_store_n(&least, i, __ATOMIC_SEQ_CST);
		let_run();
	}
	__atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	is((long)stale, 0, name);
	is_true(reads > ROUNDS, (long)reads, "which was read all the time");
}

static int file;

/* Map the file's i-th page, which holds the number i, in place of the one before. */
static void map_next(unsigned long i)
{
	if (mmap((void *)page, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file, (off_t)(i * PAGE)) != (void *)page)
		bail("mmap", (long)i);
}

/* Share the page with a child, and write to it: the write gives this process another frame. */
static void fork_and_write(unsigned long i)
{
	int fds[2];
	pid_t child;
	char byte = 0;

	if (pipe(fds))
		bail("pipe", 0);
	child = fork();
	if (!child) {
		/* The child keeps the old frame until the parent has written. */
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) != 0 || *page != i - 1);
	}
	*page = i;
	close(fds[1]);
	close(fds[0]);
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status)
		bail("the child", status);
}

/* ---- the right to write ---- */

static int writing;

/* Handle the SIGSEGV of a write that was refused: the write is tried again when this returns. */
static void refused(int signal)
{
	(void)signal;
	sched_yield();
}

static void *write_on(void *unused)
{
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
		(*page)++;
		__atomic_store_n(&writing, 1, __ATOMIC_SEQ_CST);
	}
	return unused;
}

static void test_protect(void)
{
	pthread_t thread;
	long changed = 0;

	signal(SIGSEGV, refused);
	over = 0;
	if (pthread_create(&thread, NULL, write_on, NULL))
		bail("pthread_create", 0);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned long before;

		writing = 0;
		for (int n = 0; n < 10000 && !__atomic_load_n(&writing, __ATOMIC_SEQ_CST); n++)
			sched_yield();
		mprotect((void *)page, PAGE, PROT_READ);
		before = *page;
		for (int n = 0; n < 20; n++)
			sched_yield();
		changed += *page != before;
		mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE);
	}
	__atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	is(changed, 0, "a page that may not be written to any more keeps what it has");
}

/* ---- what changes cost other CPUs ---- */

/* Return how often the kernel has had a CPU flush translations for another one; 0 on Linux, which has no such file. */
static long flushes_sent(void)
{
	FILE *cpus = fopen("/sys/kernel/ankeos/cpus", "r");
	long sum = 0, sent;
	char line[256];

	while (cpus && fgets(line, sizeof(line), cpus))
		if (sscanf(line, "%*d %*d %*s %*d %*s %*s %*d %ld", &sent) == 1)
			sum += sent;
	if (cpus)
		fclose(cpus);
	return sum;
}

static void *wait_on(void *unused)
{
	pause();
	return unused;
}

/* Start THREADS threads, write a byte to say so, and wait. */
static void wait_with_threads(int fd)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread, &attributes, wait_on, NULL))
			_exit(1);
	if (write(fd, "", 1) != 1)
		_exit(1);
	pause();
}

/*
 * Check that kernel stacks of many tasks that end are unmapped together: each unmapping costs a flush on every CPU, for
 * which the CPU that unmaps waits.
 */
static void test_end_of_many(void)
{
	int fds[2], status = 0;
	pid_t child;
	char byte;
	long sent;

	if (pipe(fds))
		bail("pipe", errno);
	child = fork();
	if (!child)
		wait_with_threads(fds[1]);
	if (child < 0 || read(fds[0], &byte, 1) != 1)
		bail("the child", child);
	sent = flushes_sent();
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	sent = flushes_sent() - sent;
	is(status, SIGKILL, "a process of many threads is killed");
	is_between(sent, 0, THREADS / 8 * sysconf(_SC_NPROCESSORS_ONLN), "and few of their stacks make CPUs flush");
}

int main(void)
{
	unsigned long i;

	file = memfd_create("numbers", 0);
	for (i = 0; i <= ROUNDS; i++)
		if (pwrite(file, &i, sizeof(i), (off_t)(i * PAGE)) != sizeof(i))
			bail("pwrite", (long)i);
	page = fresh(PAGE, PROT_READ | PROT_WRITE);
	with_readers(map_next, "a mapping in place of another is seen by all threads");
	munmap((void *)page, PAGE);
	page = fresh(PAGE, PROT_READ | PROT_WRITE);
	with_readers(fork_and_write, "a page that was copied for a write is seen by all threads");
	test_protect();
	test_end_of_many();
	return finish();
}
