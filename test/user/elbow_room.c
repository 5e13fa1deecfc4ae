/*
 * Tests processes that change their memory at once, on all CPUs that there are, while others read it, write to it and
 * send signals. Each process must find in its memory what it has put there and nothing else, and whoever looks into it
 * must find no other process's bytes. So the test fails when a page is given away while a CPU can still reach it, or
 * when an area is seen half changed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "test/user/tap.h"

#define WORKERS 3
#define WATCHES 2
#define PAGES   48 /* the pages of a worker's arena */
#define LENGTH  12 /* the most pages that are changed at once */
#define ROUNDS  3000
#define FORKS   40 /* a worker forks once in this many rounds */
#define TEXT    (64UL << 10)

#define WORDS    (PAGE / sizeof(uint64_t))
#define MAIL     (WORDS / 2 + 1) /* the index of the word of a page that others write to */
#define MAIL_OF  0x6d61696c00000000UL
#define CHECKED  64 /* a check looks at every 64th word of a page */
#define ANYWHERE (MAP_PRIVATE | MAP_ANONYMOUS)

enum state { FREE, READS, WRITES };

/* What a worker knows of its own memory. */
static struct page {
	enum state state;
	uint64_t word; /* the first word of the page */
} pages[PAGES];
static uint64_t *arena;   /* a worker's memory: PAGES pages */
static unsigned self;     /* the number of the worker, or of the watch after the workers */
static uint64_t count;    /* how many words the worker has written; part of each */
static uint32_t dice = 1; /* the state of random() */
static volatile long signals;

/* What all processes of the test share. */
static struct shared {
	volatile int process[WORKERS];
	uint64_t *volatile arena[WORKERS];
	volatile int over;
	volatile long looks, reads;
} * shared;

static unsigned roll(unsigned sides)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % sides;
}

/* Return the upper bits of all words that this worker may write to this page, and to no other. */
static uint64_t stamp(unsigned worker, unsigned page)
{
	return (uint64_t)(worker + 1) << 56 | (uint64_t)(page + 1) << 40;
}

static uint64_t *page_at(unsigned page)
{
	return arena + page * WORDS;
}

/* End this process, a worker or a watch, and print the line of the check, unless the condition holds. */
static void must_hold(bool condition, int line)
{
	if (condition)
		return;
	printf("# process %ld, worker %u: line %d\n", sys(SYS_getpid), self, line);
	fflush(stdout);
	sys(SYS_exit_group, 1);
}
#define MUST(condition) must_hold(condition, __LINE__)

/* ---- a worker ---- */

static void count_signal(int signal)
{
	(void)signal;
	signals++;
}

/* Check that a page has what was written to it: its first word, what others may have written, and zeros. */
static void check(unsigned page)
{
	const volatile uint64_t *words = page_at(page);

	MUST(words[0] == pages[page].word);
	MUST(words[MAIL] == 0 || words[MAIL] == MAIL_OF + self);
	for (unsigned i = CHECKED / 2; i < WORDS; i += CHECKED)
		MUST(words[i] == 0);
}

static void write_to(unsigned page)
{
	pages[page].word = stamp(self, page) | (++count & 0xffffff);
	*(volatile uint64_t *)page_at(page) = pages[page].word;
}

static bool all_are(unsigned first, unsigned length, bool mapped)
{
	for (unsigned i = first; i < first + length; i++)
		if ((pages[i].state != FREE) != mapped)
			return false;
	return true;
}

static void set_all(unsigned first, unsigned length, enum state state, bool zero)
{
	for (unsigned i = first; i < first + length; i++) {
		pages[i].state = state;
		if (zero)
			pages[i].word = 0;
	}
}

static void map_some(unsigned first, unsigned length)
{
	if (!all_are(first, length, false))
		return;
	MUST(sys(SYS_mmap, page_at(first), length * PAGE, PROT_READ | PROT_WRITE, ANYWHERE, -1, 0) ==
	     (long)page_at(first));
	set_all(first, length, WRITES, true);
}

static void unmap_some(unsigned first, unsigned length)
{
	MUST(sys(SYS_munmap, page_at(first), length * PAGE) == 0);
	set_all(first, length, FREE, true);
}

