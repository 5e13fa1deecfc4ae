/*
 * Tests fcntl's record locks, flock, RLIMIT_FSIZE, preadv2 and pwritev2, utimes, and calls that only advise.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define NAME "/tmp/.locks"

static int fresh_file(void)
{
	sys(SYS_unlink, NAME);
	return (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDWR | O_CREAT, 0600);
}

static long lock(int fd, int command, int type, long start, long size)
{
	struct flock range = { .l_type = (short)type, .l_start = start, .l_len = size };

	return sys(SYS_fcntl, fd, command, &range);
}

struct attempt {
	int command, type;
	long start, size;
};

/* Try to lock, in a child. Returns 0 or the error. */
static int attempt(void *argument)
{
	const struct attempt *a = argument;
	int fd = (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDWR);

	return (int)-lock(fd, a->command, a->type, a->start, a->size);
}

static int other(int type, long start, long size)
{
	struct attempt a = { F_SETLK, type, start, size };

	return in_child(attempt, &a);
}

static void test_records(void)
{
	int fd = fresh_file(), copy;

	is(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0, "a write lock");
	is(lock(fd, F_SETLK, F_WRLCK, 12, 2), 0, "is no obstacle to its owner");
	is(other(F_WRLCK, 10, 10), EXITED(EAGAIN), "but to another");
	is(other(F_RDLCK, 19, 1), EXITED(EAGAIN), "who would read, too");
	is(other(F_RDLCK, 20, 1), EXITED(0), "just behind it he may");
	is(other(F_RDLCK, 0, 10), EXITED(0), "and before it");
	is(other(F_RDLCK, 0, 0), EXITED(EAGAIN), "all of the file he may not");
	is(lock(fd, F_SETLK, F_UNLCK, 13, 2), 0, "a piece is given back");
	is(other(F_WRLCK, 13, 2), EXITED(0), "and can be had");
	is(other(F_WRLCK, 12, 1), EXITED(EAGAIN), "what is before it not");
	is(other(F_WRLCK, 15, 1), EXITED(EAGAIN), "nor what is behind it");
	is(lock(fd, F_SETLK, F_RDLCK, 0, 0), 0, "a read lock in its place");
	is(other(F_RDLCK, 0, 0), EXITED(0), "lets others read");
	is(other(F_WRLCK, 1000, 1), EXITED(EAGAIN), "and not write");
	copy = (int)sys(SYS_dup, fd);
	close(copy);
	is(other(F_WRLCK, 0, 0), EXITED(0), "a close of any descriptor ends them");
	is(lock(fd, F_SETLK, 7, 0, 0), -EINVAL, "a type that is none");
	is(lock(fd, F_SETLK, F_RDLCK, -1, 1), -EINVAL, "a range before the file");
	is(sys(SYS_fcntl, fd, F_SETLK, 8), -EFAULT, "a structure that is not there");
	close(fd);
	is(lock(fd, F_SETLK, F_RDLCK, 0, 1), -EBADF, "no file");
	fd = (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDONLY);
	is(lock(fd, F_SETLK, F_WRLCK, 0, 1), -EBADF, "a write lock needs a file that can be written");
	close(fd);
}

static int ask(void *argument)
{
	struct flock range = { .l_type = F_WRLCK, .l_len = 100 };
	int fd = (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDWR);

	if (sys(SYS_fcntl, fd, F_GETLK, &range) != 0)
		return 1;
	if (range.l_type != F_WRLCK || range.l_start != 5 || range.l_len != 6 || range.l_whence != SEEK_SET)
		return 2;
	return range.l_pid != *(pid_t *)argument;
}

static void test_asking_and_waiting(void)
{
	struct attempt wait = { F_SETLKW, F_WRLCK, 0, 0 };
	struct flock range = { .l_type = F_WRLCK, .l_start = 3, .l_len = 4 };
	pid_t self = getpid(), child;
	int fd = fresh_file(), status = -1;

	is(sys(SYS_fcntl, fd, F_GETLK, &range), 0, "F_GETLK");
	is(range.l_type, F_UNLCK, "finds nothing in the way");
	lock(fd, F_SETLK, F_WRLCK, 5, 6);
	is(in_child(ask, &self), EXITED(0), "another finds who is, and where");
	child = fork();
	if (!child)
		_exit(attempt(&wait));
	usleep(20000);
	is(sys(SYS_wait4, child, &status, WNOHANG, NULL), 0, "F_SETLKW waits");
	lock(fd, F_SETLK, F_UNLCK, 0, 0);
	is(sys(SYS_wait4, child, &status, 0, NULL), child, "until the lock has gone");
	is(status, 0, "and then has it");
	close(fd);
}

