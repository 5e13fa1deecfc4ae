/*
 * Tests mlock(2) and calls like it: what counts as locked, and what locked memory keeps a program from. Mounts /proc if
 * it is missing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define USER 1000 /* a user ID without rights */

static char text[1 << 16];

static const char *read_file(const char *path)
{
	size_t size = 0;
	long fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY, 0), got;

	while (size < sizeof(text) - 1 && (got = sys(SYS_read, fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)got;
	text[size] = 0;
	sys(SYS_close, fd);
	return text;
}

/* Return the KiB behind `name`; -1: there is no such line from `at` on. */
static long number(const char *at, const char *name)
{
	at = at ? strstr(at, name) : NULL;
	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

/* Return how many pages of the process are locked. */
static long locked(void)
{
	return number(read_file("/proc/self/status"), "VmLck:") * 1024 / (long)PAGE;
}

/* Return how many pages are locked of the area that begins at `address`; *ret_flag: whether its flags say so. */
static long locked_at(const void *address, int *ret_flag)
{
	char line[32];
	const char *at, *flags;

	snprintf(line, sizeof(line), "%lx-", (unsigned long)address);
	at = strstr(read_file("/proc/self/smaps"), line);
	flags = at ? strstr(at, "VmFlags:") : NULL;
	*ret_flag = flags && memmem(flags, strcspn(flags, "\n"), " lo", 3) != NULL;
	return number(at, "Locked:") * 1024 / (long)PAGE;
}

static long map_locked(size_t pages)
{
	return sys(SYS_mmap, NULL, pages * PAGE, RW, ANON | MAP_LOCKED, -1, 0);
}

static void test_counts(void)
{
	char *at = fresh(8 * PAGE, RW);
	long before = locked(), other;
	unsigned char there[8];
	int flag;

	is(sys(SYS_mlock, at + 1, PAGE), 0, "mlock from inside a page");
	is(locked(), before + 2, "locks both pages");
	is(sys(SYS_mlock, at, 2 * PAGE), 0, "once more");
	is(locked(), before + 2, "counts once");
	is(locked_at(at, &flag), 2, "smaps' Locked");
	is(flag, 1, "and its flag");
	is(sys(SYS_mlock2, at + 4 * PAGE, 2 * PAGE, 1), 0, "mlock2 at the first touch");
	is(locked(), before + 4, "counts at once");
	is(sys(SYS_mincore, at, 8 * PAGE, there), 0, "mincore");
	is(there[0] + there[1] + there[2] + there[4] + there[5], 2, "and fetches nothing");
	is(sys(SYS_munlock, at + PAGE, PAGE), 0, "munlock");
	is(locked(), before + 3, "of one");
	is(sys(SYS_munmap, at + 4 * PAGE, PAGE), 0, "munmap");
	is(locked(), before + 2, "of another one");
	other = sys(SYS_mremap, at + 5 * PAGE, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	is_true(other > 0, other, "mremap");
	is(locked(), before + 4, "gains locked pages");
	sys(SYS_munmap, other, 3 * PAGE);
	sys(SYS_munmap, at, 8 * PAGE);
	is(locked(), before, "and all is gone");
	other = map_locked(4);
	is(locked(), before + 4, "MAP_LOCKED");
	sys(SYS_munmap, other, 4 * PAGE);
}

static void test_refusals(void)
{
	char *at = fresh(2 * PAGE, RW);
	long file = sys(SYS_memfd_create, "shared", 0), shared;

	at[0] = 'x';
	sys(SYS_ftruncate, file, PAGE);
	shared = sys(SYS_mmap, NULL, PAGE, RW, MAP_SHARED | MAP_LOCKED, file, 0);
	sys(SYS_mlock, at, PAGE);
	is(sys(SYS_madvise, at, PAGE, MADV_DONTNEED), -EINVAL, "locked pages are not dropped");
	is(sys(SYS_madvise, at, PAGE, MADV_FREE), -EINVAL, "nor freed");
	is(at[0], 'x', "and stay");
	is(sys(SYS_madvise, at, PAGE, 24), 0, "but by MADV_DONTNEED_LOCKED");
	is(at[0], 0, "they go");
	is(sys(SYS_madvise, shared, PAGE, MADV_REMOVE), -EINVAL, "nor are they removed");
	is(sys(SYS_msync, shared, PAGE, MS_SYNC | MS_INVALIDATE), -EBUSY, "nor invalidated");
	is(sys(SYS_msync, shared, PAGE, MS_SYNC), 0, "but written");
	sys(SYS_munmap, shared, PAGE);
	sys(SYS_close, file);
	sys(SYS_munmap, at, 2 * PAGE);
	is(sys(SYS_mmap, NULL, 0, RW, MAP_SHARED, -1, 0), -EBADF, "mmap of no file goes before a size of 0");
}

static int count_in_child(void *argument)
{
	(void)argument;
	return (int)locked();
}

static void test_all(void)
{
	long before, at, brk = sys(SYS_brk, 0);
	unsigned char there[4] = { 0 };

	is(sys(SYS_mlockall, 0), -EINVAL, "mlockall of nothing");
	is(sys(SYS_mlockall, 4), -EINVAL, "of MCL_ONFAULT alone");
	is(sys(SYS_mlockall, MCL_FUTURE), 0, "mlockall of what is to come");
	before = locked();
	at = sys(SYS_mmap, NULL, 4 * PAGE, RW, ANON, -1, 0);
	is(locked(), before + 4, "locks a new mapping");
	sys(SYS_mincore, at, 4 * PAGE, there);
	is(there[0] + there[3], 2, "and fetches it");
	sys(SYS_brk, brk + (long)PAGE);
	is(locked(), before + 5, "and a new page of the heap");
	sys(SYS_brk, brk);
	is(in_child(count_in_child, NULL), EXITED(0), "a child has locked nothing");
	is(sys(SYS_mlockall, MCL_CURRENT), 0, "mlockall of what is there");
	is_true(locked() > before + 4, locked(), "locks all");
	is(sys(SYS_munlockall), 0, "munlockall");
	is(locked(), 0, "unlocks all");
	sys(SYS_munmap, at, 4 * PAGE);
	at = sys(SYS_mmap, NULL, 4 * PAGE, RW, ANON, -1, 0);
	is(locked(), 0, "also what is to come");
	sys(SYS_munmap, at, 4 * PAGE);
}

/* Lock pages up to a limit of four, without the right to lock more. Returns which step went wrong; 0: none. */
static int lock_to_limit(void *argument)
{
	const struct rlimit four = { 4 * PAGE, 4 * PAGE }, none = { 0, 0 };
	char *at = fresh(8 * PAGE, RW);

	(void)argument;
	sys(SYS_setrlimit, RLIMIT_MEMLOCK, &four);
	if (sys(SYS_setuid, USER) != 0)
		return 1;
	if (sys(SYS_mlock, at, 3 * PAGE) != 0 || sys(SYS_mlock, at, 4 * PAGE) != 0)
		return 2;
	if (sys(SYS_mlock, at + 4 * PAGE, PAGE) != -ENOMEM || map_locked(1) != -EAGAIN)
		return 3;
	if (sys(SYS_mremap, at + 3 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) != -EAGAIN)
		return 4;
	if (sys(SYS_mlockall, MCL_CURRENT) != -ENOMEM)
		return 5;
	if (sys(SYS_munlock, at, PAGE) != 0 || sys(SYS_mlock, at + 4 * PAGE, PAGE) != 0)
		return 6;
	sys(SYS_setrlimit, RLIMIT_MEMLOCK, &none);
	return map_locked(1) == -EPERM && sys(SYS_mlockall, MCL_FUTURE) == -EPERM ? 0 : 7;
}

int main(void)
{
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	test_counts();
	test_refusals();
	test_all();
	is(in_child(lock_to_limit, NULL), EXITED(0), "RLIMIT_MEMLOCK counts what was locked before");
	return finish();
}
