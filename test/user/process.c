/*
 * Tests fork, vfork, clone, execve, wait4, exit, exit_group, getpid, getppid and kill: results, errors, what a child
 * inherits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define WNOHANG_FLAG 1
#define KERNEL       ((void *)(-1UL << 31))
#define MEGABYTE     (1 << 20)

static const char *self; /* this program's path, for execve */
static int pipe_ends[2];

static int exit_with(void *code)
{
	return (int)(long)code;
}

static int raise_signal(void *signal)
{
	sys(SYS_kill, sys(SYS_getpid), signal);
	return 99;
}

static int divide_by_zero(void *zero)
{
	long dividend = 1, rest = 0;

	__asm__ volatile("idivq %2" : "+a"(dividend), "+d"(rest) : "r"(zero));
	return (int)dividend;
}

static int undefined_instruction(void *unused)
{
	(void)unused;
	__builtin_trap();
}

static int privileged_instruction(void *unused)
{
	(void)unused;
	__asm__ volatile("cli");
	return 0;
}

static int breakpoint(void *unused)
{
	(void)unused;
	__asm__ volatile("int3");
	return 0;
}

static void test_status(void)
{
	is(in_child(exit_with, (void *)0), EXITED(0), "a child exits with 0");
	is(in_child(exit_with, (void *)255), EXITED(255), "with 255");
	is(in_child(exit_with, (void *)0x1ff), EXITED(255), "with the low 8 bits of more");
	is(in_child(raise_signal, (void *)SIGTERM), KILLED(SIGTERM), "SIGTERM ends it");
	is(in_child(raise_signal, (void *)SIGKILL), KILLED(SIGKILL), "SIGKILL ends it");
	is(in_child(raise_signal, (void *)SIGCHLD), EXITED(99), "SIGCHLD does not");
	is(in_child(raise_signal, (void *)0), EXITED(99), "signal 0 does not");
	is(in_child(divide_by_zero, (void *)0), KILLED(SIGFPE), "a division by zero ends it with SIGFPE");
	is(in_child(undefined_instruction, NULL), KILLED(SIGILL), "an undefined instruction with SIGILL");
	is(in_child(privileged_instruction, NULL), KILLED(SIGSEGV), "a privileged instruction with SIGSEGV");
	is(in_child(breakpoint, NULL), KILLED(SIGTRAP), "a breakpoint with SIGTRAP");
	is(in_child(touch_read, NULL), KILLED(SIGSEGV), "a read of NULL with SIGSEGV");
	is(in_child(touch_execute, NULL), KILLED(SIGSEGV), "a call of NULL too");
	is(in_child(touch_read, (void *)(1UL << 63)), KILLED(SIGSEGV), "a read of a non-canonical address too");
}

static void test_wait(void)
{
	int status = -1;
	struct rusage usage;
	long child, first, second;

	is(sys(SYS_wait4, -1, &status, 0, 0), -ECHILD, "wait4 without a child");
	is(sys(SYS_wait4, -1, &status, WNOHANG_FLAG, 0), -ECHILD, "wait4(WNOHANG) without a child");
	is(sys(SYS_wait4, 1 << 30, &status, 0, 0), -ECHILD, "wait4 for a process that is none");
	is(sys(SYS_wait4, -1, &status, 0x100, 0), -EINVAL, "wait4 with unknown options");
	if (sys(SYS_pipe2, pipe_ends, 0) != 0)
		bail("pipe2", 0);
	child = fork();
	if (child == 0) {
		char byte;

		close(pipe_ends[1]);
		read(pipe_ends[0], &byte, 1);
		_exit(17);
	}
	is(sys(SYS_wait4, child, &status, WNOHANG_FLAG, 0), 0, "wait4(WNOHANG) for a child that runs");
	is(sys(SYS_kill, child, 0), 0, "kill(child, 0) finds it");
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	is(sys(SYS_wait4, child, &status, 0, &usage), child, "wait4 waits for it");
	is(status, EXITED(17), "and tells its status");
	is(sys(SYS_wait4, child, &status, 0, 0), -ECHILD, "wait4 for it again");
	is(sys(SYS_kill, child, 0), -ESRCH, "kill no longer finds it");

	first = fork();
	if (first == 0)
		_exit(1);
	second = fork();
	if (second == 0)
		_exit(2);
	is(sys(SYS_wait4, second, &status, 0, 0), second, "wait4 for the second of two");
	is(status, EXITED(2), "tells the second's status");
	is(sys(SYS_wait4, -1, &status, 0, 0), first, "wait4 for any finds the first");
	is(status, EXITED(1), "and its status");
	child = fork();
	if (child == 0)
		_exit(3);
	is(sys(SYS_wait4, child, KERNEL, 0, 0), -EFAULT, "wait4 to a kernel address");
	sys(SYS_wait4, child, &status, 0, 0);
	child = fork();
	if (child == 0)
		_exit(3);
	is(sys(SYS_wait4, child, NULL, 0, 0), child, "wait4 without a place for the status");
}

