/*
 * Tests read, write and calls like them, lseek, close, open, stat, readlink, ioctl, pipe2, dup2 and getdents64.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "test/user/tap.h"

#define NOWHERE ((void *)PAGE) /* a user address where nothing is mapped */
#define KERNEL  ((void *)(-1UL << 31))

static long open_read(const char *path)
{
	return sys(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
}

static void test_open(void)
{
	long file = open_read("/init"), other;
	char path[5000];

	is_true(file > 2, file, "openat /init");
	other = sys(SYS_open, "/init", O_RDONLY, 0);
	is(other, file + 1, "open takes the lowest free number");
	is(sys(SYS_close, file), 0, "close");
	is(sys(SYS_close, file), -EBADF, "close twice");
	is(open_read("/init"), file, "openat takes the lowest free number");
	is(sys(SYS_close, other), 0, "close the other");
	is(sys(SYS_close, file), 0, "close again");
	is(sys(SYS_close, -1), -EBADF, "close(-1)");
	is(open_read("/no-such-file"), -ENOENT, "openat of no file");
	is(open_read("/no-such-directory/file"), -ENOENT, "openat in no directory");
	is(open_read("/init/file"), -ENOTDIR, "openat below a file");
	is(open_read(""), -ENOENT, "openat of an empty path");
	is(open_read(NULL), -EFAULT, "openat of NULL");
	is(open_read(NOWHERE), -EFAULT, "openat of an address where nothing is");
	is(open_read(KERNEL), -EFAULT, "openat of a kernel address");
	is(sys(SYS_openat, 777, "init", O_RDONLY, 0), -EBADF, "openat from a closed directory");
	is(sys(SYS_openat, AT_FDCWD, "/dev", O_WRONLY, 0), -EISDIR, "openat of a directory for writing");
	is(sys(SYS_openat, AT_FDCWD, "/init", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR, "openat of a file as directory");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[300] = '\0';
	is(open_read(path), -ENAMETOOLONG, "openat of a name of 299 bytes");
	path[300] = 'a';
	path[sizeof(path) - 1] = '\0';
	is(open_read(path), -ENAMETOOLONG, "openat of a path of 4,999 bytes");
	file = open_read("//dev/.././/init");
	is_true(file > 2, file, "openat through dots and slashes");
	sys(SYS_close, file);
	other = sys(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0);
	file = sys(SYS_openat, other, "init", O_RDONLY, 0);
	is_true(file > other, file, "openat from a directory");
	is(sys(SYS_openat, file, "init", O_RDONLY, 0), -ENOTDIR, "openat from a file");
	sys(SYS_close, file);
	sys(SYS_close, other);
}

static void test_read(void)
{
	long file = open_read("/init");
	char bytes[64], again[64];
	struct iovec parts[2] = { { again, 4 }, { again + 4, 60 } };
	struct stat status;

	is(sys(SYS_read, file, bytes, sizeof(bytes)), sizeof(bytes), "read");
	is(memcmp(bytes, "\177ELF", 4), 0, "the file's first bytes");
	is(sys(SYS_lseek, file, 0, SEEK_CUR), sizeof(bytes), "read moves the position");
	is(sys(SYS_lseek, file, 0, SEEK_SET), 0, "lseek to the start");
	is(sys(SYS_readv, file, parts, 2), sizeof(again), "readv");
	is(memcmp(bytes, again, sizeof(bytes)), 0, "readv gives the same bytes");
	is(sys(SYS_pread64, file, again, 3, 1), 3, "pread64");
	is(memcmp(again, "ELF", 3), 0, "gives the bytes at the offset");
	is(sys(SYS_lseek, file, 0, SEEK_CUR), sizeof(bytes), "and does not move the position");
	is(sys(SYS_fstat, file, &status), 0, "fstat");
	is(sys(SYS_lseek, file, 0, SEEK_END), status.st_size, "lseek to the end tells the size");
	is(sys(SYS_read, file, bytes, sizeof(bytes)), 0, "read at the end");
	is(sys(SYS_lseek, file, -3, SEEK_END), status.st_size - 3, "lseek to before the end");
	is(sys(SYS_read, file, bytes, sizeof(bytes)), 3, "read up to the end");
	is(sys(SYS_lseek, file, 10, SEEK_END), status.st_size + 10, "lseek to behind the end");
	is(sys(SYS_read, file, bytes, sizeof(bytes)), 0, "read behind the end");
	is(sys(SYS_lseek, file, -1, SEEK_SET), -EINVAL, "lseek to before the start");
	is(sys(SYS_lseek, file, 0, 99), -EINVAL, "lseek from nowhere");
	is(sys(SYS_lseek, -1, 0, SEEK_SET), -EBADF, "lseek of fd -1");
	is(sys(SYS_lseek, file, 0, SEEK_SET), 0, "lseek back");
	is(sys(SYS_read, file, bytes, 0), 0, "read of no bytes");
	is(sys(SYS_read, file, NULL, 4), -EFAULT, "read to NULL");
	is(sys(SYS_read, file, KERNEL, 4), -EFAULT, "read to a kernel address");
	is(sys(SYS_read, 777, bytes, 4), -EBADF, "read of a closed fd");
	is(sys(SYS_pread64, file, bytes, 4, -1), -EINVAL, "pread64 at offset -1");
	is(sys(SYS_readv, file, parts, -1), -EINVAL, "readv of -1 parts");
	is(sys(SYS_readv, file, parts, 1025), -EINVAL, "readv of 1,025 parts");
	is(sys(SYS_readv, file, NOWHERE, 1), -EFAULT, "readv of parts at an address where nothing is");
	is(sys(SYS_readv, file, parts, 0), 0, "readv of no parts");
	is(sys(SYS_write, file, bytes, 1), -EBADF, "write to a file that is open for reading");
	sys(SYS_close, file);
	file = open_read("/");
	is(sys(SYS_read, file, bytes, 4), -EISDIR, "read of a directory");
	sys(SYS_close, file);
}

/* Check that a read over the end of mapped memory gives the bytes that fit, as on Linux. */
static void test_partial(void)
{
	unsigned char *memory = fresh(2 * PAGE, 3);
	long file = open_read("/init");

	sys(SYS_munmap, memory + PAGE, PAGE);
	is_between(sys(SYS_read, file, memory + PAGE - 16, 64), 1, 16, "read over the end of memory gives what fits");
	is(sys(SYS_read, file, memory + PAGE, 64), -EFAULT, "read to behind the end of memory");
	sys(SYS_close, file);
	sys(SYS_munmap, memory, PAGE);
}

static void test_devices(void)
{
	long null = sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0), zero = open_read("/dev/zero");
	char bytes[100];
	struct stat status;

	is_true(null > 2, null, "openat /dev/null");
	is(sys(SYS_write, null, "text", 4), 4, "/dev/null takes what is written");
	is(sys(SYS_write, null, fresh(16 * PAGE, 3), 16 * PAGE), 16 * PAGE, "/dev/null takes much at once");
	is(sys(SYS_read, null, bytes, 4), 0, "/dev/null is at its end");
	is(sys(SYS_fstat, null, &status), 0, "fstat of /dev/null");
	is(status.st_mode & S_IFMT, S_IFCHR, "/dev/null is a character device");
	is((long)status.st_rdev, 0x103, "with number 1:3");
	memset(bytes, 1, sizeof(bytes));
	is(sys(SYS_read, zero, bytes, sizeof(bytes)), sizeof(bytes), "/dev/zero gives what is asked for");
	is(bytes[0] | bytes[99], 0, "and it is zero");
	is(sys(SYS_write, zero, bytes, 1), -EBADF, "/dev/zero open for reading takes nothing");
	sys(SYS_close, null);
	sys(SYS_close, zero);
}

/* Check that lseek refuses nothing on the character devices, which have no position. */
static void test_device_places(void)
{
	static const char *const names[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/urandom" };
	char byte;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		long file = open_read(names[i]);

		/* Not every /dev has the last two devices. */
		if (i >= 2 && file == -ENOENT)
			continue;
		is(sys(SYS_lseek, file, 5000, SEEK_SET), 0, names[i]);
		is(sys(SYS_lseek, file, -5000, SEEK_CUR), 0, "lseek to before the start");
		is(sys(SYS_lseek, file, 1, SEEK_END), 0, "or to behind the end");
		is(sys(SYS_lseek, file, 0, 5), -EINVAL, "but not in a way that there is not");
		is(sys(SYS_pread64, file, &byte, 1, 5000), i != 0, "pread64 anywhere");
		sys(SYS_close, file);
	}
}

static struct stat stat_of(const char *path)
{
	struct stat status = { 0 };

	sys(SYS_newfstatat, AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW);
	return status;
}

/* Set the time of the file's last read to `atime` seconds, and that of its last change to 2,000. */
static void set_times(const char *path, long atime)
{
	const struct timespec times[2] = { { atime, 0 }, { 2000, 0 } };

	is(sys(SYS_utimensat, AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0, "utimensat");
}

/*
 * Check that a read sets the time of the last read when the file has changed since that time, unless O_NOATIME is set.
 */
static void test_access_time(void)
{
	static const char *const file_name = "/tmp/read-when", *const link_name = "/tmp/link-read-when";
	char bytes[256];
	long file;
	void *mapped;

	sys(SYS_mkdirat, AT_FDCWD, "/tmp", 0777);
	is(sys(SYS_mount, "tmpfs", "/tmp", "tmpfs", 0, NULL), 0, "a tmpfs");
	file = sys(SYS_openat, AT_FDCWD, file_name, O_CREAT | O_RDWR, 0644);
	is(sys(SYS_write, file, "abc", 3), 3, "a file");
	set_times(file_name, 1000);
	is(sys(SYS_pread64, file, bytes, 3, 0), 3, "is read");
	is_true(stat_of(file_name).st_atime > 2000, stat_of(file_name).st_atime, "which sets its atime");
	is(stat_of(file_name).st_mtime, 2000, "and no other time");
	set_times(file_name, 1000);
	mapped = mmap(NULL, 3, PROT_READ, MAP_SHARED, (int)file, 0);
	is_true(stat_of(file_name).st_atime > 2000, stat_of(file_name).st_atime, "mmap sets it, too");
	munmap(mapped, 3);
	set_times(file_name, 1000);
	is(sys(SYS_fcntl, file, F_SETFL, O_NOATIME), 0, "with O_NOATIME");
	is(sys(SYS_pread64, file, bytes, 3, 0), 3, "a read");
	is(stat_of(file_name).st_atime, 1000, "leaves it as it was");
	sys(SYS_close, file);
	is(sys(SYS_symlinkat, "x", AT_FDCWD, link_name), 0, "a link");
	set_times(link_name, 1000);
	is(sys(SYS_readlinkat, AT_FDCWD, link_name, bytes, sizeof(bytes)), 1, "is read");
	is_true(stat_of(link_name).st_atime > 2000, stat_of(link_name).st_atime, "which sets its atime");
	set_times("/tmp", 1000);
	file = sys(SYS_openat, AT_FDCWD, "/tmp", O_RDONLY | O_DIRECTORY, 0);
	is_true(sys(SYS_getdents64, file, bytes, sizeof(bytes)) > 0, 0, "a directory is listed");
	is_true(stat_of("/tmp").st_atime > 2000, stat_of("/tmp").st_atime, "which sets its atime");
	sys(SYS_close, file);
	sys(SYS_unlinkat, AT_FDCWD, file_name, 0);
	sys(SYS_unlinkat, AT_FDCWD, link_name, 0);
	sys(SYS_umount2, "/tmp", MNT_DETACH);
}

static void test_console(void)
{
	struct iovec parts[3] = { { (void *)"# wri", 5 }, { (void *)"tten in ", 8 }, { (void *)"parts\n", 6 } };
	struct winsize size = { 1, 1, 1, 1 };
	struct termios settings;
	struct stat status;
	long file;

	is(sys(SYS_write, 1, "# one line\n", 11), 11, "write to fd 1");
	is(sys(SYS_writev, 1, parts, 3), 19, "writev to fd 1");
	is(sys(SYS_write, 1, NULL, 0), 0, "write of no bytes");
	is(sys(SYS_write, 1, KERNEL, 4), -EFAULT, "write from a kernel address");
	is(sys(SYS_write, 1, NULL, 4), -EFAULT, "write from NULL");
	is(sys(SYS_writev, 1, NOWHERE, 2), -EFAULT, "writev of parts at an address where nothing is");
	is(sys(SYS_write, 777, "", 1), -EBADF, "write to a closed fd");
	is(sys(SYS_fstat, 1, &status), 0, "fstat of fd 1");
	is(status.st_mode & S_IFMT, S_IFCHR, "the console is a character device");
	is(sys(SYS_ioctl, 1, TCGETS, &settings), 0, "ioctl(TCGETS) of the console");
	is(sys(SYS_ioctl, 1, TIOCGWINSZ, &size), 0, "ioctl(TIOCGWINSZ) of the console");
	is(size.ws_xpixel, 0, "which fills in a size");
	is(sys(SYS_ioctl, 1, TCGETS, KERNEL), -EFAULT, "ioctl to a kernel address");
	is(sys(SYS_ioctl, 1, 0x12345678, &settings), -ENOTTY, "ioctl that does not exist");
	is(sys(SYS_ioctl, 777, TCGETS, &settings), -EBADF, "ioctl of a closed fd");
	is(sys(SYS_lseek, 1, 0, SEEK_CUR), -ESPIPE, "lseek of the console");
	file = sys(SYS_openat, AT_FDCWD, "/dev/console", O_WRONLY, 0);
	is_true(file > 2, file, "openat /dev/console");
	is(sys(SYS_write, file, "# to /dev/console\n", 18), 18, "write to it");
	sys(SYS_close, file);
	file = open_read("/init");
	is(sys(SYS_ioctl, file, TCGETS, &settings), -ENOTTY, "ioctl(TCGETS) of a file");
	sys(SYS_close, file);
}

static void test_stat(void)
{
	struct stat status, other;
	char target[16];
	long file = open_read("/init");

	is(sys(SYS_fstat, file, &status), 0, "fstat of /init");
	is(status.st_mode & S_IFMT, S_IFREG, "/init is a regular file");
	is(status.st_mode & 0777, 0755, "that may be executed");
	is_true(status.st_size > 4096, status.st_size, "and has a size");
	is(sys(SYS_newfstatat, AT_FDCWD, "/init", &other, 0), 0, "newfstatat of /init");
	is_true(status.st_ino == other.st_ino && status.st_dev == other.st_dev, (long)other.st_ino, "the same file");
	is(sys(SYS_newfstatat, file, "", &other, AT_EMPTY_PATH), 0, "newfstatat with AT_EMPTY_PATH");
	is(other.st_size, status.st_size, "the same size");
	is(sys(SYS_newfstatat, file, "", &other, 0), -ENOENT, "newfstatat of an empty path");
	is(sys(SYS_newfstatat, AT_FDCWD, "/dev", &other, 0), 0, "newfstatat of /dev");
	is(other.st_mode & S_IFMT, S_IFDIR, "/dev is a directory");
	is(sys(SYS_newfstatat, AT_FDCWD, "/no-such-file", &other, 0), -ENOENT, "newfstatat of no file");
	is(sys(SYS_newfstatat, AT_FDCWD, "/init", KERNEL, 0), -EFAULT, "newfstatat to a kernel address");
	is(sys(SYS_newfstatat, AT_FDCWD, "/init", &other, 0x10000), -EINVAL, "newfstatat with unknown flags");
	is(sys(SYS_fstat, 777, &status), -EBADF, "fstat of a closed fd");
	is(sys(SYS_fstat, file, NULL), -EFAULT, "fstat to NULL");
	is(sys(SYS_readlink, "/init", target, sizeof(target)), -EINVAL, "readlink of a file");
	is(sys(SYS_readlink, "/no-such-file", target, sizeof(target)), -ENOENT, "readlink of no file");
	is(sys(SYS_readlink, "/init", target, 0), -EINVAL, "readlink to no room");
	is(sys(SYS_readlink, "/test/.link", target, sizeof(target)), 7, "readlink of a link");
	is(memcmp(target, "../init", 7), 0, "tells its target");
	is(sys(SYS_readlink, "/test/.link", target, 3), 3, "readlink gives what fits");
	is(sys(SYS_newfstatat, AT_FDCWD, "/test/.link", &other, AT_SYMLINK_NOFOLLOW), 0, "newfstatat of a link");
	is(other.st_mode & S_IFMT, S_IFLNK, "which is a link");
	is(sys(SYS_newfstatat, AT_FDCWD, "/test/.link", &other, 0), 0, "newfstatat through a link");
	is((long)other.st_ino, (long)status.st_ino, "finds the file");
	is(sys(SYS_openat, AT_FDCWD, "/test/.loop", O_RDONLY, 0), -ELOOP, "openat of a link to itself");
	is(sys(SYS_openat, AT_FDCWD, "/test/.link", O_RDONLY | O_NOFOLLOW, 0), -ELOOP, "openat that follows no link");
	sys(SYS_close, file);
}

static void test_directory(void)
{
	struct entry {
		uint64_t inode;
		int64_t offset;
		uint16_t size;
		uint8_t kind;
		char name[];
	} * entry;
	static char buffer[4096] __attribute__((aligned(8)));
	long file = sys(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0), bytes;
	unsigned init = 0, dev = 0, dots = 0;

	while ((bytes = sys(SYS_getdents64, file, buffer, 256)) > 0) {
		for (long at = 0; at < bytes; at += entry->size) {
			entry = (struct entry *)(buffer + at);
			init += !strcmp(entry->name, "init") && entry->kind == DT_REG;
			dev += !strcmp(entry->name, "dev") && entry->kind == DT_DIR;
			dots += !strcmp(entry->name, ".") || !strcmp(entry->name, "..");
		}
	}
	is(bytes, 0, "getdents64 comes to an end");
	is(init, 1, "it names /init, a file, once");
	is(dev, 1, "and /dev, a directory");
	is(dots, 2, "and . and ..");
	is(sys(SYS_lseek, file, 0, SEEK_SET), 0, "lseek of a directory to its start");
	is_true(sys(SYS_getdents64, file, buffer, sizeof(buffer)) > 0, 0, "getdents64 starts again");
	sys(SYS_lseek, file, 0, SEEK_SET);
	is(sys(SYS_getdents64, file, buffer, 8), -EINVAL, "getdents64 with room for nothing");
	is(sys(SYS_getdents64, file, KERNEL, 4096), -EFAULT, "getdents64 to a kernel address");
	sys(SYS_close, file);
	file = open_read("/init");
	is(sys(SYS_getdents64, file, buffer, sizeof(buffer)), -ENOTDIR, "getdents64 of a file");
	sys(SYS_close, file);
}

static int write_broken_pipe(void *argument)
{
	int *ends = argument;

	close(ends[0]);
	return (int)write(ends[1], "x", 1);
}

static void test_pipe(void)
{
	static char block[65536 + 1];
	int ends[2], pair[2];
	char bytes[8];

	is(sys(SYS_pipe2, ends, 0x7), -EINVAL, "pipe2 with unknown flags");
	is(sys(SYS_pipe2, KERNEL, 0), -EFAULT, "pipe2 to a kernel address");
	is(sys(SYS_pipe2, ends, 0), 0, "pipe2");
	is(sys(SYS_write, ends[1], "abcdef", 6), 6, "write to a pipe");
	is(sys(SYS_read, ends[0], bytes, 4), 4, "read from a pipe");
	is(sys(SYS_read, ends[0], bytes + 4, 4), 2, "read gives what is there");
	is(memcmp(bytes, "abcdef", 6), 0, "in order");
	is(sys(SYS_write, ends[0], "x", 1), -EBADF, "write to the end for reading");
	is(sys(SYS_read, ends[1], bytes, 1), -EBADF, "read from the end for writing");
	is(sys(SYS_lseek, ends[0], 0, SEEK_CUR), -ESPIPE, "lseek of a pipe");
	is(sys(SYS_pread64, ends[0], bytes, 1, 0), -ESPIPE, "pread64 of a pipe");
	is(in_child(write_broken_pipe, (int[2]){ (int)sys(SYS_dup2, ends[0], 90), ends[1] }), EXITED(1),
	   "the pipe is whole");
	is(sys(SYS_read, ends[0], bytes, 8), 1, "a child wrote to it");
	is(sys(SYS_dup2, ends[1], 100), 100, "dup2");
	is(sys(SYS_write, 100, "y", 1), 1, "write to the copy");
	is(sys(SYS_close, ends[1]), 0, "close the end for writing");
	is(sys(SYS_read, ends[0], bytes, 8), 1, "what was written is still there");
	is(sys(SYS_close, 100), 0, "close the copy");
	is(sys(SYS_read, ends[0], bytes, 8), 0, "then the pipe is at its end");
	sys(SYS_close, ends[0]);

	is(sys(SYS_pipe2, pair, O_NONBLOCK), 0, "pipe2 that does not block");
	is(sys(SYS_read, pair[0], bytes, 1), -EAGAIN, "read from it when empty");
	is(sys(SYS_write, pair[1], block, sizeof(block)), 65536, "write fills it");
	is(sys(SYS_write, pair[1], block, 1), -EAGAIN, "write to it when full");
	is(sys(SYS_read, pair[0], block, sizeof(block)), 65536, "read empties it");
	is(sys(SYS_dup2, pair[0], pair[0]), pair[0], "dup2 onto itself");
	is(sys(SYS_dup2, 777, 5), -EBADF, "dup2 of a closed fd");
	is(sys(SYS_dup2, pair[0], -1), -EBADF, "dup2 to fd -1");
	sys(SYS_close, pair[1]);
	is(in_child(write_broken_pipe, (int[2]){ -1, (int)sys(SYS_dup2, pair[0], 50) }), EXITED(255),
	   "a child cannot write to the end for reading");
	sys(SYS_close, 50);
	sys(SYS_close, pair[0]);

	is(sys(SYS_pipe2, pair, 0), 0, "pipe2 for a pipe that breaks");
	sys(SYS_close, pair[0]);
	is(in_child(write_broken_pipe, (int[2]){ -1, pair[1] }), KILLED(SIGPIPE), "SIGPIPE ends who writes to it");
	signal(SIGPIPE, SIG_IGN);
	is(sys(SYS_write, pair[1], "x", 1), -EPIPE, "write to it with SIGPIPE ignored");
	signal(SIGPIPE, SIG_DFL);
	sys(SYS_close, pair[1]);
}

/* Send 1 MiB through a pipe of 64 KiB, whose writer and reader wait for each other. */
static int write_numbers(void *argument)
{
	unsigned block[1024];

	for (unsigned i = 0; i < 256; i++) {
		for (unsigned j = 0; j < 1024; j++)
			block[j] = i * 1024 + j;
		if (write(*(int *)argument, block, sizeof(block)) != sizeof(block))
			return 1;
	}
	return 0;
}

/*
 * Make pipes as a user until the limit makes them smaller. Returns how many pages such a pipe takes without waiting;
 * above 200: an error.
 */
static int fill_small_pipe(void *unused)
{
	static char bytes[PAGE];
	struct rlimit limit = { 4096, 4096 };
	int ends[2], made = 0;
	long size = 65536, pages = 0;

	(void)unused;
	sys(SYS_setrlimit, RLIMIT_NOFILE, &limit);
	sys(SYS_setuid, 1000); /* the limit does not hold for root */
	for (; made < 1100 && size == 65536; made++) {
		if (sys(SYS_pipe2, ends, O_NONBLOCK) != 0)
			return 201;
		size = sys(SYS_fcntl, ends[0], F_GETPIPE_SZ);
	}
	if (made < 1000 || sys(SYS_fcntl, ends[0], F_SETPIPE_SZ, 65536) != -EPERM)
		return 202;
	while (pages < 200 && sys(SYS_write, ends[1], bytes, PAGE) == (long)PAGE)
		pages++;
	if (sys(SYS_write, ends[1], bytes, 1) != -EAGAIN || pages * (long)PAGE != size)
		return 203;
	if (sys(SYS_read, ends[0], bytes, PAGE) != (long)PAGE || sys(SYS_write, ends[1], bytes, PAGE) != (long)PAGE)
		return 204;
	return (int)pages;
}

static void test_pipe_limit(void)
{
	char text[32] = "";
	long file;
	int ends[2];

	/* Mount /proc if it is missing: Linux mounts nothing by itself. */
	if (sys(SYS_access, "/proc/sys", F_OK) != 0) {
		sys(SYS_mkdir, "/proc", 0755);
		sys(SYS_mount, "none", "/proc", "proc", 0, NULL);
	}
	file = sys(SYS_openat, AT_FDCWD, "/proc/sys/fs/pipe-user-pages-soft", O_RDWR, 0);
	is_true(sys(SYS_read, file, text, sizeof(text) - 1) == 6 && !strcmp(text, "16384\n"), file,
		"pipes may take 16384 pages");
	is(sys(SYS_pwrite64, file, "x\n", 2, 0), -EINVAL, "which is a number");
	sys(SYS_close, file);
	is(in_child(fill_small_pipe, NULL), EXITED(2), "when there are many, new ones have two pages");
	is(sys(SYS_pipe2, ends, 0), 0, "a pipe afterwards");
	is(sys(SYS_fcntl, ends[0], F_GETPIPE_SZ), 65536, "has sixteen");
	sys(SYS_close, ends[0]);
	sys(SYS_close, ends[1]);
}

static void test_pipe_blocks(void)
{
	unsigned numbers[777], next = 0, wrong = 0;
	int ends[2], status;
	long bytes;
	pid_t child;

	if (sys(SYS_pipe2, ends, 0) != 0)
		bail("pipe2", 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		_exit(write_numbers(&ends[1]));
	}
	close(ends[1]);
	while ((bytes = sys(SYS_read, ends[0], numbers, sizeof(numbers))) > 0) {
		for (long i = 0; i < bytes / 4; i++)
			wrong += numbers[i] != next++;
		wrong += bytes % 4 != 0;
	}
	is(next, 1 << 18, "1 MiB comes through a pipe");
	is(wrong, 0, "in order");
	sys(SYS_wait4, child, &status, 0, 0);
	is(status, EXITED(0), "the writer is content");
	close(ends[0]);
}

#define CROWD 12

/* Start children that each read a byte of `from` and write it to `to`. */
static void start_crowd(long children[CROWD], int from, int to)
{
	for (int i = 0; i < CROWD; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			char byte;

			_exit(sys(SYS_read, from, &byte, 1) == 1 && sys(SYS_write, to, &byte, 1) == 1 ? 0 : 1);
		}
	}
	/* Let all children wait before the first byte comes. */
	for (int i = 0; i < 3 * CROWD; i++)
		sched_yield();
}

/*
 * Check that each of many tasks waiting at one pipe gets its byte, whichever was woken for it, and though one is killed
 * meanwhile.
 */
static void test_pipe_crowd(void)
{
	int in[2], out[2], status = 0;
	char bytes[64] = "";
	long children[CROWD], got = 0, wrong = 0;

	sys(SYS_pipe2, in, 0);
	sys(SYS_pipe2, out, 0);
	start_crowd(children, in[0], out[1]);
	is(sys(SYS_write, in[1], "abc", 3), 3, "three bytes for twelve readers");
	sys(SYS_kill, children[0], SIGKILL);
	is(sys(SYS_write, in[1], "defghijklmno", CROWD), CROWD, "and as many as there are");
	for (int i = 0; i < CROWD; i++) {
		sys(SYS_wait4, children[i], &status, 0, 0);
		wrong += status != 0 && !(i == 0 && status == SIGKILL);
	}
	is(wrong, 0, "each that was not killed got one");
	sys(SYS_close, out[1]);
	while (got < CROWD && (status = (int)sys(SYS_read, out[0], bytes + got, sizeof(bytes) - (size_t)got)) > 0)
		got += status;
	is_true(got >= CROWD - 1, got, "and passed it on");
	sys(SYS_close, in[0]);
	sys(SYS_close, in[1]);
	sys(SYS_close, out[0]);
}

/* Check that writers of any size that wait for room in a pipe all finish. */
static void test_pipe_writers(void)
{
	static const size_t sizes[CROWD] = { 10, 4096, 1, 4000, 100, 70000, 5, 4096, 4095, 33, 8192, 2 };
	static char bytes[70000];
	size_t all = 65536, got = 0;
	long children[CROWD], result, wrong = 0;
	int ends[2], status;

	sys(SYS_pipe2, ends, 0);
	is(sys(SYS_write, ends[1], bytes, 65536), 65536, "a pipe that is full");
	for (int i = 0; i < CROWD; i++) {
		all += sizes[i];
		children[i] = fork();
		if (children[i] == 0)
			_exit(sys(SYS_write, ends[1], bytes, sizes[i]) == (long)sizes[i] ? 0 : 1);
	}
	for (int i = 0; i < 3 * CROWD; i++)
		sched_yield();
	while (got < all && (result = sys(SYS_read, ends[0], bytes, 1 + got % 5000)) > 0)
		got += (size_t)result;
	is((long)got, (long)all, "all that twelve writers write at once comes");
	for (int i = 0; i < CROWD; i++) {
		sys(SYS_wait4, children[i], &status, 0, 0);
		wrong += status != 0;
	}
	is(wrong, 0, "and each has written all of it");
	sys(SYS_close, ends[0]);
	sys(SYS_close, ends[1]);
}

int main(void)
{
	test_open();
	test_read();
	test_partial();
	test_devices();
	test_device_places();
	if (getuid() == 0)
		test_access_time();
	test_console();
	test_stat();
	test_directory();
	test_pipe();
	test_pipe_limit();
	test_pipe_crowd();
	test_pipe_writers();
	test_pipe_blocks();
	return finish();
}
