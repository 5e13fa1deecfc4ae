/*
 * Tests mapped files: all who map a page see the same bytes, and a file that becomes shorter leaves all mappings. Tests
 * madvise, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/user/tap.h"

#define RW (PROT_READ | PROT_WRITE)

static volatile char *map(long file, int protection, int flags, size_t pages)
{
	long at = sys(SYS_mmap, NULL, pages * PAGE, protection, flags, file, 0);

	if (at < 0 && at > -4096)
		bail("mmap", at);
	return (volatile char *)at;
}

/* Check that all mappings of one file of several pages show the same bytes. */
static void check_one_page(const char *path)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
	volatile char *reader, *writer, *copy;
	char byte = 0, old;

	if (file < 0)
		bail(path, file);
	reader = map(file, PROT_READ, MAP_SHARED, 2);
	writer = map(file, RW, MAP_SHARED, 2);
	copy = map(file, RW, MAP_PRIVATE, 2);
	old = reader[0];
	is(copy[0], old, "a private mapping shows what the shared one does");
	is(writer[0], old, "and so does another shared one");
	writer[0] = (char)(old + 1);
	is(reader[0], (char)(old + 1), "what is written to one shared mapping is in the other");
	is(copy[0], (char)(old + 1), "and in a private one that was not written to");
	sys(SYS_pread64, file, &byte, 1, 0);
	is(byte, (char)(old + 1), "and in the file");
	byte = '!';
	sys(SYS_pwrite64, file, &byte, 1, 1);
	is(reader[1], '!', "what is written to the file is in one shared mapping");
	is(writer[1], '!', "and in the other");
	copy[1] = '?';
	is(reader[1], '!', "what is written to a private mapping is not");
	writer[0] = old;
	is(copy[0], (char)(old + 1), "a private page that was written to stays as it is");
	sys(SYS_munmap, reader, 2 * PAGE);
	sys(SYS_munmap, writer, 2 * PAGE);
	sys(SYS_munmap, copy, 2 * PAGE);
	sys(SYS_close, file);
}

static void test_one_page(void)
{
	char bytes[2 * PAGE];
	long file = sys(SYS_openat, AT_FDCWD, "/tmp/pages", O_CREAT | O_RDWR, 0600);

	memset(bytes, 'a', sizeof(bytes));
	sys(SYS_pwrite64, file, bytes, sizeof(bytes), 0);
	sys(SYS_close, file);
	check_one_page("/tmp/pages");
	sys(SYS_unlink, "/tmp/pages");
	check_one_page("/test/.pages");
}

/* A child that shares or copies what its parent has mapped. The parent writes a byte to tell the child to look. */
struct look {
	volatile char *at;
	int ask[2], answer[2];
};

static int look_when_told(struct look *look)
{
	char byte;

	sys(SYS_read, look->ask[0], &byte, 1);
	return touch_read((void *)look->at);
}

/* Make the file shorter, and check the wait status of a child that then touches `at`. */
static void check_shorter(long file, int flags, bool touch, const char *name)
{
	volatile char *at = map(file, RW, flags, 3);
	struct look look = { .at = at + 2 * PAGE };
	int status = 0;
	long child;

	sys(SYS_ftruncate, file, 3 * PAGE);
	sys(SYS_pwrite64, file, "x", 1, 2 * PAGE);
	if (touch)
		at[2 * PAGE] = 'y';
	is(at[2 * PAGE], touch ? 'y' : 'x', name);
	at[0] = 'z';
	sys(SYS_pipe2, look.ask, 0);
	child = sys(SYS_fork);
	if (child == 0)
		sys(SYS_exit_group, look_when_told(&look));
	is(sys(SYS_ftruncate, file, PAGE + 1), 0, "the file becomes shorter");
	sys(SYS_write, look.ask[1], "", 1);
	sys(SYS_wait4, child, &status, 0, NULL);
	is(status, KILLED(SIGBUS), "SIGBUS for a child that had the page");
	is(in_child(touch_read, (void *)(at + 2 * PAGE)), KILLED(SIGBUS), "and for who maps it");
	is(in_child(touch_read, (void *)(at + 2 * PAGE - 1)), EXITED(0), "the rest of the last page is zero");
	is(at[0], 'z', "what is before it has stayed");
	is(sys(SYS_ftruncate, file, 3 * PAGE), 0, "the file becomes longer again");
	is(at[2 * PAGE], 0, "with zeros");
	sys(SYS_munmap, at, 3 * PAGE);
	sys(SYS_close, look.ask[0]);
	sys(SYS_close, look.ask[1]);
}