static int tell_parent(void *parent)
{
	return sys(SYS_getppid) == (long)parent && sys(SYS_getpid) != (long)parent;
}

static int exit_process(void *code)
{
	sys(SYS_exit_group, code);
	return 99;
}

static int exit_thread(void *code)
{
	sys(SYS_exit, code);
	return 99;
}

static volatile int shared_with_vfork;

static void test_fork(void)
{
	unsigned char *memory = fresh(8 * MEGABYTE, 3);
	int status = 0, wrong = 0;
	long child;

	is(in_child(tell_parent, (void *)sys(SYS_getpid)), EXITED(1),
	   "a child knows its parent, and has its own number");
	is(in_child(exit_process, (void *)5), EXITED(5), "exit_group");
	is(in_child(exit_thread, (void *)6), EXITED(6), "exit");
	child = sys(SYS_fork);
	if (child == 0)
		sys(SYS_exit_group, 44);
	is(sys(SYS_wait4, child, &status, 0, 0), child, "fork itself");
	is(status, EXITED(44), "makes a child");
	child = sys(SYS_clone, SIGCHLD, 0);
	if (child == 0)
		sys(SYS_exit_group, 45);
	is(sys(SYS_wait4, child, &status, 0, 0), child, "clone with SIGCHLD alone is fork");
	is(status, EXITED(45), "and makes a child");
	child = vfork();
	if (child == 0) {
		shared_with_vfork = 77;
		_exit(3);
	}
	is(shared_with_vfork, 77, "vfork's child writes to its parent's memory");
	is(sys(SYS_wait4, child, &status, 0, 0), child, "and is waited for");
	is(status, EXITED(3), "with its status");

	for (int i = 0; i < 8 * MEGABYTE; i += (int)PAGE)
		memory[i] = (unsigned char)(i >> 12);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 8 * MEGABYTE; i += (int)PAGE) {
			wrong += memory[i] != (unsigned char)(i >> 12);
			memory[i] = 0xee;
		}
		_exit(wrong != 0);
	}
	sys(SYS_wait4, child, &status, 0, 0);
	is(status, EXITED(0), "a child has all of its parent's 8 MiB");
	for (int i = 0; i < 8 * MEGABYTE; i += (int)PAGE)
		wrong += memory[i] != (unsigned char)(i >> 12);
	is(wrong, 0, "and the parent does not see what it writes");
	munmap(memory, 8 * MEGABYTE);
}

/* Check that a grandchild whose parent has ended sees another parent: init. */
static void test_orphan(void)
{
	long report = 0;
	int ends[2], status;
	char byte;
	long child;

	if (sys(SYS_pipe2, ends, 0) != 0 || sys(SYS_pipe2, pipe_ends, 0) != 0)
		bail("pipe2", 0);
	child = fork();
	if (child == 0) {
		if (fork() == 0) {
			close(pipe_ends[1]);
			read(pipe_ends[0], &byte, 1);
			report = sys(SYS_getppid);
			write(ends[1], &report, sizeof(report));
			_exit(0);
		}
		_exit(0);
	}
	sys(SYS_wait4, child, &status, 0, 0);
	close(pipe_ends[1]);
	/* If the orphan could not be made, the read ends at once. */
	close(ends[1]);
	is(sys(SYS_read, ends[0], &report, sizeof(report)), sizeof(report), "an orphan lives on");
	is(report, 1, "and is init's child");
	close(pipe_ends[0]);
	close(ends[0]);
}

/*
 * Check that a sibling made without a signal reports its end with its maker's signal: else a process could leave init
 * children that stay for ever.
 */
static void test_sibling(void)
{
	int status = 0;
	long made, sibling;

	made = fork();
	if (made == 0) {
		sibling = sys(SYS_clone, CLONE_PARENT, 0);
		_exit(sibling < 0);
	}
	sys(SYS_wait4, made, &status, 0, 0);
	is(status, EXITED(0), "clone with CLONE_PARENT and no signal");
	sibling = sys(SYS_wait4, -1, &status, 0, 0);
	is_true(sibling > 0, sibling, "wait4 finds the sibling");
	is(sys(SYS_wait4, -1, &status, __WALL, 0), -ECHILD, "there is no other");
}

static long execute(const char *path)
{
	char *arguments[] = { (char *)path, NULL };
	char *environment[] = { NULL };

	return sys(SYS_execve, path, arguments, environment);
}

