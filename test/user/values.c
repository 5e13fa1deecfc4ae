/*
 * Tests results at the edges of calls: sizes, offsets and ranges that wrap, holes of files, pipes' sizes, nested
 * scripts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define NAME "/tmp/.values"
#define MOST 0x7fffffffffffffffL

static int fresh_file(void)
{
	sys(SYS_unlink, NAME);
	return (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDWR | O_CREAT, 0600);
}

/* ---- reads and writes ---- */

static void test_sizes(void)
{
	int file = fresh_file();
	char bytes[16] = "0123456789";
	struct iovec two[2] = { { bytes, MOST }, { bytes, MOST } };

	is(sys(SYS_write, file, bytes, 10), 10, "a file");
	is(sys(SYS_readv, file, two, 2), -EFAULT, "readv beyond all addresses");
	is(sys(SYS_writev, file, two, 2), -EFAULT, "writev");
	is(sys(SYS_preadv2, file, two, 1, 0, 0, 1 << 12), -EFAULT, "before a flag that is none");
	is(sys(SYS_preadv2, file, two, 0, 0, 0, 1 << 12), 0, "which is no matter for no bytes");
	is(sys(SYS_readv, file, two, 1UL << 32), 0, "readv of 2^32 pieces, whose low half counts");
	is(sys(SYS_read, file, bytes, -1L), -EFAULT, "read beyond all addresses");
	is(sys(SYS_read, file, bytes, MOST), -EFAULT, "read up to the kernel's");
	is(sys(SYS_write, file, bytes, MOST), -EFAULT, "write");
	is(sys(SYS_pread64, file, bytes, 10, MOST), -EINVAL, "pread64 past the last offset");
	is(sys(SYS_pread64, file, bytes, 10, MOST - 5), -EINVAL, "over the last offset");
	is(sys(SYS_pwrite64, file, bytes, 10, MOST), -EINVAL, "pwrite64 past it");
	is(sys(SYS_pwrite64, file, bytes, 0, MOST), 0, "of no bytes");
	is(sys(SYS_lseek, file, MOST, SEEK_SET), MOST, "the last position");
	is(sys(SYS_read, file, bytes, 10), -EINVAL, "read there");
	is(sys(SYS_write, file, bytes, 10), -EINVAL, "and write");
	is(sys(SYS_read, file, bytes, 0), 0, "read of no bytes there");
	is(sys(SYS_lseek, file, 0, SEEK_CUR), MOST, "nothing has moved");
	is(sys(SYS_sendfile, file, file, (long[]){ MOST }, 10), -EINVAL, "sendfile from there");
	is(sys(SYS_close, file), 0, "close");
}

/* ---- holes ---- */

static void test_holes(void)
{
	const long size = 100 * (long)PAGE + 10, data = 70 * (long)PAGE;
	int file = fresh_file();

	is(sys(SYS_ftruncate, file, size), 0, "a file of a hole");
	is(sys(SYS_lseek, file, 0, SEEK_DATA), -ENXIO, "has no data");
	is(sys(SYS_lseek, file, 5, SEEK_HOLE), 5, "but a hole everywhere");
	is(sys(SYS_pwrite64, file, "x", 1, data + 100), 1, "a byte in its middle");
	is(sys(SYS_lseek, file, 0, SEEK_DATA), data, "is the page that SEEK_DATA finds");
	is(sys(SYS_lseek, file, 0, SEEK_CUR), data, "and goes to");
	is(sys(SYS_lseek, file, data + 7, SEEK_DATA), data + 7, "inside of it as well");
	is(sys(SYS_lseek, file, data + 7, SEEK_HOLE), data + (long)PAGE, "the hole goes on behind it");
	is(sys(SYS_lseek, file, data + (long)PAGE, SEEK_DATA), -ENXIO, "without more data");
	is(sys(SYS_pwrite64, file, "x", 1, size - 1), 1, "a byte at the end");
	is(sys(SYS_lseek, file, data + (long)PAGE, SEEK_DATA), size - 10, "is data, too");
	is(sys(SYS_lseek, file, size - 5, SEEK_HOLE), size, "before the hole at the end");
	is(sys(SYS_lseek, file, size, SEEK_HOLE), -ENXIO, "where nothing is");
	is(sys(SYS_lseek, file, -1, SEEK_DATA), -ENXIO, "nor before the start");
	is(sys(SYS_pwrite64, file, "x", 1, 1L << 50), 1, "a byte far out");
	is(sys(SYS_lseek, file, size + (long)PAGE, SEEK_DATA), 1L << 50, "is found");
	is(sys(SYS_lseek, file, 1L << 49, SEEK_HOLE), 1L << 49, "behind a long hole");
	is(sys(SYS_close, file), 0, "close");
	file = (int)sys(SYS_openat, AT_FDCWD, "/init", O_RDONLY, 0);
	is(sys(SYS_lseek, file, 0, SEEK_DATA), 0, "a file that came with the machine has data");
	is(sys(SYS_lseek, file, 0, SEEK_HOLE), sys(SYS_lseek, file, 0, SEEK_END), "without a hole");
	sys(SYS_close, file);
}

