/*
 * Tests /proc/PID/smaps and smaps_rollup, prctl's timer slack, and /proc/PID/timerslack_ns.
 */
#define _GNU_SOURCE
#include "test/user/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM (1 << 20)

static char text[ROOM]; /* a file's content */

/* Read a file into `text`, `piece` bytes at a time. Returns how many there are, or -errno. */
static long read_all(const char *path, size_t piece)
{
	const int file = open(path, O_RDONLY);
	long size = 0, got = 1;

	if (file < 0)
		return -errno;
	while (got > 0 && size + (long)piece < ROOM) {
		got = read(file, text + size, piece);
		size += got > 0 ? got : 0;
	}
	text[size] = 0;
	close(file);
	return size;
}

/* Return the record in `text` of the area that begins at `start`; NULL: there is none. */
static const char *record(const void *start)
{
	char line[24];
	const char *at;

	snprintf(line, sizeof(line), "%08lx-", (unsigned long)start);
	at = strstr(text, line);
	return at && (at == text || at[-1] == '\n') ? at : NULL;
}

/* Return the number behind `name` in the record at `from`; -1: there is none. */
static long number(const char *from, const char *name)
{
	const char *at = from ? strstr(from, name) : NULL;

	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

/*
 * Map memory that makes an area of its own, since inaccessible pages on both sides keep it from being joined to others.
 */
static char *apart(size_t pages, int flags)
{
	char *at = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_ANONYMOUS | flags, -1, 0);

	if (at == MAP_FAILED)
		bail("mmap", errno);
	at += PAGE;
	madvise(at, pages * PAGE, MADV_NOHUGEPAGE);
	if (mprotect(at, pages * PAGE, PROT_READ | PROT_WRITE) != 0)
		bail("mprotect", errno);
	return at;
}

static void test_private(void)
{
	char *at = apart(64, MAP_PRIVATE);
	int ends[2], status = -1;
	const char *found;
	char byte;
	long child;

	memset(at, 1, 10 * PAGE);
	is_true(read_all("/proc/self/smaps", 4000) > 0, 0, "smaps");
	found = record(at);
	is_true(found != NULL, 0, "has the area");
	is(number(found, "\nSize:"), 256, "its size");
	is(number(found, "\nKernelPageSize:"), 4, "its page size");
	is(number(found, "\nRss:"), 40, "what was touched");
	is(number(found, "\nPss:"), 40, "which is its own");
	is(number(found, "\nPss_Dirty:"), 40, "and dirty");
	is(number(found, "\nShared_Dirty:"), 0, "not shared");
	is(number(found, "\nPrivate_Dirty:"), 40, "but private");
	is(number(found, "\nReferenced:"), 40, "referenced");
	is(number(found, "\nAnonymous:"), 40, "anonymous");
	is(number(found, "\nSwap:"), 0, "not swapped");
	is_true(found && strstr(found, "\nVmFlags: rd wr mr mw me "), 0, "its flags");

	if (pipe(ends) != 0)
		bail("pipe", errno);
	child = sys(SYS_fork);
	if (!child) {
		close(ends[1]);
		sys(SYS_exit_group, read(ends[0], &byte, 1));
	}
	read_all("/proc/self/smaps", 4000);
	found = record(at);
	is(number(found, "\nRss:"), 40, "with a child it is as large");
	is(number(found, "\nPss:"), 20, "and half is its own");
	is(number(found, "\nShared_Dirty:"), 40, "all is shared");
	is(number(found, "\nPrivate_Dirty:"), 0, "none private");
	close(ends[0]);
	close(ends[1]);
	sys(SYS_wait4, child, &status, 0, NULL);
	is(status, 0, "the child ends");
	munmap(at - PAGE, 66 * PAGE);
}

static void test_shared(void)
{
	char *at = apart(16, MAP_SHARED);
	const char *found;

	memset(at, 1, 4 * PAGE);
	read_all("/proc/self/smaps", ROOM / 2);
	found = record(at);
	is(number(found, "\nRss:"), 16, "shared memory");
	is(number(found, "\nAnonymous:"), 0, "is not anonymous");
	is(number(found, "\nPrivate_Dirty:"), 16, "private as long as nobody else has it");
	is_true(found && strstr(found, "\nVmFlags: rd wr sh mr mw me ms "), 0, "its flags");
	munmap(at - PAGE, 18 * PAGE);
}