static void test_shorter(const char *path)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR, 0600);
	volatile char *at;

	check_shorter(file, MAP_SHARED, true, "a shared page");
	check_shorter(file, MAP_PRIVATE, false, "a private page, read");
	check_shorter(file, MAP_PRIVATE, true, "a private page, written to");
	at = map(file, RW, MAP_SHARED, 3);
	at[PAGE] = 'x';
	is(sys(SYS_truncate, path, PAGE), 0, "truncate by name");
	is(in_child(touch_read, (void *)(at + PAGE)), KILLED(SIGBUS), "takes pages away as well");
	at[1] = 'x';
	is(sys(SYS_close, sys(SYS_openat, AT_FDCWD, path, O_RDWR | O_TRUNC, 0)), 0, "and O_TRUNC");
	is(in_child(touch_read, (void *)at), KILLED(SIGBUS), "does, too");
	sys(SYS_munmap, at, 3 * PAGE);
	sys(SYS_close, file);
}

/* Check that the page in which the file ends stays mapped, and that pages behind that one are gone. */
static void test_end(const char *path)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR, 0600);
	volatile char *at = map(file, RW, MAP_SHARED, 1);

	sys(SYS_ftruncate, file, PAGE);
	at[9] = at[10] = 'x';
	sys(SYS_ftruncate, file, 10);
	is(at[9], 'x', "a file ends inside a page");
	is(at[10], 0, "what is behind its end is zero in mappings");
	sys(SYS_munmap, at, PAGE);
	sys(SYS_close, file);
}

static long long changed_ns(long file)
{
	struct stat stat;

	sys(SYS_fstat, file, &stat);
	if (stat.st_mtim.tv_sec != stat.st_ctim.tv_sec || stat.st_mtim.tv_nsec != stat.st_ctim.tv_nsec)
		return -1;
	return stat.st_mtim.tv_sec * 1000000000LL + stat.st_mtim.tv_nsec;
}

/*
 * Check that a write through a mapping changes the file's times, and that a file cannot be mapped for writing without
 * the right to write.
 */
static void test_writing(const char *path)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR | O_TRUNC, 0600), reading;
	volatile char *at = map(file, RW, MAP_SHARED, 1), *only;
	long long before;

	sys(SYS_ftruncate, file, PAGE);
	before = changed_ns(file);
	is_true(before > 0, (long)before, "a file's times");
	usleep(20000);
	at[0] = 'x';
	sys(SYS_msync, at, PAGE, MS_SYNC);
	is_true(changed_ns(file) > before, (long)changed_ns(file), "a write to a mapping moves both");
	reading = sys(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
	only = map(reading, PROT_READ, MAP_SHARED, 1);
	is(sys(SYS_mprotect, only, PAGE, RW), -EACCES, "a shared mapping of a file open for reading cannot be written");
	sys(SYS_munmap, only, PAGE);
	only = map(reading, PROT_READ, MAP_PRIVATE, 1);
	is(sys(SYS_mprotect, only, PAGE, RW), 0, "a private one can");
	only[0] = 'y';
	is(at[0], 'x', "which the file does not see");
	sys(SYS_munmap, only, PAGE);
	sys(SYS_munmap, at, PAGE);
	sys(SYS_close, file);
	sys(SYS_close, reading);
}

#define LARGE (2UL << 20)

/* Check that memory for which large pages were refused comes into memory in single pages. */
static void test_small_pages(void)
{
	char *at = (char *)(((unsigned long)fresh(2 * LARGE, RW) + LARGE - 1) & ~(LARGE - 1));
	unsigned char in_memory[3] = { 0 };

	is(sys(SYS_madvise, at, LARGE, MADV_NOHUGEPAGE), 0, "MADV_NOHUGEPAGE");
	at[PAGE] = 1;
	is(sys(SYS_mincore, at, 3 * PAGE, in_memory), 0, "mincore");
	is((in_memory[0] & 1) << 2 | (in_memory[1] & 1) << 1 | (in_memory[2] & 1), 2,
	   "brings in the page that is touched");
	is(sys(SYS_madvise, at, LARGE, MADV_HUGEPAGE), 0, "MADV_HUGEPAGE");
}

