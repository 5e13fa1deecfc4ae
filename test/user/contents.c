/*
 * Tests the contents of files: fallocate, holes, seals, and the calls that order or advise something about them. Works
 * in its directory /tmp.
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
#include <unistd.h>

#include "test/user/tap.h"

#define DIRECTORY "/contents"
#define KEEP      1
#define PUNCH     2
#define COLLAPSE  8
#define ZERO      0x10
#define INSERT    0x20

static long size_of(int fd)
{
	struct stat file;

	return fstat(fd, &file) ? -errno : (long)file.st_size;
}

static long blocks_of(int fd)
{
	struct stat file;

	return fstat(fd, &file) ? -errno : (long)file.st_blocks;
}

static long fallocate_(int fd, int mode, long offset, long size)
{
	return sys(SYS_fallocate, fd, mode, offset, size);
}

static void test_fallocate_errors(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2], other;

	is(fallocate_(-1, 0, 0, 1), -EBADF, "fallocate of no file");
	is(fallocate_(fd, 0, -1, 1), -EINVAL, "from before the start");
	is(fallocate_(fd, 0, 0, 0), -EINVAL, "of no byte");
	is(fallocate_(fd, 0, 0, -1), -EINVAL, "of less");
	is(fallocate_(fd, 0x80, 0, 1), -EOPNOTSUPP, "a mode that is none");
	is(fallocate_(fd, 4, 0, 1), -EOPNOTSUPP, "one that is not for programs");
	is(fallocate_(fd, PUNCH, 0, 1), -EOPNOTSUPP, "a hole that would change the size");
	is(fallocate_(fd, PUNCH | ZERO | KEEP, 0, 1), -EOPNOTSUPP, "a hole and zeros");
	is(fallocate_(fd, COLLAPSE | KEEP, 0, 1), -EINVAL, "COLLAPSE_RANGE with another");
	is(fallocate_(fd, INSERT | KEEP, 0, 1), -EINVAL, "INSERT_RANGE with another");
	is(fallocate_(fd, COLLAPSE, 0, 4096), -EOPNOTSUPP, "COLLAPSE_RANGE on tmpfs");
	is(fallocate_(fd, INSERT, 0, 4096), -EOPNOTSUPP, "INSERT_RANGE");
	is(fallocate_(fd, ZERO, 0, 4096), -EOPNOTSUPP, "ZERO_RANGE");
	is(fallocate_(fd, 0, 0x7fffffffffffffff, 1), -EFBIG, "beyond the greatest offset");
	other = open("f", O_RDONLY);
	is(fallocate_(other, 0, 0, 1), -EBADF, "a file that is open for reading");
	close(other);
	is(pipe(ends), 0, "a pipe");
	is(fallocate_(ends[1], 0, 0, 1), -ESPIPE, "of a pipe");
	close(ends[0]);
	close(ends[1]);
	other = open("/dev/null", O_RDWR);
	is(fallocate_(other, 0, 0, 1), -ENODEV, "of a device");
	close(other);
	close(fd);
	unlink("f");
}

static void test_fallocate(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char bytes[3 * PAGE], back[3 * PAGE];
	char *map;

	is(fallocate_(fd, KEEP, 0, 2 * PAGE), 0, "memory for two pages, with KEEP_SIZE");
	is(size_of(fd), 0, "the size stays");
	is(blocks_of(fd), 16, "the memory is there");
	is(fallocate_(fd, 0, PAGE, 2 * PAGE - 5), 0, "memory to beyond the end");
	is(size_of(fd), 3 * PAGE - 5, "is the new size");
	is(blocks_of(fd), 24, "three pages");
	is(pread(fd, back, sizeof(back), 0), 3 * PAGE - 5, "they are read");
	memset(bytes, 0, sizeof(bytes));
	is(memcmp(bytes, back, 3 * PAGE - 5), 0, "as zeros");
	memset(bytes, 'x', sizeof(bytes));
	is(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes), "written");
	map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	is(fallocate_(fd, PUNCH | KEEP, 10, 20), 0, "a hole inside a page");
	memset(bytes + 10, 0, 20);
	is(memcmp(map, bytes, sizeof(bytes)), 0, "is zeros");
	is(blocks_of(fd), 24, "and frees nothing");
	is(fallocate_(fd, PUNCH | KEEP, 100, 2 * PAGE), 0, "a hole over a whole page");
	memset(bytes + 100, 0, 2 * PAGE);
	is(memcmp(map, bytes, sizeof(bytes)), 0, "is zeros, in a mapping, too");
	is(pread(fd, back, sizeof(back), 0), sizeof(back), "and when it is read");
	is(memcmp(back, bytes, sizeof(bytes)), 0, "the same");
	is(size_of(fd), 3 * PAGE, "the size stays");
	munmap(map, 3 * PAGE);
	is(fallocate_(fd, PUNCH | KEEP, 0, 1 << 20), 0, "a hole to beyond the end");
	is(blocks_of(fd), 0, "frees all");
	is(lseek(fd, 0, SEEK_HOLE), 0, "all is a hole");
	is(lseek(fd, 0, SEEK_DATA) < 0 ? errno : 0, ENXIO, "there are no data");
	is(pwrite(fd, "x", 1, PAGE), 1, "a byte in the second page");
	is(lseek(fd, 0, SEEK_DATA), PAGE, "are the first data");
	is(lseek(fd, PAGE, SEEK_HOLE), 2 * PAGE, "to the end of its page");
	is(fallocate_(fd, KEEP, 5 * PAGE, PAGE), 0, "memory behind the end");
	is(ftruncate(fd, 3 * PAGE), 0, "is dropped by ftruncate");
	is(blocks_of(fd), 8, "one page is left");
	close(fd);
	unlink("f");
}

static int beyond_limit(void *unused)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	(void)unused;
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 8192, 8192 });
	signal(SIGXFSZ, SIG_IGN);
	return fallocate_(fd, 0, 0, 8192) == 0 && fallocate_(fd, KEEP, 0, 8193) == -EFBIG ? 7 : 8;
}

static void test_limits(void)
{
	int fd;

	is(in_child(beyond_limit, NULL), EXITED(7), "fallocate heeds RLIMIT_FSIZE");
	mkdir("small", 0700);
	is(mount("none", "small", "tmpfs", 0, "size=65536"), 0, "a small tmpfs");
	fd = open("small/f", O_RDWR | O_CREAT, 0600);
	is(fallocate_(fd, 0, 0, 65537), -ENOSPC, "has no room for more than its size");
	is(size_of(fd), 0, "and nothing changes");
	is(fallocate_(fd, 0, 0, 65536), 0, "but for as much");
	is(pwrite(fd, "x", 1, 65536) < 0 ? errno : 0, ENOSPC, "then it is full");
	is(fallocate_(fd, PUNCH | KEEP, 4096, 4096), 0, "a hole");
	is(pwrite(fd, "x", 1, 65536), 1, "makes room");
	close(fd);
	umount("small");
	rmdir("small");
	unlink("f");
}

static void test_hints(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600), other = open("f", O_PATH), ends[2];

	is(pipe(ends), 0, "a pipe");
	is(sys(SYS_sync_file_range, fd, 0, 0, 7), 0, "sync_file_range");
	is(sys(SYS_sync_file_range, fd, 0, 0, 8), -EINVAL, "with a flag that is none");
	is(sys(SYS_sync_file_range, fd, -1, 0, 0), -EINVAL, "from before the start");
	is(sys(SYS_sync_file_range, fd, 1, -2, 0), -EINVAL, "to before the start");
	is(sys(SYS_sync_file_range, ends[0], 0, 0, 0), -ESPIPE, "of a pipe");
	is(sys(SYS_sync_file_range, -1, 0, 0, 0), -EBADF, "of no file");
	is(sys(SYS_fadvise64, fd, 0, 0, 5), 0, "fadvise");
	is(sys(SYS_fadvise64, fd, 0, 0, 6), -EINVAL, "with an advice that is none");
	is(sys(SYS_fadvise64, fd, 0, -1, 0), -EINVAL, "for less than nothing");
	is(sys(SYS_fadvise64, ends[0], 0, 0, 0), -ESPIPE, "for a pipe");
	is(sys(SYS_fadvise64, other, 0, 0, 0), -EBADF, "for a file opened with O_PATH");
	is(sys(SYS_readahead, fd, 0, 4096), 0, "readahead");
	is(sys(SYS_readahead, ends[0], 0, 4096), -EINVAL, "of a pipe");
	is(sys(SYS_readahead, ends[1], 0, 4096), -EBADF, "of what cannot be read");
	close(ends[0]);
	close(ends[1]);
	close(other);
	close(fd);
	unlink("f");
}

/* commands and seals of fcntl(2), for C libraries that do not name them */
#define ADD_SEALS    1033
#define GET_SEALS    1034
#define SEAL         1
#define SHRINK       2
#define GROW         4
#define WRITE        8
#define FUTURE_WRITE 0x10