static void protect_some(unsigned first, unsigned length)
{
	const bool writes = roll(2);
	const long expected = all_are(first, length, true) ? 0 : -ENOMEM;

	if (expected)
		return;
	MUST(sys(SYS_mprotect, page_at(first), length * PAGE, writes ? PROT_READ | PROT_WRITE : PROT_READ) == 0);
	set_all(first, length, writes ? WRITES : READS, false);
}

static void drop_some(unsigned first, unsigned length)
{
	if (!all_are(first, length, true))
		return;
	MUST(sys(SYS_madvise, page_at(first), length * PAGE, MADV_DONTNEED) == 0);
	for (unsigned i = first; i < first + length; i++)
		pages[i].word = 0;
}

static void touch_some(unsigned first, unsigned length)
{
	for (unsigned i = first; i < first + length; i++) {
		if (pages[i].state == FREE)
			continue;
		check(i);
		if (pages[i].state == WRITES)
			write_to(i);
	}
}

/*
 * Check that a call which writes to a page may do so exactly when the program itself may, however the rights have
 * changed.
 */
static void let_write(unsigned page)
{
	static const uint64_t zero;
	struct iovec to = { page_at(page), sizeof(uint64_t) }, from = { (void *)&zero, sizeof(zero) };
	const long moved = sys(SYS_process_vm_writev, sys(SYS_getpid), &from, 1, &to, 1, 0);

	MUST(moved == (pages[page].state == WRITES ? (long)sizeof(zero) : -EFAULT));
	if (moved > 0)
		pages[page].word = 0;
}

static void move_break(void)
{
	const long end = sys(SYS_brk, 0), more = (long)((1 + roll(LENGTH)) * PAGE);

	MUST(sys(SYS_brk, end + more) == end + more);
	for (long at = end; at < end + more; at += (long)PAGE) {
		volatile uint64_t *words = (uint64_t *)(((uintptr_t)at + PAGE - 1) & ~(PAGE - 1));

		if ((long)words + (long)PAGE > end + more)
			break;
		MUST(words[0] == 0 && words[WORDS - 1] == 0);
		words[0] = words[WORDS - 1] = stamp(self, PAGES);
	}
	MUST(sys(SYS_brk, end) == end);
}

/*
 * Fork, and let parent and child write to the same pages at once: each must see only its own words. The child unmaps
 * some pages, whose frames the next child may get.
 */
static void fork_one(void)
{
	const long child = sys(SYS_fork);
	int status = -1;
	long ended;

	MUST(child >= 0);
	touch_some(0, PAGES);
	if (child == 0) {
		touch_some(0, PAGES);
		unmap_some(roll(PAGES / 2), PAGES / 2);
		touch_some(0, PAGES);
		sys(SYS_exit_group, 0);
	}
	do
		ended = sys(SYS_wait4, child, &status, 0, NULL);
	while (ended == -EINTR);
	MUST(ended == child && status == 0);
	touch_some(0, PAGES);
}

static void change(void)
{
	const unsigned first = roll(PAGES - LENGTH), length = 1 + roll(LENGTH);

	switch (roll(8)) {
	case 0:
	case 1:
		map_some(first, length);
		break;
	case 2:
		unmap_some(first, length);
		break;
	case 3:
		protect_some(first, length);
		break;
	case 4:
		drop_some(first, length);
		break;
	case 5:
		move_break();
		break;
	case 6:
		let_write(first);
		break;
	default:
		touch_some(first, length);
		break;
	}
}

static void work(unsigned number)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = SA_RESTART };

	self = number;
	dice = number + 1;
	sigaction(SIGUSR1, &action, NULL);
	/* Put the arena between two pages that stay, so that nothing else is mapped in its place. */
	arena = (uint64_t *)((char *)fresh((PAGES + 2) * PAGE, PROT_READ) + PAGE);
	unmap_some(0, PAGES);
	shared->arena[number] = arena;
	shared->process[number] = (int)sys(SYS_getpid);
	for (unsigned round = 0; round < ROUNDS; round++) {
		change();
		if (roll(FORKS) == 0)
			fork_one();
	}
	for (unsigned i = 0; i < PAGES; i++)
		if (pages[i].state != FREE)
			check(i);
	sys(SYS_exit_group, 0);
}

