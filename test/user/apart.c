/*
 * Tests that processes which touch fresh memory at the same time, each its own, do not disturb each other, while others
 * look into them and change what they share: each page must be zero at first, and keep what its process writes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define PROCESSES 4
#define PAGES     48
#define ROUNDS    150
#define WORDS     (PAGE / sizeof(unsigned long))

/*
 * Touch fresh pages, `step` pages on each time, and write the page's stamp at both ends. `step` and PAGES have no
 * divisor in common. Returns 0; 1: a page was not zero; 2: a stamp is lost.
 */
static int touch_pages(unsigned long stamp, unsigned step)
{
	unsigned long *memory = fresh(PAGES * PAGE, PROT_READ | PROT_WRITE);
	int wrong = 0;

	for (unsigned i = 0; i < PAGES; i++) {
		unsigned long *page = memory + (i * step + stamp) % PAGES * WORDS;

		for (unsigned word = 0; word < WORDS; word += 37)
			wrong |= page[word] != 0;
		page[0] = stamp + i;
		page[WORDS - 1] = ~page[0];
	}
	for (unsigned i = 0; i < PAGES && !wrong; i++) {
		unsigned long *page = memory + (i * step + stamp) % PAGES * WORDS;

		if (page[0] != stamp + i || page[WORDS - 1] != ~page[0])
			wrong = 2;
	}
	munmap(memory, PAGES * PAGE);
	return wrong;
}

static int touch_alone(void *argument)
{
	const unsigned long self = (unsigned long)argument;
	int wrong = 0;

	for (unsigned round = 0; round < ROUNDS && !wrong; round++)
		wrong = touch_pages((self << 32) + (unsigned long)round * PAGES, 1 + 6 * (round % 5));
	return wrong;
}

static void *touch_beside(void *argument)
{
	return (void *)(long)touch_pages((unsigned long)argument, 7);
}

/* Touch pages while the memory belongs to one thread, then to two threads, then to one thread again. */
static int touch_by_turns(void *argument)
{
	const unsigned long self = (unsigned long)argument;
	int wrong = 0;

	for (unsigned round = 0; round < ROUNDS / 5 && !wrong; round++) {
		pthread_t thread;
		void *beside;

		wrong = touch_pages(self << 32, 5);
		if (pthread_create(&thread, NULL, touch_beside, (void *)((self << 32) + 1000)))
			return 3;
		wrong |= touch_pages((self << 32) + 2000, 5);
		pthread_join(thread, &beside);
		wrong |= (int)(long)beside;
	}
	return wrong;
}

/* Touch pages in the child of each fork at the same time as in its parent. */
static int touch_and_fork(void *argument)
{
	const unsigned long self = (unsigned long)argument;
	int wrong = 0;

	for (unsigned round = 0; round < ROUNDS / 10 && !wrong; round++) {
		const pid_t child = fork();
		int status;

		wrong = touch_pages((self << 32) + round, 5);
		if (!child)
			_exit(wrong);
		if (child < 0 || waitpid(child, &status, 0) != child)
			return 4;
		wrong |= status;
	}
	return wrong;
}

static void look(pid_t pid, const char *file)
{
	static char text[4096];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY);
	while (fd >= 0 && read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

/* Read a word of the process's memory, which the process may be changing, and which may not be mapped. */
static void peek(pid_t pid, const void *at)
{
	unsigned long word;
	struct iovec to = { &word, sizeof(word) }, from = { (void *)(uintptr_t)at, sizeof(word) };

	(void)!process_vm_readv(pid, &to, 1, &from, 1, 0);
}

/* Let all processes run `body` at the same time, and look into them meanwhile. */
static void at_once(int (*body)(void *), const char *name)
{
	static const char *const files[] = { "maps", "statm", "stat", "smaps" };
	int shared = memfd_create("apart", 0), all = 0, status;
	pid_t pids[PROCESSES];
	unsigned long *pages;

	(void)!ftruncate(shared, 4 * PAGE);
	pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
	for (unsigned long i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		pages[0]++;
		_exit(body((void *)(i + 1)));
	}
	for (unsigned round = 0; waitpid(-1, &status, WNOHANG) == 0; round++) {
		const pid_t pid = pids[round % PROCESSES];

		look(pid, files[round / PROCESSES % COUNT(files)]);
		peek(pid, &pids);
		/* With 3 pages the file is shorter than its mapping: a page goes away in all processes that map it. */
		(void)!ftruncate(shared, (round % 2 ? 4 : 3) * (long)PAGE);
		pages[0]++;
	}
	all |= status;
	while (waitpid(-1, &status, 0) > 0)
		all |= status;
	munmap(pages, 4 * PAGE);
	close(shared);
	is(all, 0, name);
}

int main(void)
{
	at_once(touch_alone, "fresh pages of processes with one thread");
	at_once(touch_by_turns, "of processes whose memory two threads use now and then");
	at_once(touch_and_fork, "of processes that fork meanwhile");
	return finish();
}