/* ---- pipes' sizes ---- */

static unsigned char stream[1 << 20];

/* Write `size` bytes of a counting stream, whose byte i is i % 251, from byte `from` on. Returns what write does. */
static long write_counted(int pipe, long from, long size)
{
	for (long i = 0; i < size; i++)
		stream[i] = (unsigned char)((from + i) % 251);
	return sys(SYS_write, pipe, stream, size);
}

/* Read `size` bytes. Returns how many of them are those of the stream from byte `from` on. */
static long read_counted(int pipe, long from, long size)
{
	long got = sys(SYS_read, pipe, stream, size), good = 0;

	while (good < got && stream[good] == (unsigned char)((from + good) % 251))
		good++;
	return got < 0 ? got : good;
}

static void test_pipe_sizes(void)
{
	int ends[2];

	is(sys(SYS_pipe2, ends, O_NONBLOCK), 0, "a pipe");
	is(sys(SYS_fcntl, ends[1], F_SETPIPE_SZ, 1), (long)PAGE, "of a page at least");
	is(write_counted(ends[1], 0, 2 * (long)PAGE), (long)PAGE, "which holds no more");
	is(read_counted(ends[0], 0, 1000), 1000, "some is read");
	is(sys(SYS_fcntl, ends[0], F_SETPIPE_SZ, 3 * PAGE), 4 * (long)PAGE, "grown to a power of two");
	is(write_counted(ends[1], (long)PAGE, 3 * (long)PAGE), 3 * (long)PAGE, "it takes three pages more");
	is(sys(SYS_fcntl, ends[0], F_SETPIPE_SZ, 2 * PAGE), -EBUSY, "and cannot shrink below what it has");
	is(read_counted(ends[0], 1000, 5 * (long)PAGE), 4 * (long)PAGE - 1000, "all of which comes out, in order");
	is(sys(SYS_fcntl, ends[0], F_SETPIPE_SZ, 1 << 20), 1 << 20, "1 MiB");
	is(sys(SYS_fcntl, ends[0], F_GETPIPE_SZ), 1 << 20, "is its size then");
	is(write_counted(ends[1], 7, 1 << 20), 1 << 20, "holds 1 MiB");
	is(sys(SYS_write, ends[1], "x", 1), -EAGAIN, "and not a byte more");
	is(read_counted(ends[0], 7, 100000), 100000, "as it was written");
	is(read_counted(ends[0], 100007, 1 << 20), (1 << 20) - 100000, "to the end");
	is(write_counted(ends[1], 0, 100), 100, "some bytes");
	is(sys(SYS_fcntl, ends[0], F_SETPIPE_SZ, PAGE), (long)PAGE, "fit into a page again");
	is(read_counted(ends[0], 0, 1000), 100, "and are there");
	is(sys(SYS_fcntl, ends[0], F_SETPIPE_SZ, (1UL << 31) + 1), -EINVAL, "beyond 2^31 no pipe goes");
	is(sys(SYS_fcntl, 0, F_SETPIPE_SZ, PAGE), -EBADF, "nor what is none");
	sys(SYS_close, ends[0]);
	sys(SYS_close, ends[1]);
}

/* ---- mappings ---- */

static long map(long size, int prot, int flags, int file)
{
	return sys(SYS_mmap, NULL, size, prot, flags, file, 0);
}

