/* What rows of several rooms make and read: see scale.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/scale/scale.h"

int tasks[MOST_TASKS];

static char buffer[64 << 10];

long must(long result, const char *what)
{
	if (result < 0 && result > -4096)
		failed(what, result);
	return result;
}

void work_open(void)
{
	must(sys(SYS_mount, "tmpfs", "/tmp", "tmpfs", 0, NULL), "mount of tmpfs");
	must(sys(SYS_chdir, "/tmp"), "chdir");
}

void work_close(void)
{
	must(sys(SYS_chdir, "/"), "chdir");
	must(sys(SYS_umount2, "/tmp", MNT_DETACH), "umount of tmpfs");
}

/* The task that clone makes comes out of it with this one's registers and stack, so it must not return from here. */
int spawn(unsigned long flags, int *tid, long call, long a, long b, long c)
{
	register long r10 __asm__("r10") = (long)tid;
	register long r8 __asm__("r8") = 0;
	register long r9 __asm__("r9") = call;
	register long r12 __asm__("r12") = a;
	register long r13 __asm__("r13") = b;
	register long r14 __asm__("r14") = c;
	long result;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n"
			 "2:\tmov %%r9, %%rax\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "mov %%r13, %%rsi\n\t"
			 "mov %%r14, %%rdx\n\t"
			 "xor %%r10d, %%r10d\n\t"
			 "syscall\n\t"
			 "jmp 2b\n"
			 "1:"
			 : "=a"(result)
			 : "0"((long)SYS_clone), "D"(flags), "S"(0L), "d"(0L), "r"(r10), "r"(r8), "r"(r9), "r"(r12),
			   "r"(r13), "r"(r14)
			 : "rcx", "r11", "memory");
	return (int)must(result, "clone");
}

void processes_start_in(unsigned n, unsigned long flags, long call, long a, long b, long c)
{
	for (unsigned i = 0; i < n; i++)
		tasks[i] = spawn(flags, NULL, call, a, b, c);
}

void processes_start(unsigned n)
{
	processes_start_in(n, PROCESS, SYS_pause, 0, 0, 0);
}

void processes_end(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_kill, tasks[i], SIGKILL), "kill");
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_wait4, -1, NULL, __WALL, NULL), "wait4");
}

void threads_start(unsigned n)
{
	processes_start_in(n, THREAD, SYS_pause, 0, 0, 0);
}

long read_once(int fd, unsigned long bytes)
{
	return sys(SYS_pread64, fd, buffer, bytes, 0);
}

long read_all(int fd)
{
	long got, last = 0;

	for (unsigned long at = 0; (got = sys(SYS_pread64, fd, buffer, sizeof(buffer), at)) > 0;
	     at += (unsigned long)got)
		last = got;
	return got < 0 ? got : last;
}

long list_once(int fd, unsigned long bytes)
{
	sys(SYS_lseek, fd, 0, SEEK_SET);
	return sys(SYS_getdents64, fd, buffer, bytes);
}

long list_all(int fd)
{
	long got, all = list_once(fd, sizeof(buffer));

	while (all > 0 && (got = sys(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		all += got;
	return all;
}

int open_file(const char *path)
{
	return (int)must(sys(SYS_open, path, O_RDONLY), path);
}

long read_path(const char *path)
{
	int fd = open_file(path);
	long got = read_once(fd, 4096);

	sys(SYS_close, fd);
	return got;
}

long fork_and_wait(unsigned n, unsigned turn)
{
	long pid = sys(SYS_fork);

	(void)n, (void)turn;
	if (pid == 0)
		sys(SYS_exit_group, 0);
	return pid < 0 ? pid : sys(SYS_wait4, pid, NULL, 0, NULL);
}