/*
 * Check in a child that F_GETLK of the whole file, or of the range of `wanted`, finds the lock `argument`. Returns 0 if
 * so.
 */
static int finds(void *argument)
{
	const struct flock *expected = argument;
	struct flock range = { .l_type = F_WRLCK };
	int fd = (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDWR);

	if (sys(SYS_fcntl, fd, F_GETLK, &range) != 0)
		return 1;
	return range.l_type != expected->l_type || range.l_start != expected->l_start || range.l_len != expected->l_len;
}

static int found(int type, long start, long size)
{
	struct flock expected = { .l_type = (short)type, .l_start = start, .l_len = size };

	return in_child(finds, &expected);
}

static void test_order_and_merging(void)
{
	int fd = fresh_file();
	long end = 0x7fffffffffffffff;

	lock(fd, F_SETLK, F_WRLCK, 10, 10);
	lock(fd, F_SETLK, F_RDLCK, 13, 5);
	is(found(F_WRLCK, 10, 3), EXITED(0), "F_GETLK finds the lock that starts first");
	lock(fd, F_SETLK, F_WRLCK, 5, 2);
	is(found(F_WRLCK, 5, 2), EXITED(0), "though it was taken last");
	lock(fd, F_SETLK, F_WRLCK, 7, 3);
	is(found(F_WRLCK, 5, 8), EXITED(0), "locks of one type that touch are one");
	lock(fd, F_SETLK, F_WRLCK, 6, 2);
	is(found(F_WRLCK, 5, 8), EXITED(0), "and one inside changes nothing");
	is(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0, "all of the file");
	is(found(F_WRLCK, 0, 0), EXITED(0), "is one");
	is(lock(fd, F_SETLK, F_UNLCK, 0, end), 0, "up to the last byte that there can be");
	is(found(F_WRLCK, end, 0), EXITED(0), "which alone stays");
	is(lock(fd, F_SETLK, F_UNLCK, end, 1), 0, "and that one");
	is(found(F_UNLCK, 0, 0), EXITED(0), "so nothing is left");
	is(lock(fd, F_SETLK, F_WRLCK, end, 2), -EOVERFLOW, "a range beyond it");
	is(lock(fd, F_SETLK, F_WRLCK, -5, 10), -EINVAL, "a range that starts before the file");
	is(lock(fd, F_SETLK, F_WRLCK, 5, -5), 0, "five bytes before the fifth");
	is(found(F_WRLCK, 0, 5), EXITED(0), "are the first five");
	is(lock(fd, F_SETLK, F_WRLCK, 5, -6), -EINVAL, "and six are too many");
	close(fd);
}

/* Lock byte 1 in a child, then wait for byte 0. */
static int wait_in_circle(void *argument)
{
	int fd = (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDWR);
	const int *ready = argument;

	if (lock(fd, F_SETLK, F_WRLCK, 1, 1) != 0)
		return 1;
	sys(SYS_write, ready[1], "", 1);
	return (int)-lock(fd, F_SETLKW, F_WRLCK, 0, 1);
}

/*
 * Check two processes that would wait for each other: the second to wait gets an error, and the first gets its lock
 * when the second releases its own.
 */
static void test_deadlock(void)
{
	int fd = fresh_file(), ready[2], status = -1;
	struct attempt attempt_one = { F_SETLK, F_WRLCK, 1, 1 };
	pid_t child;
	char byte;
	long result;

	sys(SYS_pipe2, ready, 0);
	lock(fd, F_SETLK, F_WRLCK, 0, 1);
	child = fork();
	if (!child)
		_exit(wait_in_circle(ready));
	sys(SYS_read, ready[0], &byte, 1);
	result = lock(fd, F_SETLKW, F_WRLCK, 1, 1);
	lock(fd, F_SETLK, F_UNLCK, 0, 1);
	sys(SYS_wait4, child, &status, 0, NULL);
	is_true((result == -EDEADLK) != (status == EXITED(EDEADLK)), result, "one of two that wait for each other");
	is_true(result == 0 || status == EXITED(0), status, "and the other has its lock");
	is(in_child(attempt, &attempt_one), EXITED(result == 0 ? EAGAIN : 0), "nothing is left of the circle");
	close(ready[0]);
	close(ready[1]);
	close(fd);
}