static void test_advice(void)
{
	char *at = fresh(4 * PAGE, RW);
	volatile char *file;
	long fd;

	memset(at, 'x', 4 * PAGE);
	is(sys(SYS_madvise, at, PAGE, MADV_WIPEONFORK), 0, "MADV_WIPEONFORK");
	is(sys(SYS_madvise, at + PAGE, PAGE, MADV_DONTFORK), 0, "MADV_DONTFORK");
	is(in_child(touch_read, at), EXITED(0), "a child finds zeros");
	is(in_child(touch_read, at + PAGE), KILLED(SIGSEGV), "and nothing");
	is(in_child(touch_read, at + 2 * PAGE), EXITED('x'), "and what is behind");
	is(at[0] + at[PAGE], 2 * 'x', "its parent keeps both");
	is(sys(SYS_madvise, at, PAGE, MADV_KEEPONFORK), 0, "MADV_KEEPONFORK");
	is(sys(SYS_madvise, at, 4 * PAGE, MADV_DOFORK), 0, "MADV_DOFORK");
	is(in_child(touch_read, at), EXITED('x'), "a child has the one");
	is(in_child(touch_read, at + PAGE), EXITED('x'), "and the other");
	for (int i = 5; i <= 7; i++)
		is(sys(SYS_madvise, at, PAGE, i), -EINVAL, "advice that is none");
	is(sys(SYS_madvise, at, PAGE, MADV_REMOVE), -EINVAL, "MADV_REMOVE of private memory");
	is(sys(SYS_madvise, at, -PAGE, MADV_NORMAL), -EINVAL, "advice for a range that wraps");
	is(sys(SYS_msync, at, -PAGE, MS_SYNC), -ENOMEM, "msync of one");
	is(sys(SYS_madvise, at, 4 * PAGE, 22), 0, "MADV_POPULATE_READ");
	is(sys(SYS_madvise, at, 4 * PAGE, 23), 0, "MADV_POPULATE_WRITE");
	sys(SYS_mprotect, at + PAGE, PAGE, PROT_READ);
	is(sys(SYS_madvise, at, 4 * PAGE, 23), -EINVAL, "of what cannot be written");
	sys(SYS_munmap, at + PAGE, PAGE);
	is(sys(SYS_madvise, at, 4 * PAGE, 22), -ENOMEM, "and over a hole");
	fd = sys(SYS_openat, AT_FDCWD, "/tmp/shorter", O_CREAT | O_RDWR | O_TRUNC, 0600);
	sys(SYS_ftruncate, fd, PAGE);
	file = map(fd, RW, MAP_SHARED, 2);
	is(sys(SYS_madvise, file, 2 * PAGE, 22), -EFAULT, "and past the end of a file");
	is(sys(SYS_madvise, file, PAGE, MADV_WIPEONFORK), -EINVAL, "a file's page cannot be wiped");
	sys(SYS_munmap, file, 2 * PAGE);
	sys(SYS_close, fd);
	sys(SYS_munmap, at, 4 * PAGE);
}