/* Return the sum of all numbers behind `name` in `text`. */
static long sum(const char *name)
{
	long total = 0;

	for (const char *at = strstr(text, name); at; at = strstr(at + 1, name))
		total += number(at, name);
	return total;
}

/* Check an area with more pages than the kernel counts in one step, and the sums over all areas. */
static void test_large(void)
{
	const size_t pages = 10000;
	char *at = apart(pages, MAP_PRIVATE);
	const char *found;
	long resident;

	for (size_t i = 0; i < pages; i++)
		at[i * PAGE] = 1;
	read_all("/proc/self/smaps", 1000);
	found = record(at);
	is(number(found, "\nRss:"), (long)pages * 4, "many pages");
	is(number(found, "\nPrivate_Dirty:"), (long)pages * 4, "are counted, each once");
	resident = sum("\nRss:");
	is_true(read_all("/proc/self/smaps_rollup", 4000) > 0, 0, "smaps_rollup");
	is_true(strstr(text, " ---p 00000000 00:00 0                              [rollup]\n") != NULL, 0, "its name");
	is_between(number(text, "\nRss:"), resident - 64, resident + 64, "has the sum of all areas");
	is_between(number(text, "\nPss_Anon:"), (long)pages * 4, resident + 64, "the anonymous part");
	is(number(text, "\nSize:"), -1, "no size");
	munmap(at - PAGE, (pages + 2) * PAGE);
	read_all("/proc/self/smaps_rollup", 100);
	is_between(number(text, "\nRss:"), 4, resident - (long)pages * 4 + 64, "and less when one is gone");
}

static int slack_of_child(void *unused)
{
	(void)unused;
	if (prctl(PR_GET_TIMERSLACK) != 7)
		return 1;
	prctl(PR_SET_TIMERSLACK, 9);
	prctl(PR_SET_TIMERSLACK, 0);
	return prctl(PR_GET_TIMERSLACK) == 7 ? 0 : 2;
}

static void test_slack(void)
{
	int file;

	is(prctl(PR_GET_TIMERSLACK), 50000, "the timer slack");
	is(prctl(PR_SET_TIMERSLACK, 1000), 0, "is set");
	is(prctl(PR_GET_TIMERSLACK), 1000, "and told");
	read_all("/proc/self/timerslack_ns", 100);
	is_text(text, "1000\n", "and in /proc");
	file = open("/proc/self/timerslack_ns", O_RDWR);
	is(write(file, "7\n", 2), 2, "where it is set, too");
	is(sys(SYS_write, file, "x", 1), -EINVAL, "to a number");
	close(file);
	is(in_child(slack_of_child, NULL), EXITED(0), "a child has it as its default");
	is(prctl(PR_SET_TIMERSLACK, 0), 0, "the default");
	is(prctl(PR_GET_TIMERSLACK), 50000, "comes back");
}

/* pagemap: 8 bytes for each page, of which bit 63 says that the page is there, and bit 61 that it is a file's. */
static void test_pagemap(void)
{
	uint64_t entries[3] = { 77, 77, 77 };
	char *private = fresh(2 * PAGE, PROT_READ | PROT_WRITE);
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);

	private[0] = shared[0] = 1;
	is(sys(SYS_pread64, fd, entries, 16, (uintptr_t) private / PAGE * 8), 16, "pagemap");
	is((long)(entries[0] >> 61), 4, "a touched page is there, and no file's");
	is((long)(entries[1] >> 61), 0, "one that was not touched is not");
	is(sys(SYS_pread64, fd, entries, 8, (uintptr_t)shared / PAGE * 8), 8, "of shared memory");
	is((long)(entries[0] >> 61), 5, "a page is like a file's");
	is(sys(SYS_pread64, fd, entries, 8, 4), -EINVAL, "there are no parts of entries");
	is(sys(SYS_pread64, fd, entries, 12, 8), -EINVAL, "nor at their end");
	munmap(private, 2 * PAGE);
	is(sys(SYS_pread64, fd, entries, 16, (uintptr_t) private / PAGE * 8), 16, "of nothing");
	is(entries[0] | entries[1], 0, "nothing is there");
	close(fd);
	munmap(shared, PAGE);
}

int main(void)
{
	if (access("/proc/self/stat", F_OK) != 0) {
		mkdir("/proc", 0555);
		if (mount("proc", "/proc", "proc", 0, NULL) != 0)
			bail("/proc cannot be mounted", errno);
	}
	test_private();
	test_shared();
	test_large();
	test_slack();
	test_pagemap();
	return finish();
}
