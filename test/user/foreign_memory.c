/*
 * Tests access to the memory of other processes: process_vm_readv, process_vm_writev, /proc/PID/mem, auxv and syscall.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define READV  310
#define WRITEV 311
#define LARGE  (64 * PAGE)

/* Memory that the child shares, or gets a copy of by fork. */
static volatile char *shared;
static char *large;
static const char fixed[PAGE] __attribute__((aligned(4096))) = "constant";

/* Make a child that waits until its pipe is closed, and then exits with `code` plus the first byte of `large`. */
static pid_t waiting_child(int *ret_end)
{
	int ends[2];
	pid_t child;
	char byte;

	if (pipe(ends) != 0)
		bail("pipe", errno);
	child = fork();
	if (!child) {
		close(ends[1]);
		shared[0] = 1;
		while (read(ends[0], &byte, 1) < 0)
			;
		_exit(large[5] + *(const volatile char *)fixed);
	}
	close(ends[0]);
	*ret_end = ends[1];
	while (!shared[0])
		usleep(1000);
	shared[0] = 0;
	return child;
}

static long move(long call, pid_t pid, void *here, size_t here_size, void *there, size_t there_size)
{
	struct iovec local = { here, here_size }, remote = { there, there_size };

	return sys(call, pid, &local, 1, &remote, 1, 0);
}

static void test_calls(void)
{
	static char mine[LARGE];
	struct iovec local[2] = { { mine, 3 }, { mine + 8, 5 } }, remote[3];
	int end, status;
	pid_t child;

	memset(large, 'a', LARGE);
	child = waiting_child(&end);
	memset(large, 'b', LARGE);
	is(move(READV, child, mine, LARGE, large, LARGE), LARGE, "all of the child's memory");
	is(mine[0] == 'a' && mine[LARGE - 1] == 'a', 1, "which is the child's own");
	is(move(READV, child, mine, 10, large, 4), 4, "less remote than local");
	is(move(READV, child, mine, 4, large, 10), 4, "less local than remote");
	is(move(READV, child, mine, 0, large, 10), 0, "nothing local");
	is(move(READV, child, mine, 2 * PAGE, large + LARGE - PAGE, 2 * PAGE), PAGE, "up to a page without rights");
	is(move(READV, child, mine, 8, (void *)8, 8), -EFAULT, "from where nothing is");
	is(move(READV, child, (void *)8, 8, large, 8), -EFAULT, "to where nothing is");
	remote[0] = (struct iovec){ large, 1 };
	remote[1] = (struct iovec){ (void *)8, 0 };
	remote[2] = (struct iovec){ large + 1, 20 };
	is(sys(READV, child, local, 2, remote, 3, 0), 8, "pieces");
	memcpy(mine, "xyzw....12345", 13);
	is(sys(WRITEV, child, local, 2, remote, 3, 0), 8, "pieces are written");
	is(move(READV, child, mine, 9, large, 9), 9, "and read");
	is(memcmp(mine, "xyz12345a", 9), 0, "in order");
	is(move(WRITEV, child, mine, 1, (void *)fixed, 1), -EFAULT, "to constants");
	is(sys(READV, child, local, 1, remote, 1, 1), -EINVAL, "flags");
	is(sys(READV, child, local, 1025, remote, 1, 0), -EINVAL, "too many local pieces");
	is(sys(READV, child, local, 1, remote, 1025, 0), -EINVAL, "too many remote pieces");
	is(move(READV, 0x3fffff, mine, 1, large, 1), -ESRCH, "of a process that is not there");
	is(move(READV, getpid(), mine, 5, large, 5), 5, "one's own");
	is(mine[0], 'b', "memory");
	close(end);
	waitpid(child, &status, 0);
	is(WEXITSTATUS(status), (unsigned char)('3' + 'c'), "the child has seen what was written");
	is(move(READV, child, mine, 1, large, 1), -ESRCH, "of a child that has ended");
}

static int try_as_other(void *pid)
{
	char byte;
	char path[32];

	if (setgid(1000) != 0 || setuid(1000) != 0)
		return 100;
	snprintf(path, sizeof(path), "/proc/%d/mem", *(pid_t *)pid);
	return move(READV, *(pid_t *)pid, &byte, 1, large, 1) == -EPERM && sys(SYS_open, path, O_RDONLY) == -EACCES;
}

static void test_mem(void)
{
	int end, fd, status;
	char path[32], bytes[64];
	pid_t child = waiting_child(&end);

	is(in_child(try_as_other, &child), EXITED(1), "another user's process is refused");
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	fd = open(path, O_RDWR);
	is_true(fd >= 0, fd, "mem opens");
	is(sys(SYS_pread64, fd, bytes, 8, fixed), 8, "a read");
	is(memcmp(bytes, "constant", 8), 0, "of constants");
	is(sys(SYS_pwrite64, fd, "CON", 3, fixed), 3, "a write to constants");
	is(fixed[0], 'c', "which changes one's own not");
	is(sys(SYS_pread64, fd, bytes, 8, fixed), 8, "and reads back");
	is(memcmp(bytes, "CONstant", 8), 0, "as written");
	is(sys(SYS_lseek, fd, fixed + 3, SEEK_SET), (long)(fixed + 3), "a seek");
	is(sys(SYS_read, fd, bytes, 4), 4, "a read there");
	is(memcmp(bytes, "stan", 4), 0, "of what is there");
	is(sys(SYS_lseek, fd, 1, SEEK_CUR), (long)(fixed + 8), "a seek from there");
	is(sys(SYS_lseek, fd, 0, SEEK_END), -EINVAL, "there is no end");
	is(sys(SYS_pread64, fd, bytes, 8, 8), -EIO, "nothing is mapped there");
	is(sys(SYS_pwrite64, fd, bytes, 8, 8), -EIO, "nor can it be written");
	/* The code of a function, written and restored: no page of it is writable. */
	is(sys(SYS_pread64, fd, bytes, 8, test_calls), 8, "code is read");
	is(sys(SYS_pwrite64, fd, bytes, 8, test_calls), 8, "and written");
	snprintf(path, sizeof(path), "/proc/%d/syscall", child);
	{
		int other = open(path, O_RDONLY);
		long got = read(other, bytes, sizeof(bytes) - 1);

		bytes[got > 0 ? got : 0] = 0;
		is(strncmp(bytes, "0 0x", 4), 0, "the child is in read");
		close(other);
	}
	snprintf(path, sizeof(path), "/proc/%d/auxv", child);
	{
		unsigned long words[2] = { 0 }, page = 0;
		int other = open(path, O_RDONLY);

		while (read(other, words, sizeof(words)) == sizeof(words) && words[0])
			if (words[0] == 6)
				page = words[1];
		is((long)page, PAGE, "the page size in auxv");
		is((long)words[0], 0, "whose last type is 0");
		close(other);
	}
	close(end);
	waitpid(child, &status, 0);
	is(WEXITSTATUS(status), (unsigned char)('b' + 'C'), "the child has seen the write");
	is(sys(SYS_pread64, fd, bytes, 8, fixed), 0, "after its end nothing is read");
	close(fd);
}

int main(void)
{
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	large = mmap(NULL, LARGE + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(large + LARGE, PAGE, PROT_NONE);
	test_calls();
	test_mem();
	umount("/proc");
	return finish();
}