static void *wait_for_lock(void *argument)
{
	return (void *)lock(*(int *)argument, F_SETLKW, F_WRLCK, 0, 0);
}

/*
 * Close a descriptor by which another thread waits for a lock. Returns 0 when that thread's call has ended with EBADF.
 */
static int close_under_waiter(void *argument)
{
	const int *let_go = argument;
	int fd = (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDWR);
	pthread_t thread;
	void *result;

	if (pthread_create(&thread, NULL, wait_for_lock, &fd) != 0)
		return 1;
	usleep(20000);
	close(fd);
	if (sys(SYS_write, *let_go, "", 1) != 1 || pthread_join(thread, &result) != 0)
		return 2;
	return (long)result == -EBADF ? 0 : 3;
}

static void test_closed_meanwhile(void)
{
	int fd = fresh_file(), status = -1, ends[2];
	pid_t child;
	char byte;

	sys(SYS_pipe2, ends, 0);
	lock(fd, F_SETLK, F_WRLCK, 0, 0);
	child = fork();
	if (!child)
		_exit(close_under_waiter(&ends[1]));
	is(sys(SYS_read, ends[0], &byte, 1), 1, "a descriptor is closed while a lock is waited for");
	lock(fd, F_SETLK, F_UNLCK, 0, 0);
	is(sys(SYS_wait4, child, &status, 0, NULL), child, "the lock can be had");
	is(status, EXITED(0), "and the waiter hears that its descriptor has gone");
	is(other(F_WRLCK, 0, 0), EXITED(0), "it does not keep the lock");
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static int try_flock(void *argument)
{
	int fd = (int)sys(SYS_openat, AT_FDCWD, NAME, O_RDONLY);

	return (int)-sys(SYS_flock, fd, *(int *)argument | LOCK_NB);
}

static void test_flock(void)
{
	int fd = fresh_file(), shared = LOCK_SH, exclusive = LOCK_EX, copy;

	is(sys(SYS_flock, fd, LOCK_SH), 0, "a shared lock");
	is(in_child(try_flock, &shared), EXITED(0), "others share it");
	is(in_child(try_flock, &exclusive), EXITED(EAGAIN), "none has it alone");
	is(sys(SYS_flock, fd, LOCK_EX), 0, "its owner can");
	is(in_child(try_flock, &shared), EXITED(EAGAIN), "then none shares it");
	is(other(F_WRLCK, 0, 0), EXITED(0), "a record lock is another thing");
	copy = (int)sys(SYS_dup, fd);
	close(fd);
	is(in_child(try_flock, &shared), EXITED(EAGAIN), "it is the file's, not the descriptor's");
	is(sys(SYS_flock, copy, LOCK_UN), 0, "given back");
	is(in_child(try_flock, &exclusive), EXITED(0), "it can be had");
	sys(SYS_flock, copy, LOCK_EX);
	close(copy);
	is(in_child(try_flock, &exclusive), EXITED(0), "and it ends with the file");
	is(sys(SYS_flock, 99, LOCK_SH), -EBADF, "no file");
	is(sys(SYS_flock, 0, 16), -EINVAL, "an operation that is none");
}

static int write_beyond(void *argument)
{
	struct rlimit limit = { 100, 100 };
	char bytes[80] = { 0 };
	int fd = fresh_file();

	if (argument)
		signal(SIGXFSZ, SIG_IGN);
	if (sys(SYS_setrlimit, RLIMIT_FSIZE, &limit) != 0 || sys(SYS_write, fd, bytes, 80) != 80)
		return 1;
	if (sys(SYS_write, fd, bytes, 80) != 20)
		return 2;
	if (sys(SYS_pwrite64, fd, bytes, 80, 50) != 50)
		return 3;
	if (sys(SYS_ftruncate, fd, 100) != 0 || sys(SYS_write, fd, bytes, 0) != 0)
		return 4;
	if (argument && sys(SYS_ftruncate, fd, 101) != -EFBIG)
		return 5;
	if (argument && sys(SYS_truncate, NAME, 101) != -EFBIG)
		return 6;
	return sys(SYS_write, fd, bytes, 1) == -EFBIG ? 0 : 7;
}

static void test_size_limit(void)
{
	int status = in_child(write_beyond, NULL) & 0x7f;

	is(in_child(write_beyond, &status), EXITED(0), "RLIMIT_FSIZE ends writes");
	is(status, SIGXFSZ, "and sends SIGXFSZ");
}

static void test_vectors(void)
{
	struct iovec pieces[2] = { { "abc", 3 }, { "defg", 4 } };
	char bytes[8] = "";
	struct iovec all = { bytes, 7 };
	int fd = fresh_file();

	is(sys(SYS_pwritev2, fd, pieces, 2, -1L, -1L, 0), 7, "pwritev2 at the file's offset");
	is(sys(SYS_lseek, fd, 0, SEEK_CUR), 7, "moves it");
	is(sys(SYS_pwritev2, fd, pieces, 1, 4L, 0L, 0), 3, "at an offset");
	is(sys(SYS_lseek, fd, 0, SEEK_CUR), 7, "it does not");
	is(sys(SYS_preadv2, fd, &all, 1, 0L, 0L, 0), 7, "preadv2");
	is_text(bytes, "abcdabc", "reads both");
	is(sys(SYS_preadv2, fd, &all, 1, 0L, 0L, 1 << 30), -EOPNOTSUPP, "a flag that is none");
	close(fd);
}

static void test_times(void)
{
	struct timeval times[2] = { { 1000, 5 }, { 2000, 6 } };
	long seconds[2] = { 3000, 4000 };
	struct stat stat;
	int fd = fresh_file();

	is(sys(SYS_utimes, NAME, times), 0, "utimes");
	sys(SYS_fstat, fd, &stat);
	is(stat.st_mtim.tv_sec * 1000000 + stat.st_mtim.tv_nsec, 2000006000, "sets seconds and microseconds");
	is(sys(SYS_utime, NAME, seconds), 0, "utime");
	sys(SYS_fstat, fd, &stat);
	is(stat.st_atim.tv_sec + stat.st_mtim.tv_sec, 7000, "sets seconds");
	is(sys(SYS_futimesat, AT_FDCWD, NAME, NULL), 0, "futimesat with none");
	sys(SYS_fstat, fd, &stat);
	is_true(stat.st_mtim.tv_sec > 1577836800, stat.st_mtim.tv_sec, "means now");
	times[1].tv_usec = 1000000;
	is(sys(SYS_utimes, NAME, times), -EINVAL, "a second of microseconds");
	is(sys(SYS_utimes, "/nosuch", NULL), -ENOENT, "no such file");
	is(sys(SYS_fadvise64, fd, 0, 0, 3), 0, "fadvise64");
	is(sys(SYS_fadvise64, fd, 0, 0, 33), -EINVAL, "with advice that is none");
	is(sys(SYS_syncfs, fd) + sys(SYS_readahead, fd, 0, 1), 0, "syncfs and readahead");
	is(sys(SYS_syncfs, 99), -EBADF, "of no file");
	close(fd);
	sys(SYS_unlink, NAME);
}

/* Execute a program in a child. Returns execve's error. */
static int run(void *path)
{
	char *argv[] = { path, NULL };

	return (int)-sys(SYS_execve, path, argv, argv + 1);
}

/* Check that a program that runs cannot be written, and that a file open for writing cannot be run. */
static void test_programs(void)
{
	int fd = fresh_file();

	sys(SYS_fchmod, fd, 0700);
	is(sys(SYS_write, fd, "#!/nosuch", 9), 9, "a script");
	is(in_child(run, NAME), EXITED(ETXTBSY), "is not run while somebody may write it");
	close(fd);
	is(in_child(run, NAME), EXITED(ENOENT), "and is afterwards");
	fd = (int)sys(SYS_openat, AT_FDCWD, "/test/locks", O_RDONLY);
	is_true(fd > 2, fd, "the program that runs can be read");
	close(fd);
	is(sys(SYS_openat, AT_FDCWD, "/test/locks", O_RDWR), -ETXTBSY, "but not written");
	is(sys(SYS_openat, AT_FDCWD, "/test/locks", O_WRONLY | O_APPEND), -ETXTBSY, "nor only written");
	is(sys(SYS_openat, AT_FDCWD, "/test/locks", O_RDONLY | O_TRUNC), -ETXTBSY, "nor emptied");
	is(sys(SYS_truncate, "/test/locks", 1), -ETXTBSY, "nor made shorter");
	is(sys(SYS_unlink, NAME), 0, "a file can be unlinked all the same");
}

/* Make a memfd with a minimal program, which only pauses. */
static int pausing_program(void)
{
	static const unsigned char code[] = { 0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7 }; /* pause(2) in a loop */
	const Elf64_Ehdr header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
				    .e_type = ET_EXEC,
				    .e_machine = EM_X86_64,
				    .e_version = EV_CURRENT,
				    .e_entry = 0x400000 + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
				    .e_phoff = sizeof(Elf64_Ehdr),
				    .e_ehsize = sizeof(Elf64_Ehdr),
				    .e_phentsize = sizeof(Elf64_Phdr),
				    .e_phnum = 1 };
	const Elf64_Phdr segment = { .p_type = PT_LOAD,
				     .p_flags = PF_R | PF_X,
				     .p_vaddr = 0x400000,
				     .p_filesz = sizeof(header) + sizeof(segment) + sizeof(code),
				     .p_memsz = sizeof(header) + sizeof(segment) + sizeof(code),
				     .p_align = PAGE };
	int fd = (int)sys(SYS_memfd_create, "pauses", 1 /* MFD_CLOEXEC */);

	sys(SYS_write, fd, &header, sizeof(header));
	sys(SYS_write, fd, &segment, sizeof(segment));
	sys(SYS_write, fd, code, sizeof(code));
	return fd;
}

