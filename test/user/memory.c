/*
 * Tests brk, mmap, munmap, mprotect, mremap and madvise: results, errors, and what the memory then holds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define RW        (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static long map(void *address, size_t bytes, int protection, int flags, int file, long offset)
{
	return sys(SYS_mmap, address, bytes, protection, flags, file, offset);
}

static bool all_bytes_are(const unsigned char *memory, size_t bytes, unsigned char value)
{
	for (size_t i = 0; i < bytes; i++) {
		if (memory[i] != value)
			return false;
	}
	return true;
}

static void test_brk(void)
{
	long start = sys(SYS_brk, 0), end = (start + 2 * (long)PAGE - 1) & -(long)PAGE;
	char *page = (char *)end;

	is_true(start > 0, start, "brk(0) tells where the heap ends");
	is(sys(SYS_brk, end), end, "brk grows to the next page");
	is(sys(SYS_brk, end + 4 * (long)PAGE), end + 4 * (long)PAGE, "brk grows by four pages");
	is_true(all_bytes_are((unsigned char *)page, 4 * PAGE, 0), 0, "new heap is zero");
	memset(page, 0x55, 4 * PAGE);
	is(sys(SYS_brk, end + (long)PAGE), end + (long)PAGE, "brk shrinks");
	is(in_child(touch_read, page + PAGE), KILLED(SIGSEGV), "heap that was given back is gone");
	is(page[PAGE - 1], 0x55, "the rest of the heap is as it was");
	is(sys(SYS_brk, end + 2 * (long)PAGE), end + 2 * (long)PAGE, "brk grows again");
	is(page[PAGE], 0, "heap that comes back is zero");
	is(sys(SYS_brk, 4096), end + 2 * (long)PAGE, "brk below the heap changes nothing");
	is(sys(SYS_brk, 1L << 60), end + 2 * (long)PAGE, "brk beyond user memory changes nothing");
	is(sys(SYS_brk, -1L), end + 2 * (long)PAGE, "brk(-1) changes nothing");
	is(sys(SYS_brk, end), end, "brk goes back");
	is(sys(SYS_brk, start), start, "brk goes back to where it was, inside a page");
}

static void test_mmap_errors(void)
{
	long file = sys(SYS_openat, AT_FDCWD, "/init", O_RDONLY, 0);

	is(map(NULL, 0, RW, ANONYMOUS, -1, 0), -EINVAL, "mmap of no bytes");
	is(map(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), -EINVAL, "mmap neither private nor shared");
	is(map(NULL, PAGE, RW, ANONYMOUS, -1, 1), -EINVAL, "mmap at an offset inside a page");
	is(map(NULL, 1UL << 47, RW, ANONYMOUS, -1, 0), -ENOMEM, "mmap of all user memory");
	is(map(NULL, -1UL, RW, ANONYMOUS, -1, 0), -ENOMEM, "mmap of 2^64 - 1 bytes");
	is(map((void *)1, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0), -EINVAL, "mmap fixed inside a page");
	is(map((void *)(1UL << 47), PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0), -ENOMEM, "mmap fixed beyond user memory");
	is(map((void *)-PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0), -ENOMEM, "mmap fixed in the last page of all");
	is(map((void *)(-1UL << 39), PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0), -ENOMEM, "mmap fixed in kernel memory");
	is(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), -EBADF, "mmap of fd -1");
	is(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, 777, 0), -EBADF, "mmap of a closed fd");
	is(map(NULL, PAGE, RW, MAP_SHARED, (int)file, 0), -EACCES, "mmap shared and writable of a read-only file");
	sys(SYS_close, file);
}

static void test_mmap_anonymous(void)
{
	unsigned char *memory = fresh(64 * PAGE, RW), *other;
	unsigned wrong = 0;

	is((long)memory % (long)PAGE, 0, "mmap gives whole pages");
	is_true(all_bytes_are(memory, 64 * PAGE, 0), 0, "new memory is zero");
	for (size_t i = 0; i < 64; i++)
		memory[i * PAGE] = (unsigned char)(i + 1);
	for (size_t i = 0; i < 64; i++)
		wrong += memory[i * PAGE] != i + 1 || memory[i * PAGE + 1] != 0;
	is(wrong, 0, "64 pages keep what is written to each");

	is(map(memory + 8 * PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST,
	   "mmap with MAP_FIXED_NOREPLACE over other memory");
	is(memory[8 * PAGE], 9, "which stays");
	is(map(memory + 8 * PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0), (long)memory + 8 * (long)PAGE,
	   "mmap fixed replaces a page");
	is(memory[8 * PAGE], 0, "which is zero then");
	is(memory[7 * PAGE] + memory[9 * PAGE], 8 + 10, "its neighbours stay");

	is(sys(SYS_munmap, memory + 32 * PAGE, 8 * PAGE), 0, "munmap makes a hole");
	is(map(memory + 33 * PAGE, PAGE, RW, ANONYMOUS, -1, 0), (long)memory + 33 * (long)PAGE,
	   "mmap takes a hint to a free page");
	other = (unsigned char *)map(memory + 33 * PAGE, PAGE, RW, ANONYMOUS, -1, 0);
	is_true((long)other > 0 && other != memory + 33 * PAGE, (long)other, "mmap goes elsewhere when it is taken");
	sys(SYS_munmap, other, PAGE);
	is(sys(SYS_munmap, memory, 64 * PAGE), 0, "munmap over holes");
	is(in_child(touch_read, memory), KILLED(SIGSEGV), "memory that was unmapped is gone");
}

static void test_rights(void)
{
	unsigned char *memory = fresh(3 * PAGE, RW);

	is(in_child(touch_execute, memory), KILLED(SIGSEGV), "data does not execute");
	memory[PAGE] = 7;
	is(sys(SYS_mprotect, memory + PAGE, PAGE, PROT_READ), 0, "mprotect to read-only");
	is(in_child(touch_write, memory + PAGE), KILLED(SIGSEGV), "a read-only page does not take a write");
	is(in_child(touch_read, memory + PAGE), EXITED(7), "but a read");
	is(in_child(touch_write, memory), EXITED(0), "its lower neighbour takes a write");
	is(in_child(touch_write, memory + 2 * PAGE), EXITED(0), "its upper neighbour too");
	is(sys(SYS_mprotect, memory + PAGE, PAGE, PROT_NONE), 0, "mprotect to nothing");
	is(in_child(touch_read, memory + PAGE), KILLED(SIGSEGV), "a page without rights does not take a read");
	is(sys(SYS_mprotect, memory + PAGE, PAGE, RW), 0, "mprotect back");
	is(memory[PAGE], 7, "the page kept its content");
	memory[0] = 0xc3; /* the instruction RET */
	is(sys(SYS_mprotect, memory, PAGE, PROT_READ | PROT_EXEC), 0, "mprotect to executable");
	is(in_child(touch_execute, memory), EXITED(0), "code that was written before executes");
	is(in_child(touch_write, memory), KILLED(SIGSEGV), "and cannot be written");

	is(sys(SYS_mprotect, memory + 1, PAGE, RW), -EINVAL, "mprotect from inside a page");
	is(sys(SYS_mprotect, memory, 0, PROT_READ), 0, "mprotect of no bytes");
	is(sys(SYS_mprotect, -PAGE, PAGE, PROT_READ), -ENOMEM, "mprotect of the last page of all");
	is(sys(SYS_mprotect, memory, PAGE, 0x40), -EINVAL, "mprotect with rights that do not exist");
	sys(SYS_munmap, memory + PAGE, PAGE);
	is(sys(SYS_mprotect, memory, 3 * PAGE, RW), -ENOMEM, "mprotect over a hole");
	sys(SYS_munmap, memory, 3 * PAGE);
	memory = fresh(PAGE, PROT_NONE);
	is(in_child(touch_write, memory), KILLED(SIGSEGV), "mmap without rights gives memory without rights");
	sys(SYS_munmap, memory, PAGE);
}