static void test_mincore(const char *path)
{
	char *at = fresh(4 * PAGE, RW);
	long fd = sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR | O_TRUNC, 0600);
	volatile char *file;
	unsigned char in[4] = { 9, 9, 9, 9 };

	at[PAGE] = at[3 * PAGE] = 1;
	is(sys(SYS_mincore, at, 4 * PAGE, in), 0, "mincore");
	is(in[0] << 12 | in[1] << 8 | in[2] << 4 | in[3], 0x0101, "tells which pages were touched");
	sys(SYS_madvise, at + PAGE, PAGE, MADV_DONTNEED);
	sys(SYS_mprotect, at + 3 * PAGE, PAGE, PROT_NONE);
	sys(SYS_mincore, at, 4 * PAGE, in);
	is(in[0] << 12 | in[1] << 8 | in[2] << 4 | in[3], 0x0001, "and which still are there");
	sys(SYS_ftruncate, fd, 3 * PAGE);
	sys(SYS_pwrite64, fd, "x", 1, PAGE);
	file = map(fd, RW, MAP_SHARED, 4);
	sys(SYS_mincore, file, 4 * PAGE, in);
	is(in[0] << 12 | in[1] << 8 | in[2] << 4 | in[3], 0x0100, "and what a file has");
	is(sys(SYS_mmap, NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0x7ffffffffffff000), -EOVERFLOW,
	   "a mapping beyond the largest offset");
	sys(SYS_munmap, file, 4 * PAGE);
	sys(SYS_munmap, at, 4 * PAGE);
	sys(SYS_close, fd);
}

/* Check that mmap does not follow a hint right below a stack, which could not grow then. */
static void test_stack_gap(void)
{
	enum { BYTES = 8 << 20 };
	char *room = fresh(BYTES, PROT_NONE), *stack = room + BYTES - 4 * PAGE;
	long at;

	sys(SYS_munmap, room, BYTES);
	is(sys(SYS_mmap, stack, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0),
	   (long)stack, "a stack");
	at = sys(SYS_mmap, stack - 2 * PAGE, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is_true(at > 0 && (at >= (long)stack || at + (1 << 20) <= (long)stack), at - (long)stack,
		"nothing is placed close below it");
	sys(SYS_munmap, at, 2 * PAGE);
	stack[-2 * (long)PAGE] = 1;
	is(stack[-2 * (long)PAGE], 1, "so it grows");
	is(sys(SYS_mmap, room, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), (long)room, "what is far enough may be");
	sys(SYS_munmap, room, BYTES);
}

static int touch_much(void *argument)
{
	memset(argument, 1, 16 << 20);
	return (int)sys(SYS_munmap, argument, 16 << 20);
}

/* Check that memory which is unmapped by now counts in the peak of memory in use. */
static void test_most(void)
{
	void *much = fresh(16 << 20, RW);
	struct rusage usage;
	long before;

	sys(SYS_getrusage, RUSAGE_SELF, &usage);
	before = usage.ru_maxrss;
	is_between(before, 4, 8 << 10, "KiB that were resident at once");
	is(in_child(touch_much, much), EXITED(0), "a child touches 16 MiB");
	sys(SYS_getrusage, RUSAGE_CHILDREN, &usage);
	is_between(usage.ru_maxrss, 16 << 10, 24 << 10, "KiB of the child's");
	is(touch_much(much), 0, "and so does its parent");
	sys(SYS_getrusage, RUSAGE_SELF, &usage);
	is_between(usage.ru_maxrss, 16 << 10, 24 << 10, "KiB of its own");
}

/* Return whether a page is all zeros. */
static bool is_zero(volatile const char *page)
{
	for (size_t i = 0; i < PAGE; i++)
		if (page[i])
			return false;
	return true;
}

static int sees_zeros(void *page)
{
	return is_zero(page);
}

static long blocks_of(long file)
{
	struct stat stat;

	sys(SYS_fstat, file, &stat);
	return stat.st_blocks;
}

/*
 * Check that MADV_REMOVE makes a hole in the file for all who map it, but leaves private copies alone. least: how many
 * blocks become free at least.
 */
static void check_remove(const char *path, long least)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR, 0600), before;
	volatile char *at, *other, *copy, *only;
	char bytes[4 * PAGE];
	long reader;

	memset(bytes, 'a', sizeof(bytes));
	sys(SYS_pwrite64, file, bytes, sizeof(bytes), 0);
	at = map(file, RW, MAP_SHARED, 4);
	other = map(file, RW, MAP_SHARED, 4);
	copy = map(file, RW, MAP_PRIVATE, 4);
	is(at[PAGE] + other[PAGE] + copy[PAGE] + (copy[2 * PAGE] = 'c'), 3 * 'a' + 'c',
	   "four pages, mapped three times");
	before = blocks_of(file);
	is(sys(SYS_madvise, at + PAGE, 2 * PAGE, MADV_REMOVE), 0, "MADV_REMOVE of the two in the middle");
	is_between(before - blocks_of(file), least, 16, "blocks come free");
	is_true(is_zero(at + PAGE) && is_zero(other + 2 * PAGE), at[PAGE], "makes them zeros in both shared mappings");
	is_true(is_zero(copy + PAGE), copy[PAGE], "and in a private one that was only read");
	is(copy[2 * PAGE], 'c', "but not where that has a copy of its own");
	is(sys(SYS_pread64, file, bytes, PAGE, 2 * PAGE), PAGE, "the file is as long as before");
	is_true(is_zero(bytes), bytes[0], "and has zeros there");
	is(at[PAGE - 1] + at[3 * PAGE], 2 * 'a', "its other pages have stayed");
	at[PAGE] = 'n';
	is(other[PAGE], 'n', "what is written then is in both");
	is(sys(SYS_madvise, at, 0, MADV_REMOVE), 0, "of nothing");
	is(sys(SYS_madvise, copy, PAGE, MADV_REMOVE), -EACCES, "of a private mapping");
	reader = sys(SYS_openat, AT_FDCWD, path, O_RDONLY);
	only = map(reader, PROT_READ, MAP_SHARED, 1);
	is(sys(SYS_madvise, only, PAGE, MADV_REMOVE), -EACCES, "of a file that is open for reading");
	is(other[0], 'a', "takes nothing");
	sys(SYS_mprotect, at, PAGE, PROT_READ);
	sys(SYS_munmap, at + PAGE, PAGE);
	is(sys(SYS_madvise, at, 3 * PAGE, MADV_REMOVE), -ENOMEM, "of a range with a gap");
	is_true(is_zero(other) && is_zero(other + 2 * PAGE), other[0], "does what is around it, rights or none");
	is(in_child(sees_zeros, (void *)other), EXITED(1), "in children as well");
	sys(SYS_munmap, at, 4 * PAGE);
	sys(SYS_munmap, other, 4 * PAGE);
	sys(SYS_munmap, copy, 4 * PAGE);
	sys(SYS_munmap, only, PAGE);
	sys(SYS_close, reader);
	sys(SYS_close, file);
}