static int sealable(long size)
{
	int fd = (int)sys(SYS_memfd_create, "sealed", 2);

	if (ftruncate(fd, size))
		bail("ftruncate", errno);
	return fd;
}

static long map(int fd, int protection, int flags)
{
	return sys(SYS_mmap, NULL, PAGE, protection, flags, fd, 0);
}

static void test_seals(void)
{
	int fd = sealable(8192), file = open("f", O_RDWR | O_CREAT, 0600), ends[2];
	char bytes[8192] = "";

	is(sys(SYS_memfd_create, "x", 0x100), -EINVAL, "memfd_create with a flag that is none");
	is(sys(SYS_memfd_create, "x", 0x8), -EINVAL, "or one that is too new");
	is(fcntl(fd, GET_SEALS), 0, "with MFD_ALLOW_SEALING it has no seals");
	is(sys(SYS_fcntl, fd, ADD_SEALS, 0x20), -EINVAL, "a seal that is none");
	is(sys(SYS_fcntl, fd, ADD_SEALS, 1L << 32), -EINVAL, "nor in the high half");
	is(fcntl(file, GET_SEALS), SEAL, "other files cannot be sealed");
	is(sys(SYS_fcntl, file, ADD_SEALS, WRITE), -EPERM, "as F_ADD_SEALS says");
	is(pipe(ends), 0, "a pipe");
	is(sys(SYS_fcntl, ends[1], GET_SEALS), -EINVAL, "has none");
	is(sys(SYS_fcntl, ends[1], ADD_SEALS, WRITE), -EINVAL, "and gets none");
	close(ends[0]);
	close(ends[1]);
	is(sys(SYS_fcntl, fd, ADD_SEALS, SHRINK), 0, "F_SEAL_SHRINK");
	is(sys(SYS_ftruncate, fd, 4096), -EPERM, "the file cannot become shorter");
	is(sys(SYS_ftruncate, fd, 8192), 0, "but stay");
	is(sys(SYS_fcntl, fd, ADD_SEALS, GROW), 0, "F_SEAL_GROW");
	is(fcntl(fd, GET_SEALS), SHRINK | GROW, "both are told");
	is(sys(SYS_ftruncate, fd, 8193), -EPERM, "it cannot become longer");
	is(sys(SYS_pwrite64, fd, bytes, 8192, 4096), 4096, "a write goes to its end");
	is(sys(SYS_pwrite64, fd, bytes, 1, 8192), -EPERM, "and not beyond");
	is(fallocate_(fd, 0, 8192, 1), -EPERM, "nor does fallocate");
	is(fallocate_(fd, KEEP, 8192, 1), -EPERM, "with KEEP_SIZE either");
	is(fallocate_(fd, PUNCH | KEEP, 0, 4096), 0, "a hole is allowed");
	close(fd);
	fd = sealable(4096);
	is(sys(SYS_fcntl, fd, ADD_SEALS, SEAL), 0, "F_SEAL_SEAL");
	is(sys(SYS_fcntl, fd, ADD_SEALS, SHRINK), -EPERM, "is the last");
	is(pwrite(fd, "x", 1, 0), 1, "the file can be written");
	close(fd);
	close(file);
	unlink("f");
}