static void test_munmap_errors(void)
{
	unsigned char *memory = fresh(3 * PAGE, RW);

	memory[0] = memory[2 * PAGE] = 3;
	is(sys(SYS_munmap, memory + 1, PAGE), -EINVAL, "munmap from inside a page");
	is(sys(SYS_munmap, memory, 0), -EINVAL, "munmap of no bytes");
	is(sys(SYS_munmap, 1UL << 47, PAGE), -EINVAL, "munmap beyond user memory");
	is(sys(SYS_munmap, -PAGE, PAGE), -EINVAL, "munmap of the last page of all");
	is(sys(SYS_munmap, memory, 1UL << 60), -EINVAL, "munmap of more than user memory");
	is(sys(SYS_munmap, memory + PAGE, 1), 0, "munmap of one byte takes its page");
	is(in_child(touch_read, memory + PAGE), KILLED(SIGSEGV), "which is gone");
	is(memory[0] + memory[2 * PAGE], 6, "the pages beside stay");
	is(sys(SYS_munmap, memory + PAGE, PAGE), 0, "munmap of nothing is no error");
	sys(SYS_munmap, memory, 3 * PAGE);
}

static void test_mremap(void)
{
	unsigned char *memory = fresh(8 * PAGE, RW), *moved, *target = fresh(4 * PAGE, RW);

	memory[0] = 1;
	memory[PAGE] = 2;
	is(sys(SYS_mremap, memory, 8 * PAGE, 4 * PAGE, 0), (long)memory, "mremap shrinks in place");
	is(in_child(touch_read, memory + 4 * PAGE), KILLED(SIGSEGV), "what it cut off is gone");
	is(sys(SYS_mremap, memory, 4 * PAGE, 6 * PAGE, 0), (long)memory, "mremap grows in place where there is room");
	is(memory[5 * PAGE], 0, "new memory is zero");
	is(sys(SYS_mremap, memory, 2 * PAGE, 3 * PAGE, 0), -ENOMEM, "mremap does not grow over other memory");
	moved = (unsigned char *)sys(SYS_mremap, memory, 2 * PAGE, 512 * PAGE, MREMAP_MAYMOVE);
	is_true((long)moved > 0 && moved != memory, (long)moved, "mremap moves when it may");
	is(moved[0] + moved[PAGE], 3, "the content comes along");
	is(moved[511 * PAGE], 0, "what it grew by is zero");
	is(in_child(touch_read, memory), KILLED(SIGSEGV), "the old place is empty");
	is(in_child(touch_read, memory + 2 * PAGE), EXITED(0), "the rest of the old area stays");
	is(sys(SYS_mremap, moved, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target), (long)target,
	   "mremap moves to a fixed place");
	is(target[0], 1, "with its content");
	is(in_child(touch_read, moved), KILLED(SIGSEGV), "away from the old place");

	is(sys(SYS_mremap, target + 1, PAGE, PAGE, 0), -EINVAL, "mremap from inside a page");
	is(sys(SYS_mremap, target, PAGE, 0, 0), -EINVAL, "mremap to no bytes");
	is(sys(SYS_mremap, target, PAGE, PAGE, MREMAP_FIXED, memory), -EINVAL, "mremap fixed that may not move");
	is(sys(SYS_mremap, target, PAGE, PAGE, 0x80), -EINVAL, "mremap with unknown flags");
	is(sys(SYS_mremap, target, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE), -EINVAL,
	   "mremap onto itself");
	sys(SYS_munmap, moved, 512 * PAGE);
	is(sys(SYS_mremap, moved, PAGE, 2 * PAGE, MREMAP_MAYMOVE), -EFAULT, "mremap of nothing");
	sys(SYS_munmap, memory, 8 * PAGE);
	sys(SYS_munmap, target, 4 * PAGE);
}