static void test_ranges(void)
{
	char *memory = fresh(4 * PAGE, PROT_READ | PROT_WRITE);
	char *none = fresh(PAGE, PROT_NONE);

	is(sys(SYS_mlock, 0, -1L), 0, "mlock of a size that wraps to none");
	is(sys(SYS_mlock, memory, -1L), 0, "wherever it starts");
	is(sys(SYS_mlock, memory + 1, -1L), 0, "inside a page, too");
	is(sys(SYS_mlock, memory, -(long)PAGE), -EINVAL, "mlock of a range that wraps");
	is(sys(SYS_munlock, memory, -(long)PAGE), -EINVAL, "munlock");
	is(sys(SYS_mlock2, memory, -(long)PAGE, 1), -EINVAL, "mlock2 at the first touch");
	is(sys(SYS_mlock, memory, 1L << 46), -ENOMEM, "mlock beyond what is mapped");
	is(sys(SYS_mlock, none, PAGE), -ENOMEM, "mlock of what may not be read");
	sys(SYS_munmap, memory + PAGE, PAGE);
	is(sys(SYS_munlock, memory, 3 * PAGE), -ENOMEM, "munlock over a hole");
	is(sys(SYS_mlock2, memory, 3 * PAGE, 1), -ENOMEM, "mlock2");
	is(sys(SYS_msync, memory, 3 * PAGE, MS_ASYNC), -ENOMEM, "msync");
	is(sys(SYS_mprotect, memory, 3 * PAGE, PROT_READ), -ENOMEM, "mprotect");
	is(in_child(touch_write, memory), KILLED(SIGSEGV), "has changed what lies before it");
	is(in_child(touch_write, memory + 2 * PAGE), EXITED(0), "and not what lies behind");
	is(sys(SYS_mprotect, memory + PAGE, 2 * PAGE, PROT_READ), -ENOMEM, "from a hole on");
	is(in_child(touch_write, memory + 2 * PAGE), EXITED(0), "it changes nothing");
	is(sys(SYS_mremap, memory, PAGE, 1L << 47, MREMAP_MAYMOVE), -ENOMEM, "mremap to more than there are addresses");
	is(sys(SYS_mremap, memory, PAGE, 1L << 47, 0), -ENOMEM, "in place, too");
	is(sys(SYS_mremap, memory, 0, PAGE, MREMAP_MAYMOVE), -EINVAL, "mremap of nothing that is private");
	is(sys(SYS_mremap, 0x10000000, 0, PAGE, MREMAP_MAYMOVE), -EFAULT, "or of what is not there");
}

static void test_mappings(void)
{
	char *shared = (char *)map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1), *again;
	int zero = (int)sys(SYS_openat, AT_FDCWD, "/dev/zero", O_RDWR, 0);
	long low;

	shared[PAGE] = 7;
	again = (char *)sys(SYS_mremap, shared + PAGE, 0, 2 * PAGE, MREMAP_MAYMOVE);
	is(again[0], 7, "mremap of size 0 maps the same once more");
	again[PAGE] = 8;
	is(shared[2 * PAGE], 8, "which both show");
	is(sys(SYS_mremap, shared, 0, PAGE, 0), -ENOMEM, "but not at the place where the other is");
	low = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1);
	is_between(low, PAGE, (1L << 31) - (long)PAGE, "MAP_32BIT");
	is(*(char *)low, 0, "is memory");
	low = map(4L << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1);
	is_between(low, PAGE, (1L << 31) - (4L << 20), "also of large pages");
	again = (char *)map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, zero);
	is(in_child(touch_write, again), EXITED(0), "a shared mapping of /dev/zero");
	is(again[0] != 0, 1, "is shared with a child");
	again = (char *)map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero);
	is(in_child(touch_write, again), EXITED(0), "a private one");
	is(again[0], 0, "is not");
	sys(SYS_close, zero);
}

static void test_advice(void)
{
	char *own = fresh(PAGE, PROT_READ | PROT_WRITE);
	char *shared = (char *)map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	int file = fresh_file();
	char *mapped;

	sys(SYS_ftruncate, file, PAGE);
	mapped = (char *)map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
	is(sys(SYS_madvise, own, PAGE, 8), 0, "MADV_FREE of private memory");
	is(sys(SYS_madvise, shared, PAGE, 8), -EINVAL, "but not of shared");
	is(sys(SYS_madvise, mapped, PAGE, 8), -EINVAL, "nor of a file's");
	is(sys(SYS_madvise, own, PAGE, 25), -EINVAL, "MADV_COLLAPSE of what is no large page");
	sys(SYS_close, file);
}