static void test_write_seals(void)
{
	int fd = sealable(8192);
	long at = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), private = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	is(sys(SYS_fcntl, fd, ADD_SEALS, WRITE), -EBUSY, "F_SEAL_WRITE with a writable mapping");
	is(fcntl(fd, GET_SEALS), 0, "is not set");
	munmap((void *)at, PAGE);
	is(sys(SYS_fcntl, fd, ADD_SEALS, WRITE), 0, "a private one does not matter");
	is(sys(SYS_write, fd, "x", 1), -EPERM, "no write");
	is(fallocate_(fd, PUNCH | KEEP, 0, 4096), -EPERM, "no hole");
	is(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), -EPERM, "no writable mapping");
	is(sys(SYS_ftruncate, fd, 4096), 0, "but another size");
	*(volatile char *)private = 'p';
	is(*(volatile char *)private, 'p', "the private mapping is written");
	munmap((void *)private, PAGE);
	close(fd);

	fd = sealable(4096);
	at = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	is(sys(SYS_fcntl, fd, ADD_SEALS, FUTURE_WRITE), 0, "F_SEAL_FUTURE_WRITE with a writable mapping");
	*(volatile char *)at = 'w';
	is(*(volatile char *)at, 'w', "which is still written");
	munmap((void *)at, PAGE);
	is(sys(SYS_pwrite64, fd, "x", 1, 0), -EPERM, "no write");
	is(fallocate_(fd, PUNCH | KEEP, 0, 4096), -EPERM, "no hole");
	is(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), -EPERM, "no new writable mapping");
	at = map(fd, PROT_READ, MAP_SHARED);
	is_true(at > 0, at, "but one to read");
	is(*(volatile char *)at, 'w', "what was written");
	is(sys(SYS_mprotect, at, PAGE, PROT_READ | PROT_WRITE), -EACCES, "which does not become writable");
	munmap((void *)at, PAGE);
	close(fd);
}