static void test_madvise(void)
{
	unsigned char *memory = fresh(3 * PAGE, RW);

	memset(memory, 0x11, 3 * PAGE);
	is(sys(SYS_madvise, memory + PAGE, PAGE, MADV_DONTNEED), 0, "madvise(MADV_DONTNEED)");
	is_true(all_bytes_are(memory + PAGE, PAGE, 0), 0, "the page is zero then");
	is(memory[0] + memory[2 * PAGE], 0x22, "its neighbours stay");
	is(sys(SYS_madvise, memory, 0, MADV_DONTNEED), 0, "madvise of no bytes");
	is(sys(SYS_madvise, memory + 1, PAGE, MADV_DONTNEED), -EINVAL, "madvise from inside a page");
	is(sys(SYS_madvise, memory, PAGE, 0x7fff), -EINVAL, "madvise that does not exist");
	sys(SYS_munmap, memory + PAGE, PAGE);
	is(sys(SYS_madvise, memory, 3 * PAGE, MADV_DONTNEED), -ENOMEM, "madvise over a hole");
	is(memory[0] + memory[2 * PAGE], 0, "which still drops the pages around it");
	sys(SYS_munmap, memory, 3 * PAGE);
}

/* Write to both pages in a child. Returns whether the second page showed the parent's write. */
static int write_both(void *argument)
{
	unsigned char **pages = argument;

	pages[0][0] = 0x21;
	pages[1][0] = 0x22;
	return pages[0][1];
}