static void test_exec_errors(void)
{
	char *good[] = { (char *)"x", NULL }, *bad[] = { KERNEL, NULL };
	static char text[200000];
	char *large[16 + 1] = { 0 };

	is(execute("/no-such-file"), -ENOENT, "execve of no file");
	is(execute("/dev"), -EACCES, "execve of a directory");
	is(execute("/test/.text"), -EACCES, "execve of a file that may not be executed");
	is(execute("/test/.damaged"), -ENOEXEC, "execve of a file that is no program");
	is(execute("/test/.short"), -ENOEXEC, "execve of an ELF header cut short");
	is(execute("/init/file"), -ENOTDIR, "execve below a file");
	is(execute(KERNEL), -EFAULT, "execve of a kernel address");
	is(sys(SYS_execve, self, KERNEL, NULL), -EFAULT, "execve with arguments at a kernel address");
	is(sys(SYS_execve, self, bad, NULL), -EFAULT, "execve with an argument at a kernel address");
	is(sys(SYS_execve, self, good, KERNEL), -EFAULT, "execve with an environment at a kernel address");
	memset(text, 'a', sizeof(text) - 1);
	for (int i = 0; i < 16; i++)
		large[i] = text;
	is(sys(SYS_execve, self, large, NULL), -E2BIG, "execve with arguments of 200,000 bytes");
}

static int execute_self(void *mode)
{
	char *arguments[] = { (char *)self, (char *)"child", mode, (char *)"", (char *)"with spaces", NULL };
	char *environment[] = { (char *)"COLOUR=red", (char *)"EMPTY=", NULL };

	return (int)sys(SYS_execve, self, arguments, environment);
}

/*
 * Run when test_exec() has started the program. Returns the exit status: the number of the first thing that is wrong.
 */
static int run_child(int argc, char **argv)
{
	struct sigaction action;
	extern char **environ;

	if (argc != 5 || strcmp(argv[3], "") != 0 || strcmp(argv[4], "with spaces") != 0 || argv[5])
		return 1;
	if (!environ[0] || strcmp(environ[0], "COLOUR=red") != 0 || strcmp(environ[1], "EMPTY=") != 0 || environ[2])
		return 2;
	if (!strcmp(argv[2], "descriptors"))
		return sys(SYS_read, 60, NULL, 0) == 0 && sys(SYS_read, 61, NULL, 0) == -EBADF ? 0 : 3;
	if (!strcmp(argv[2], "signals")) {
		sigaction(SIGUSR1, NULL, &action);
		if (action.sa_handler != SIG_DFL)
			return 4;
		sigaction(SIGUSR2, NULL, &action);
		return action.sa_handler == SIG_IGN ? 0 : 5;
	}
	if (!strcmp(argv[2], "same"))
		return getenv("COLOUR") && getpid() == atoi("0") ? 6 : 0;
	return 7;
}

static void handle(int signal)
{
	(void)signal;
}

static void test_exec(void)
{
	long file = sys(SYS_openat, AT_FDCWD, "/init", O_RDONLY | O_CLOEXEC, 0), child;
	int status = 0;

	is(in_child(execute_self, (void *)"same"), EXITED(0), "execve hands over arguments and environment");
	dup2((int)file, 60);
	sys(SYS_close, file);
	file = sys(SYS_openat, AT_FDCWD, "/init", O_RDONLY | O_CLOEXEC, 0);
	while (file >= 0 && file < 61) {
		/* Open files until the next free descriptor is 61. */
		long next = sys(SYS_openat, AT_FDCWD, "/init", O_RDONLY | O_CLOEXEC, 0);

		if (next < 0)
			bail("openat", next);
		file = next;
	}
	is(in_child(execute_self, (void *)"descriptors"), EXITED(0),
	   "a dup2 stays open over execve, O_CLOEXEC does not");
	for (int i = 3; i < 62; i++)
		close(i);
	signal(SIGUSR1, handle);
	signal(SIGUSR2, SIG_IGN);
	is(in_child(execute_self, (void *)"signals"), EXITED(0), "execve drops handlers and keeps what is ignored");
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	child = vfork();
	if (child == 0) {
		execute_self((void *)"same");
		_exit(98);
	}
	sys(SYS_wait4, child, &status, 0, 0);
	is(status, EXITED(0), "execve in vfork's child");
	child = sys(SYS_clone, CLONE_VFORK, 0); /* returns once the child runs another program */
	if (child == 0) {
		execute_self((void *)"same");
		_exit(98);
	}
	is(sys(SYS_wait4, child, &status, 0, 0), child, "execve makes any child one that wait4 finds");
	is(in_child(execute_self, (void *)"other"), EXITED(7),
	   "the program that was executed tells a status of its own");
}