#define FILES   0x400 /* CLONE_FILES */
#define UNSHARE 2
#define CLOEXEC 4

/*
 * Run close_range in a child that shares this process's table of descriptors. Returns the child's status: 7 for
 * success.
 */
static int close_in_child(int fd, int flags)
{
	int status;
	long child = sys(SYS_clone, FILES | SIGCHLD, 0, 0, 0, 0);

	if (!child)
		sys(SYS_exit, sys(SYS_close_range, fd, fd, flags) == 0 ? 7 : 8);
	sys(SYS_wait4, child, &status, 0, NULL);
	return status;
}

static void test_close_range(void)
{
	int fd = open("/dev/null", O_RDONLY);

	is(sys(SYS_close_range, 4, 3, 0), -EINVAL, "close_range of less than nothing");
	is(sys(SYS_close_range, fd, fd, 8), -EINVAL, "with a flag that is none");
	is(close_in_child(fd, UNSHARE), EXITED(7), "in a table that two processes share, with CLOSE_RANGE_UNSHARE");
	is(fcntl(fd, F_GETFD), 0, "the other keeps the file");
	is(close_in_child(fd, UNSHARE | CLOEXEC), EXITED(7), "with CLOSE_RANGE_CLOEXEC, too");
	is(fcntl(fd, F_GETFD), 0, "the other's flag stays");
	is(close_in_child(fd, CLOEXEC), EXITED(7), "without it");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "the flag is the same");
	is(close_in_child(fd, 0), EXITED(7), "closed");
	is(sys(SYS_fcntl, fd, F_GETFD), -EBADF, "for both");
	fd = open("/dev/null", O_RDONLY);
	is(sys(SYS_close_range, fd, fd, UNSHARE), 0, "and alone");
	is(sys(SYS_fcntl, fd, F_GETFD), -EBADF, "it closes");
}

int main(void)
{
	mkdir(DIRECTORY, 0700);
	if (mount("none", DIRECTORY, "tmpfs", 0, NULL) || chdir(DIRECTORY))
		bail("no tmpfs", errno);
	test_fallocate_errors();
	test_fallocate();
	test_limits();
	test_hints();
	test_seals();
	test_write_seals();
	test_close_range();
	if (!chdir("/"))
		umount(DIRECTORY);
	rmdir(DIRECTORY);
	return finish();
}
