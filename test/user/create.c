/*
 * Tests files that are made, written, truncated and shared below /tmp. They are not part of the first stage, which
 * other programs test.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/user/tap.h"

static void test_create(void)
{
	long file = sys(SYS_openat, AT_FDCWD, "/tmp/file", O_RDWR | O_CREAT | O_EXCL, 0640), other;
	char bytes[32] = "";
	struct stat status;

	is_true(file > 2, file, "openat(O_CREAT) makes a file");
	is(sys(SYS_openat, AT_FDCWD, "/tmp/file", O_RDWR | O_CREAT | O_EXCL, 0640), -EEXIST,
	   "but not with O_EXCL again");
	is(sys(SYS_fstat, file, &status), 0, "fstat");
	is(status.st_mode, S_IFREG | 0640, "its mode");
	is(status.st_size, 0, "it is empty");
	is(sys(SYS_write, file, "some text", 9), 9, "write");
	is(sys(SYS_pwrite64, file, "TEXT", 4, 5), 4, "pwrite64");
	is(sys(SYS_lseek, file, 0, SEEK_CUR), 9, "which does not move the position");
	is(sys(SYS_pread64, file, bytes, sizeof(bytes), 0), 9, "pread64");
	is_text(bytes, "some TEXT", "gives what was written");
	is(sys(SYS_pwrite64, file, "x", 1, 10000), 1, "pwrite64 beyond the end");
	is(sys(SYS_pread64, file, bytes, 4, 5000), 4, "what lies between is there");
	is(bytes[0] | bytes[3], 0, "and is zero");
	is(sys(SYS_lseek, file, 0, SEEK_END), 10001, "the size has grown");
	is(sys(SYS_pwrite64, file, "x", 1, -1L), -EINVAL, "pwrite64 at offset -1");
	other = sys(SYS_openat, AT_FDCWD, "/tmp/file", O_WRONLY | O_APPEND, 0);
	is(sys(SYS_write, other, NULL, 3), -EFAULT, "write with O_APPEND from NULL");
	is(sys(SYS_write, other, "end", 0), 0, "or of nothing");
	is(sys(SYS_lseek, other, 0, SEEK_CUR), 0, "does not move the position");
	is(sys(SYS_write, other, "end", 3), 3, "write with O_APPEND");
	is(sys(SYS_pread64, file, bytes, 8, 10000), 4, "goes to the end");
	is(memcmp(bytes, "xend", 4), 0, "behind what was there");
	sys(SYS_close, other);
	other = sys(SYS_openat, AT_FDCWD, "/tmp/file", O_RDWR | O_TRUNC, 0);
	is(sys(SYS_lseek, file, 0, SEEK_END), 0, "O_TRUNC empties it");
	sys(SYS_close, other);
	sys(SYS_close, file);
}

/* Check that an open for which there is no free descriptor neither makes nor empties a file. */
static void test_no_descriptor(void)
{
	long file = sys(SYS_openat, AT_FDCWD, "/tmp/kept", O_WRONLY | O_CREAT, 0600);
	struct rlimit old, none;
	struct stat status;

	is(sys(SYS_write, file, "text", 4), 4, "a file with four bytes");
	sys(SYS_close, file);
	is(sys(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &old), 0, "prlimit64");
	none = (struct rlimit){ 3, old.rlim_max };
	is(sys(SYS_prlimit64, 0, RLIMIT_NOFILE, &none, NULL), 0, "no descriptor is left");
	is(sys(SYS_openat, AT_FDCWD, "/tmp/none", O_WRONLY | O_CREAT, 0600), -EMFILE, "openat(O_CREAT)");
	is(sys(SYS_openat, AT_FDCWD, "/tmp/kept", O_WRONLY | O_TRUNC, 0), -EMFILE, "openat(O_TRUNC)");
	sys(SYS_prlimit64, 0, RLIMIT_NOFILE, &old, NULL);
	is(sys(SYS_stat, "/tmp/none", &status), -ENOENT, "it made no file");
	is(sys(SYS_stat, "/tmp/kept", &status), 0, "stat of the other");
	is(status.st_size, 4, "which has its bytes");
}

static void test_shared_mapping(void)
{
	long file = sys(SYS_openat, AT_FDCWD, "/tmp/shared", O_RDWR | O_CREAT, 0600);
	char byte = 0;
	char *memory;

	is(sys(SYS_pwrite64, file, "a", 1, 2 * PAGE - 1), 1, "a file of two pages");
	memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)file, 0);
	if (memory == MAP_FAILED)
		bail("mmap of /tmp/shared", errno);
	is(memory[2 * PAGE - 1], 'a', "a shared mapping shows the file");
	memory[100] = 'b';
	is(sys(SYS_pread64, file, &byte, 1, 100), 1, "read from where the mapping was written");
	is(byte, 'b', "shows it");
	is(in_child(touch_write, memory + 200), EXITED(0), "a child writes to it");
	is(memory[200], 0x5a, "and the parent sees it");
	munmap(memory, 2 * PAGE);
	sys(SYS_close, file);
}

/*
 * Make a symbolic link whose target is the `length` bytes at `at`, up to a NUL, and read the target back. Returns 0
 * when it is unchanged; else a negative error, or 1.
 */
static long link_and_read(const char *at, size_t length)
{
	char seen[128];
	long result = sys(SYS_symlink, at, "/tmp/target"), got;

	if (result < 0)
		return result;
	got = sys(SYS_readlink, "/tmp/target", seen, sizeof(seen));
	sys(SYS_unlink, "/tmp/target");
	return got != (long)length || memcmp(seen, at, length) != 0;
}

/*
 * Check that the kernel takes strings from wherever they lie: up to the last byte of the last page, and across pages.
 */
static void test_strings(void)
{
	char *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long wrong = 0, found = 0;

	munmap(memory + 2 * PAGE, PAGE);
	for (size_t i = 0; i < 38; i++) {
		/* Strings end around the middle of the two pages, then at or a little before their end. */
		char *end = i < 19 ? memory + PAGE - 9 + i : memory + 2 * PAGE - (i - 19);

		for (size_t length = 1; length < 40; length++) {
			char *at = end - length - 1;

			memset(memory, 'Z', 2 * PAGE);
			for (size_t k = 0; k < length; k++)
				at[k] = (char)('a' + k % 26);
			at[length] = '\0';
			wrong += link_and_read(at, length) != 0;
			found++;
		}
	}
	is(wrong, 0, "strings of any length that end anywhere are taken as they are");
	is_true(found > 500, found, "many of them");
	memset(memory, 'Z', 2 * PAGE);
	wrong = 0;
	for (size_t length = 1; length < 40; length++)
		wrong += sys(SYS_symlink, memory + 2 * PAGE - length, "/tmp/target") != -EFAULT;
	is(wrong, 0, "and those that have no end before the memory's are a fault");
	munmap(memory, 2 * PAGE);
}

int main(void)
{
	test_create();
	test_strings();
	test_no_descriptor();
	test_shared_mapping();
	return finish();
}