static void test_sharing(void)
{
	unsigned char *shared = (unsigned char *)map(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned char *pages[2] = { fresh(PAGE, RW), shared };

	if ((long)shared < 0)
		bail("mmap of shared memory", (long)shared);
	pages[0][0] = 1;
	pages[0][1] = 0x42;
	pages[1][0] = 2;
	is(in_child(write_both, pages), EXITED(0x42), "a child sees what its parent wrote");
	is(pages[0][0], 1, "a child's write to private memory is its own");
	is(pages[1][0], 0x22, "a child's write to shared memory is seen");
	sys(SYS_munmap, pages[0], PAGE);
	sys(SYS_munmap, pages[1], PAGE);
}

#define WRITERS 140
#define LARGE   (2UL << 20)

/* Set the limit on the number of tasks, which is low on a machine with little memory; NULL: set it back. */
static void let_tasks_be(const char *most)
{
	static char before[24];
	bool mounted;
	int fd;

	/* Another test may have made the directory, and init may have mounted proc there. */
	mkdir("/proc", 0555);
	mounted = mount("proc", "/proc", "proc", 0, NULL) == 0;
	fd = open("/proc/sys/kernel/threads-max", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		bail("threads-max", errno);
	if (most)
		sys(SYS_read, fd, before, sizeof(before) - 1);
	else
		most = before;
	is(sys(SYS_pwrite64, fd, most, strlen(most), 0), (long)strlen(most), "threads-max");
	close(fd);
	if (mounted)
		is(sys(SYS_umount2, "/proc", 0), 0, "umount");
}

/*
 * Let many children each write to one 4 KiB page of a large page that all share; each child then holds the other 511
 * pages on its own.
 */
static void test_many_writers(void)
{
	struct rlimit limit = { 4096, 4096 };
	unsigned char *memory = fresh(2 * LARGE, RW), *large;
	int ends[2], hold[2], made = 0, status, good = 0;
	char byte = 0;

	sys(SYS_setrlimit, RLIMIT_NPROC, &limit);
	let_tasks_be("4096");
	large = (unsigned char *)(((unsigned long)memory + LARGE - 1) & ~(LARGE - 1));
	large[0] = 7;
	if (pipe(ends) != 0 || pipe(hold) != 0)
		bail("pipe", errno);
	for (; made < WRITERS; made++) {
		pid_t child = fork();

		if (child < 0)
			break;
		if (!child) {
			large[PAGE] = (unsigned char)made;
			sys(SYS_write, ends[1], "", 1);
			close(hold[1]);
			sys(SYS_read, hold[0], &byte, 1);
			_exit(large[PAGE] == (unsigned char)made && large[0] == 7 ? 0 : 1);
		}
	}
	is(made, WRITERS, "children of a large page");
	close(ends[1]);
	for (int i = 0; i < made && sys(SYS_read, ends[0], &byte, 1) == 1; i++)
		;
	close(hold[1]);
	while (sys(SYS_wait4, -1, &status, 0, NULL) > 0)
		good += status == 0;
	is(good, WRITERS, "all can write to it at once");
	is(large[0], 7, "it is there afterwards");
	let_tasks_be(NULL);
	close(ends[0]);
	close(hold[0]);
	sys(SYS_munmap, memory, 2 * LARGE);
}

static void test_files(void)
{
	long file = sys(SYS_openat, AT_FDCWD, "/init", O_RDONLY, 0), size = sys(SYS_lseek, file, 0, SEEK_END);
	size_t last = (size_t)size & (PAGE - 1), pages = ((size_t)size + PAGE - 1) / PAGE;
	unsigned char *memory = (unsigned char *)map(NULL, (pages + 1) * PAGE, RW, MAP_PRIVATE, (int)file, 0);
	unsigned char bytes[64];

	if ((long)memory < 0)
		bail("mmap of /init", (long)memory);
	is(memcmp(memory, "\177ELF", 4), 0, "a mapped file shows its content");
	sys(SYS_pread64, file, bytes, sizeof(bytes), PAGE);
	is(memcmp(memory + PAGE, bytes, sizeof(bytes)), 0, "in its second page too");
	is_true(all_bytes_are(memory + size, PAGE - last, 0), (long)last, "the end of its last page is zero");
	is(in_child(touch_read, memory + pages * PAGE), KILLED(SIGBUS), "there is nothing behind it");
	memory[0] = 0;
	sys(SYS_pread64, file, bytes, sizeof(bytes), 0);
	is(bytes[0], 0x7f, "a write to a private mapping does not reach the file");
	is(sys(SYS_madvise, memory, PAGE, MADV_DONTNEED), 0, "madvise(MADV_DONTNEED) of a file's page");
	is(memory[0], 0x7f, "brings back the file's content");
	is(sys(SYS_munmap, memory, (pages + 1) * PAGE), 0, "munmap of a file");

	memory = (unsigned char *)map(NULL, PAGE, PROT_READ, MAP_PRIVATE, (int)file, (long)PAGE);
	sys(SYS_pread64, file, bytes, sizeof(bytes), PAGE);
	is(sys(SYS_close, file), 0, "the file is closed");
	is(memcmp(memory, bytes, sizeof(bytes)), 0, "a mapping from an offset stays when the file is closed");
	sys(SYS_munmap, memory, PAGE);
}

static void test_large(void)
{
	size_t bytes = 12 << 20, wrong = 0;
	unsigned char *memory = fresh(bytes, RW);

	for (size_t i = 0; i < bytes; i += PAGE)
		*(size_t *)(memory + i) = i ^ 0x5a5a;
	sys(SYS_munmap, memory + (5 << 20), PAGE);
	for (size_t i = 0; i < bytes; i += PAGE) {
		if (i != 5 << 20)
			wrong += *(size_t *)(memory + i) != (i ^ 0x5a5a);
	}
	is((long)wrong, 0, "12 MiB keep what is written to each page, with a hole in them");
	is(in_child(touch_read, memory + (5 << 20)), KILLED(SIGSEGV), "the hole is one");
	sys(SYS_munmap, memory, bytes);
}

/* Use `bytes` of stack, a page at a time. */
static int use_stack(void *argument)
{
	volatile unsigned char frame[PAGE];
	size_t bytes = (size_t)argument;

	frame[0] = (unsigned char)bytes;
	if (bytes > PAGE)
		return use_stack((void *)(bytes - PAGE)) + (frame[0] != (unsigned char)bytes);
	return 0;
}

static void test_stack(void)
{
	is(in_child(use_stack, (void *)(4UL << 20)), EXITED(0), "the stack grows to 4 MiB");
	is(in_child(use_stack, (void *)(1UL << 30)), KILLED(SIGSEGV), "but not to 1 GiB");
}

#define MIB (1UL << 20)

static void limit_to(int which, unsigned long bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	if (sys(SYS_setrlimit, which, &limit) != 0)
		_exit(99);
}

/*
 * Check RLIMIT_AS in a child, since a lowered limit stays. Returns the number of the first step that is wrong; 0: none.
 */
static int limit_address_space(void *unused)
{
	long memory;

	(void)unused;
	limit_to(RLIMIT_AS, 64 * MIB);
	if (map(NULL, 128 * MIB, PROT_NONE, ANONYMOUS, -1, 0) != -ENOMEM)
		return 1;
	memory = map(NULL, 40 * MIB, RW, ANONYMOUS, -1, 0);
	if (memory < 0)
		return 2;
	if (map((void *)memory, 40 * MIB, RW, ANONYMOUS | MAP_FIXED, -1, 0) != memory)
		return 3;
	if (sys(SYS_mremap, memory, 40 * MIB, 80 * MIB, MREMAP_MAYMOVE) != -ENOMEM)
		return 4;
	if (map(NULL, 40 * MIB, PROT_NONE, ANONYMOUS, -1, 0) != -ENOMEM)
		return 5;
	return sys(SYS_brk, sys(SYS_brk, 0) + 40 * (long)MIB) != sys(SYS_brk, 0) ? 6 : 0;
}

static int limit_data(void *unused)
{
	long before = sys(SYS_brk, 0), memory;

	(void)unused;
	limit_to(RLIMIT_DATA, 16 * MIB);
	if (sys(SYS_brk, before + 32 * (long)MIB) != before)
		return 1;
	if (map(NULL, 32 * MIB, RW, ANONYMOUS, -1, 0) != -ENOMEM)
		return 2;
	memory = map(NULL, 32 * MIB, PROT_READ, ANONYMOUS, -1, 0);
	if (memory < 0)
		return 3;
	if (sys(SYS_mprotect, memory, 32 * MIB, RW) != -ENOMEM)
		return 4;
	if (sys(SYS_mprotect, memory, 4 * MIB, RW) != 0)
		return 5;
	if (sys(SYS_mremap, memory, 4 * MIB, 24 * MIB, MREMAP_MAYMOVE) != -ENOMEM)
		return 6;
	if (map(NULL, 32 * MIB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) < 0)
		return 7;
	/* Memory that is no longer writable does not count as data, and makes room for more. */
	if (map(NULL, 12 * MIB, RW, ANONYMOUS, -1, 0) != -ENOMEM)
		return 8;
	if (sys(SYS_mprotect, memory, 4 * MIB, PROT_READ) != 0)
		return 9;
	if (map(NULL, 12 * MIB, RW, ANONYMOUS, -1, 0) < 0)
		return 10;
	/* A limit of 0 still allows mappings, but does not let the break grow. */
	limit_to(RLIMIT_DATA, 0);
	return map(NULL, 12 * MIB, RW, ANONYMOUS, -1, 0) < 0 || sys(SYS_brk, before + (long)PAGE) != before ? 11 : 0;
}

static int limit_stack(void *bytes)
{
	limit_to(RLIMIT_STACK, MIB);
	return use_stack(bytes);
}

/* Check RLIMIT_MEMLOCK. The program runs as root, whom no limit keeps from locking all memory. */
static int limit_locked(void *unused)
{
	struct rlimit limit;
	long memory;

	(void)unused;
	if (sys(SYS_getrlimit, RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur != 8 * MIB || limit.rlim_max != 8 * MIB)
		return 1;
	limit_to(RLIMIT_MEMLOCK, 0);
	memory = map(NULL, MIB, RW, ANONYMOUS | MAP_LOCKED, -1, 0);
	return memory < 0 || sys(SYS_mlock, memory, MIB) != 0 ? 2 : 0;
}

static void test_limits(void)
{
	is(in_child(limit_address_space, NULL), EXITED(0), "RLIMIT_AS holds for mmap, mremap and brk");
	is(in_child(limit_data, NULL), EXITED(0), "RLIMIT_DATA holds for what can be written to");
	is(in_child(limit_stack, (void *)(MIB / 2)), EXITED(0), "RLIMIT_STACK lets a stack grow to it");
	is(in_child(limit_stack, (void *)(2 * MIB)), KILLED(SIGSEGV), "and no further");
	is(in_child(limit_locked, NULL), EXITED(0), "RLIMIT_MEMLOCK is Linux's");
}

/* Return how many bytes this process has in memory. */
static size_t resident(void)
{
	char text[128];
	long file = sys(SYS_openat, AT_FDCWD, "/proc/self/statm", O_RDONLY, 0);
	long size = sys(SYS_read, file, text, sizeof(text) - 1);
	const char *second;
	size_t pages = 0;

	sys(SYS_close, file);
	text[size > 0 ? size : 0] = 0;
	second = strchr(text, ' ');
	for (second = second ? second + 1 : text; *second >= '0' && *second <= '9'; second++)
		pages = pages * 10 + (size_t)(*second - '0');
	return pages * PAGE;
}

/* Map and take more memory than the machine has. Linux may also end the process. */
static int take_too_much(void *populates)
{
	struct sysinfo info;
	size_t bytes;
	unsigned char *memory;

	sys(SYS_sysinfo, &info);
	if (info.totalram > 1024 * MIB)
		return 0; /* only a small machine's memory is taken soon */
	bytes = (info.totalram & -LARGE) + 16 * LARGE;
	memory = (unsigned char *)map(NULL, bytes, RW, ANONYMOUS | MAP_NORESERVE | (populates ? MAP_POPULATE : 0), -1,
				      0);
	if (populates)
		return resident() < 8 * MIB ? 0 : 1;
	memory[5 * PAGE] = 7;
	memory[3 * LARGE] = 8;
	if (sys(SYS_mlock, memory, bytes) != -EAGAIN)
		return 2;
	if (memory[5 * PAGE] != 7 || memory[3 * LARGE] != 8 || memory[LARGE] != 0)
		return 3;
	return resident() < 16 * MIB ? 0 : 4;
}

static void test_too_much(void)
{
	int status = in_child(take_too_much, NULL);

	is_true(status == EXITED(0) || status == KILLED(SIGKILL), status, "mlock of more than there is keeps nothing");
	status = in_child(take_too_much, "");
	is_true(status == EXITED(0) || status == KILLED(SIGKILL), status, "nor does MAP_POPULATE");
}

int main(void)
{
	test_brk();
	test_mmap_errors();
	test_mmap_anonymous();
	test_rights();
	test_munmap_errors();
	test_mremap();
	test_madvise();
	test_sharing();
	test_many_writers();
	test_files();
	test_large();
	test_stack();
	test_limits();
	test_too_much();
	return finish();
}