static void test_many(void)
{
	long children[40];
	int status, wrong = 0;

	for (int i = 0; i < 40; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(i);
		wrong += children[i] < 0;
	}
	is(wrong, 0, "40 children at once");
	for (int i = 39; i >= 0; i--)
		wrong += sys(SYS_wait4, children[i], &status, 0, 0) != children[i] || status != EXITED(i);
	is(wrong, 0, "each with its status");
	for (int i = 0; i < 200; i++)
		wrong += in_child(exit_with, (void *)(long)i) != EXITED(i);
	is(wrong, 0, "200 one after the other");
}

/* Make a child that ends at once. Returns the child's process ID. */
static long in_child_number(void)
{
	long pid = fork();

	if (pid == 0)
		_exit(0);
	sys(SYS_wait4, pid, NULL, 0, 0);
	return pid;
}

/* Write a number to a file of /proc/sys/kernel. Returns write's result. */
static long set_number(const char *path, const char *value)
{
	long fd = sys(SYS_open, path, O_WRONLY), result = sys(SYS_write, fd, value, strlen(value));

	sys(SYS_close, fd);
	return result;
}

/*
 * Check that a pidfd stands for one process, also when another child has got its process ID. Call while kernel.pid_max
 * leaves few IDs to give.
 */
static void test_number_again(void)
{
	long child = sys(SYS_fork), fd, again = 0;
	siginfo_t info;

	if (!child)
		sys(SYS_exit, 0);
	fd = sys(SYS_pidfd_open, child, 0);
	is(sys(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL), 0, "waitid of a pidfd");
	for (int i = 0; i < 2000; i++) {
		again = sys(SYS_fork);
		if (!again)
			sys(SYS_exit, 0);
		if (again == child || again < 0)
			break;
		sys(SYS_wait4, again, NULL, 0, NULL);
	}
	is(again, child, "another child gets the number");
	is(sys(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL), -ECHILD, "for which the pidfd does not stand");
	is(sys(SYS_waitid, P_PID, child, &info, WEXITED, NULL), 0, "it is waited for by its number");
	sys(SYS_close, fd);
}

/* Check that process IDs begin anew below kernel.pid_max when it is set to a little above the current ones. */
static void test_numbers(void)
{
	static const char path[] = "/proc/sys/kernel/pid_max";
	char before[32] = "", least[32];
	long fd, first, pid, above = 0, wrapped = 0, last = 0;

	/*
	 * Mount /proc only if it is missing: Linux mounts nothing by itself, and a second mount would lie on top of the
	 * first.
	 */
	if (sys(SYS_access, path, F_OK) != 0) {
		mkdir("/proc", 0755);
		sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	}
	fd = sys(SYS_open, path, O_RDONLY);
	is_true(sys(SYS_read, fd, before, sizeof(before) - 1) > 0, fd, "kernel.pid_max can be read");
	sys(SYS_close, fd);
	is(set_number(path, "300\n"), -EINVAL, "it is no less than 301");
	is(set_number(path, "4194305\n"), -EINVAL, "and no more than 4194304");
	first = in_child_number();
	snprintf(least, sizeof(least), "%ld\n", first < 400 ? 500 : first + 100);
	is(set_number(path, least), (long)strlen(least), "it can be set");
	for (int i = 0; i < 250; i++) {
		pid = in_child_number();
		above += pid >= atol(least);
		wrapped += pid < last;
		last = pid;
	}
	is(above, 0, "no process has a number above it");
	is_true(wrapped >= 1, wrapped, "at the end the numbers begin anew");
	test_number_again();
	is(set_number(path, before), (long)strlen(before), "it can be set to what it was");
}

static void test_kill(void)
{
	is(sys(SYS_kill, 1 << 30, SIGTERM), -ESRCH, "kill of a process that is none");
	is(sys(SYS_kill, sys(SYS_getpid), 99), -EINVAL, "kill with a signal that is none");
	is(sys(SYS_kill, sys(SYS_getpid), -1), -EINVAL, "kill with signal -1");
	is(sys(SYS_clone, CLONE_THREAD | SIGCHLD, 0), -EINVAL, "clone of a thread with memory of its own");
	is(sys(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0), -EINVAL, "clone with common handlers and memory of its own");
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && !strcmp(argv[1], "child"))
		return run_child(argc, argv);
	test_status();
	test_wait();
	test_fork();
	test_orphan();
	test_sibling();
	test_exec_errors();
	test_exec();
	test_many();
	test_numbers();
	test_kill();
	return finish();
}