/* In a child that shares the page `argument` with its parent: remove the page, which both have touched. */
static int remove_shared(void *argument)
{
	return touch_read(argument) == 'x' ? (int)-sys(SYS_madvise, argument, PAGE, MADV_REMOVE) : 99;
}

/* Check MADV_REMOVE on memory without a file, first on one page, then on many. */
static void test_remove_memory(void)
{
	enum { PAGES = 2048 };
	volatile char *at = map(-1, RW, MAP_SHARED | MAP_ANONYMOUS, PAGES), *own = fresh(PAGE, RW);
	size_t left = 0;

	at[0] = 'x';
	is(in_child(remove_shared, (void *)at), EXITED(0), "a child removes what it shares");
	is(at[0], 0, "and its parent sees zeros");
	is(sys(SYS_madvise, own, PAGE, MADV_REMOVE), -EINVAL, "private memory has no file");
	for (size_t i = 0; i < PAGES; i++)
		at[i * PAGE] = (char)(i | 1);
	is(sys(SYS_madvise, at + PAGE, (PAGES - 2) * PAGE, MADV_REMOVE), 0, "MADV_REMOVE of much");
	for (size_t i = 0; i < PAGES; i++)
		left += at[i * PAGE] != 0;
	is((long)left, 2, "leaves what is before it and behind it");
	sys(SYS_munmap, at, PAGES * PAGE);
	sys(SYS_munmap, own, PAGE);
}

int main(void)
{
	test_one_page();
	test_shorter("/tmp/shorter");
	test_end("/tmp/shorter");
	test_writing("/tmp/shorter");
	test_small_pages();
	test_advice();
	test_mincore("/tmp/shorter");
	test_stack_gap();
	test_most();
	check_remove("/tmp/shorter", 16);
	test_remove_memory();
	sys(SYS_unlink, "/tmp/shorter");
	/* The archive from which the machine has started contains this file. */
	test_end("/test/.pages");
	test_shorter("/test/.pages");
	check_remove("/test/.pages", 8);
	return finish();
}