/* Run this program from a file in memory; if `opens`, the file stays open. */
static int run_memory(void *opens)
{
	char *arguments[] = { (char *)"memory", (char *)"script", NULL }, *environment[] = { NULL }, path[32];
	int from = (int)sys(SYS_openat, AT_FDCWD, "/test/values", O_RDONLY, 0);
	int to = (int)sys(SYS_memfd_create, "values", 0);
	long got;

	/* Mount /proc in case nobody has mounted it yet. */
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	while ((got = sys(SYS_read, from, stream, sizeof(stream))) > 0)
		sys(SYS_write, to, stream, got);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	if (opens)
		sys(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
	return (int)-sys(SYS_execve, path, arguments, environment);
}

static void test_memory_file(void)
{
	is(in_child(run_memory, NULL), EXITED(7), "a file of memfd_create is executed");
	is(in_child(run_memory, (void *)1), EXITED(ETXTBSY), "unless it was opened for writing again");
}

/* ---- calls about files that have no bytes on a disk ---- */

static void test_kinds(void)
{
	int dir = (int)sys(SYS_openat, AT_FDCWD, "/tmp", O_RDONLY, 0);
	int null = (int)sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
	int path = (int)sys(SYS_openat, AT_FDCWD, "/dev/null", O_PATH, 0);
	int epoll = (int)sys(SYS_epoll_create1, 0), file = fresh_file();
	long event[2] = { 0, 0 };

	is(sys(SYS_readahead, dir, 0, 0), -EINVAL, "readahead of a directory");
	is(sys(SYS_readahead, file, 0, 0), 0, "of a file");
	is(sys(SYS_fsync, dir), 0, "fsync of a directory");
	is(sys(SYS_fsync, null), -EINVAL, "of a device");
	is(sys(SYS_fdatasync, null), -EINVAL, "fdatasync");
	is(sys(SYS_fdatasync, file), 0, "of a file");
	is(sys(SYS_fsync, path), -EBADF, "of what is only a place");
	is(sys(SYS_fallocate, file, 0, -1L, 1L), -EINVAL, "fallocate before the start");
	is(sys(SYS_fallocate, file, 0, 0L, 0L), -EINVAL, "and of nothing");
	is(sys(SYS_fallocate, path, 0, -1L, 0L), -EBADF, "in no file");
	is(sys(SYS_epoll_ctl, epoll, 1, path, event), -EBADF, "which cannot be watched, either");
	is(sys(SYS_clock_getres, 11, event), 0, "CLOCK_TAI");
	sys(SYS_close_range, dir, file, 0);
}

/* ---- scripts ---- */

static void write_script(const char *path, const char *line)
{
	int file = (int)sys(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	sys(SYS_write, file, line, strlen(line));
	sys(SYS_close, file);
}

/* Run a script whose interpreter is a script, and so on, `depth` scripts deep. Returns an error of execve's, or 7. */
static int run_scripts(void *depth)
{
	char path[32], line[64], *arguments[] = { path, NULL }, *environment[] = { NULL };

	write_script("/tmp/.script1", "#!/test/values script\n");
	for (long i = 2; i <= (long)depth; i++) {
		snprintf(path, sizeof(path), "/tmp/.script%ld", i);
		snprintf(line, sizeof(line), "#!/tmp/.script%ld\n", i - 1);
		write_script(path, line);
	}
	snprintf(path, sizeof(path), "/tmp/.script%ld", (long)depth);
	return (int)-sys(SYS_execve, path, arguments, environment);
}

static void test_scripts(void)
{
	is(in_child(run_scripts, (void *)1L), EXITED(7), "a script");
	is(in_child(run_scripts, (void *)5L), EXITED(7), "five scripts, each of them the next one's interpreter");
	is(in_child(run_scripts, (void *)6L), EXITED(ELOOP), "six are too many");
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "script"))
		return 7;
	test_sizes();
	test_holes();
	test_pipe_sizes();
	test_ranges();
	test_mappings();
	test_advice();
	test_memory_file();
	test_kinds();
	test_scripts();
	sys(SYS_unlink, NAME);
	return finish();
}