/* Check that a memfd may run although it is open. Only those who have it open can change its size. */
static void test_running_memfd(void)
{
	char path[64], name[16] = "";
	int fd = pausing_program(), child, comm;

	/* Linux has no /proc yet when this program is its first one. */
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	child = fork();
	if (child == 0)
		_exit(run(path));
	snprintf(path, sizeof(path), "/proc/%d/comm", child);
	/* The program's name becomes the last part of its path, the descriptor's number. */
	for (int i = 0; i < 5000 && !isdigit(name[0]); i++) {
		usleep(1000);
		comm = (int)sys(SYS_open, path, O_RDONLY);
		sys(SYS_read, comm, name, sizeof(name));
		sys(SYS_close, comm);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	is(sys(SYS_truncate, path, 2 * PAGE), -ETXTBSY, "a memfd that runs is not made longer by its path");
	is(sys(SYS_ftruncate, fd, 2 * PAGE), 0, "but by its descriptor");
	sys(SYS_kill, child, SIGKILL);
	sys(SYS_wait4, child, NULL, 0, NULL);
	is(sys(SYS_truncate, path, PAGE), 0, "both when it has ended");
	sys(SYS_close, fd);
}

/* Map the first page of the script NAME through a descriptor with these flags, and close the descriptor. */
static char *map_script(int flags, int prot, int kind)
{
	int fd = (int)sys(SYS_openat, AT_FDCWD, NAME, flags);
	long at = sys(SYS_mmap, 0, PAGE, prot, kind, fd, 0);

	is_true(at > 0, at, "a mapping of a script");
	sys(SYS_close, fd);
	return (char *)at;
}

/*
 * Check that a mapping keeps its open file, and so the file counts as open for writing, whatever rights the mapping
 * has.
 */
static void test_mapped_programs(void)
{
	int fd = fresh_file();
	char *at, *moved;

	sys(SYS_fchmod, fd, 0700);
	sys(SYS_write, fd, "#!/nosuch", 9);
	sys(SYS_close, fd);
	at = map_script(O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED);
	is(in_child(run, NAME), EXITED(ETXTBSY), "is not run while it can be written through a mapping");
	is(sys(SYS_mprotect, at, PAGE, PROT_READ), 0, "whose right is taken");
	is(in_child(run, NAME), EXITED(ETXTBSY), "and can be had again");
	moved = (char *)sys(SYS_mremap, at, 0, PAGE, 1 /* MREMAP_MAYMOVE */);
	sys(SYS_munmap, at, PAGE);
	is(in_child(run, NAME), EXITED(ETXTBSY), "nor while there is a second one");
	sys(SYS_munmap, moved, PAGE);
	is(in_child(run, NAME), EXITED(ENOENT), "but when all are gone, those of children too");
	at = map_script(O_RDWR, PROT_READ, MAP_PRIVATE);
	is(in_child(run, NAME), EXITED(ETXTBSY), "a private one keeps the file open as well");
	sys(SYS_munmap, at, PAGE);
	at = map_script(O_RDONLY, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	is(in_child(run, NAME), EXITED(ENOENT), "one of a file that is only read hinders nobody");
	sys(SYS_munmap, at, PAGE);
	sys(SYS_unlink, NAME);
}

int main(void)
{
	test_records();
	test_asking_and_waiting();
	test_order_and_merging();
	test_deadlock();
	test_closed_meanwhile();
	test_flock();
	test_size_limit();
	test_vectors();
	test_times();
	test_programs();
	test_running_memfd();
	test_mapped_programs();
	return finish();
}