/* ---- a watch ---- */

/* Read a file of the process's directory in /proc. Returns the number of bytes; 0: the process has ended. */
static long read_of(int process, const char *name, char *text)
{
	char path[64];
	long got, all = 0;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/%s", process, name);
	file = (int)sys(SYS_open, path, O_RDONLY);
	if (file < 0)
		return 0;
	while (all < (long)TEXT - 1 && (got = sys(SYS_read, file, text + all, TEXT - 1 - (unsigned long)all)) > 0)
		all += got;
	sys(SYS_close, file);
	text[all] = 0;
	return all;
}

/*
 * Check that the ranges in /proc/PID/maps or smaps rise and do not overlap, and that no more of a range is in memory
 * than its size.
 */
static void look_at(int process, const char *name)
{
	static char text[TEXT];
	unsigned long start, end, last = 0, size = 0, kilobytes;
	char *line, *rest = text;

	if (!read_of(process, name, text))
		return;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
			/*
			 * Only the ends must rise: between two reads of the file neighbours may become one area, which
			 * is then shown from its start.
			 */
			MUST(start < end && end > last);
			last = end;
			size = (end - start) / 1024;
		} else if (sscanf(line, "Rss: %lu", &kilobytes) == 1) {
			MUST(kilobytes <= size);
		}
	}
	shared->looks++;
}

/* Read the first word of each page of a worker, and check that it is one that may stand there. Then write to a page. */
static void reach_into(unsigned worker)
{
	const uint64_t mail = MAIL_OF + worker;

	for (unsigned page = 0; page < PAGES; page++) {
		uint64_t word = 0;
		struct iovec here = { &word, sizeof(word) };
		struct iovec there = { shared->arena[worker] + page * WORDS, sizeof(word) };
		const long moved = sys(SYS_process_vm_readv, shared->process[worker], &here, 1, &there, 1, 0);

		MUST(moved == (long)sizeof(word) || moved == -EFAULT || moved == -ESRCH);
		MUST(!word || (word & ~0xffffffULL) == stamp(worker, page));
		shared->reads += moved > 0;
	}
	struct iovec here = { (void *)&mail, sizeof(mail) };
	struct iovec there = { shared->arena[worker] + roll(PAGES) * WORDS + MAIL, sizeof(mail) };

	(void)sys(SYS_process_vm_writev, shared->process[worker], &here, 1, &there, 1, 0);
}

static void watch(unsigned number)
{
	self = WORKERS + number;
	dice = 77 + number;
	while (!shared->over) {
		const unsigned worker = roll(WORKERS);

		if (!shared->process[worker])
			continue;
		switch (roll(4)) {
		case 0:
			look_at(shared->process[worker], "maps");
			break;
		case 1:
			look_at(shared->process[worker], "smaps");
			break;
		case 2:
			reach_into(worker);
			break;
		default:
			(void)sys(SYS_kill, shared->process[worker], SIGUSR1);
			break;
		}
	}
	sys(SYS_exit_group, 0);
}

static long start(void (*body)(unsigned number), unsigned number)
{
	const long child = sys(SYS_fork);

	if (child < 0)
		bail("no process", child);
	if (child == 0)
		body(number);
	return child;
}

int main(void)
{
	long workers[WORKERS], watches[WATCHES];
	int status;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		bail("no shared memory", errno);
	for (unsigned i = 0; i < WORKERS; i++)
		workers[i] = start(work, i);
	for (unsigned i = 0; i < WATCHES; i++)
		watches[i] = start(watch, i);
	for (unsigned i = 0; i < WORKERS; i++) {
		sys(SYS_wait4, workers[i], &status, 0, NULL);
		is(status, EXITED(0), "a process finds in its memory what it has put there");
	}
	shared->over = 1;
	for (unsigned i = 0; i < WATCHES; i++) {
		sys(SYS_wait4, watches[i], &status, 0, NULL);
		is(status, EXITED(0), "who looks finds whole areas, and the process's own words");
	}
	is_true(shared->looks > 0, shared->looks, "the processes were looked at");
	is_true(shared->reads > 0, shared->reads, "and read");
	return finish();
}
