/*
 * Tests setsid, getsid, setpgid and getpgid; what waitid and SIGCHLD tell about stopped and continued children; and
 * orphaned process groups.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define COUNTERS 3
#define STOPS    40

static const char *self; /* this program's path, for execve */
static int ends[2];      /* a pipe by which children tell something */

static int new_session(void *unused)
{
	long pid;

	(void)unused;
	if (sys(SYS_setsid) != (pid = sys(SYS_getpid)))
		return 1;
	if (sys(SYS_getsid, 0) != pid || sys(SYS_getpgid, 0) != pid || sys(SYS_getpgrp) != pid)
		return 2;
	if (sys(SYS_setsid) != -EPERM)
		return 3;
	/* A session's leader must stay in its group. */
	if (sys(SYS_setpgid, 0, 0) != -EPERM)
		return 4;
	if (access("/dev/tty", F_OK) == 0 && sys(SYS_openat, AT_FDCWD, "/dev/tty", O_RDWR) != -ENXIO)
		return 5;
	return 0;
}

static int group_leader(void *unused)
{
	(void)unused;
	if (sys(SYS_setpgid, 0, 0) != 0)
		return 1;
	return sys(SYS_setsid) == -EPERM ? 0 : 2;
}

/* Make a child that waits to be ended. */
static pid_t sleeper(bool session)
{
	pid_t pid = fork();

	if (pid < 0)
		bail("fork", -errno);
	if (pid)
		return pid;
	if (session)
		setsid();
	if (session && write(ends[1], "s", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static char told(void)
{
	char byte = 0;

	return read(ends[0], &byte, 1) == 1 ? byte : 0;
}

static void check_groups(void)
{
	pid_t child = sleeper(false), other;

	is(sys(SYS_setpgid, child, child), 0, "setpgid makes a child's group");
	is(sys(SYS_getpgid, child), child, "getpgid tells of it");
	is(sys(SYS_setpgid, child, -1), -EINVAL, "setpgid: a negative group");
	is(sys(SYS_setpgid, child, 0x3fffffff), -EPERM, "setpgid: no such group");
	is(sys(SYS_setpgid, sys(SYS_getppid), 0), -ESRCH, "setpgid: not a child");
	is(sys(SYS_getpgid, 0x3fffffff), -ESRCH, "getpgid: no such process");
	is(sys(SYS_getsid, 0x3fffffff), -ESRCH, "getsid: no such process");
	other = sleeper(true);
	told();
	is(sys(SYS_setpgid, other, child), -EPERM, "setpgid: a child in another session");
	is(sys(SYS_getsid, other), other, "getsid of another session");
	end(other);
	end(child);
	is(in_child(new_session, NULL), EXITED(0), "a new session");
	is(in_child(group_leader, NULL), EXITED(0), "setsid: a group's leader");
}

static void check_exec(void)
{
	int gone[2];
	char byte;
	pid_t child;

	if (pipe2(gone, O_CLOEXEC) != 0)
		bail("pipe2", -errno);
	child = fork();
	if (child == 0) {
		execl(self, self, "wait", NULL);
		_exit(1);
	}
	close(gone[1]);
	/* The pipe's other end closes when the child has its new program. */
	is(read(gone[0], &byte, 1), 0, "exec closes the pipe");
	is(sys(SYS_setpgid, child, child), -EACCES, "setpgid: a child that has executed a program");
	close(gone[0]);
	end(child);
}

static volatile int last_code, last_status;

static void note_child(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	last_code = info->si_code;
	last_status = info->si_status;
}

static void check_stop(void)
{
	struct sigaction action = { .sa_sigaction = note_child, .sa_flags = SA_SIGINFO | SA_RESTART };
	const struct timespec moment = { .tv_nsec = 10000000 };
	siginfo_t info;
	pid_t child;

	sigaction(SIGCHLD, &action, NULL);
	child = sleeper(false);
	kill(child, SIGSTOP);
	memset(&info, 0, sizeof(info));
	is(waitid(P_PID, (id_t)child, &info, WSTOPPED), 0, "waitid of a stopped child");
	is(info.si_code, CLD_STOPPED, "its code");
	is(info.si_status, SIGSTOP, "its status: the signal");
	is(last_code, CLD_STOPPED, "SIGCHLD's code");
	is(last_status, SIGSTOP, "SIGCHLD's status");
	is(waitpid(child, NULL, WUNTRACED | WNOHANG), 0, "a stop is told once");
	kill(child, SIGCONT);
	is(waitid(P_PID, (id_t)child, &info, WCONTINUED), 0, "waitid of a continued child");
	is(info.si_code, CLD_CONTINUED, "its code");
	is(info.si_status, SIGCONT, "its status");
	/*
	 * On Linux the continued child itself sends SIGCHLD when it runs again, which may be after waitid has returned.
	 */
	for (int i = 0; i < 1000 && last_code != CLD_CONTINUED; i++)
		nanosleep(&moment, NULL);
	is(last_code, CLD_CONTINUED, "SIGCHLD's code");
	is(last_status, SIGCONT, "SIGCHLD's status");
	end(child);
	signal(SIGCHLD, SIG_DFL);
}

/* Stop a child in the middle of a sleep. */
static void check_sleep(void)
{
	struct timespec time = { .tv_nsec = 300000000 };
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(sys(SYS_nanosleep, &time, &time) == 0 ? 0 : 1);
	time.tv_nsec = 50000000;
	nanosleep(&time, NULL);
	kill(child, SIGSTOP);
	waitpid(child, &status, WUNTRACED);
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
	is(status, EXITED(0), "a sleep goes on after a stop");
	is(sys(SYS_restart_syscall), -EINTR, "restart_syscall with nothing to restart");
}

static _Noreturn void *count_up(void *argument)
{
	volatile uint64_t *counter = argument;

	for (;;)
		++*counter;
}

/* Check that threads which run on other CPUs have stopped before the parent learns of the stop. */
static void check_threads(void)
{
	static const struct timespec moment = { .tv_nsec = 2000000 };
	volatile uint64_t *counters = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t seen[COUNTERS];
	pthread_t thread;
	int changed = 0, status;
	pid_t child = fork();

	if (child == 0) {
		for (int i = 1; i < COUNTERS; i++)
			pthread_create(&thread, NULL, count_up, (void *)&counters[i]);
		count_up((void *)counters);
	}
	for (int i = 0; i < STOPS; i++) {
		kill(child, SIGSTOP);
		waitpid(child, &status, WUNTRACED);
		for (int k = 0; k < COUNTERS; k++)
			seen[k] = counters[k];
		nanosleep(&moment, NULL);
		for (int k = 0; k < COUNTERS; k++)
			changed += seen[k] != counters[k];
		kill(child, SIGCONT);
		nanosleep(&moment, NULL);
	}
	end(child);
	munmap((void *)counters, PAGE);
	is(changed, 0, "no thread of a stopped process runs");
}

static void note_hang_up(int signal)
{
	(void)signal;
	if (write(ends[1], "h", 1) != 1)
		_exit(1);
}

/* Stop in a group of its own; once the parent has ended, check that a terminal's stop signal has no effect any more. */
static void be_orphan(void)
{
	setpgid(0, 0);
	signal(SIGHUP, note_hang_up);
	raise(SIGSTOP);
	raise(SIGTSTP);
	if (write(ends[1], "c", 1) != 1)
		_exit(1);
	_exit(0);
}

static int orphan_maker(void *unused)
{
	pid_t child = fork();
	int status;

	(void)unused;
	if (child == 0)
		be_orphan();
	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
		return 1;
	return 0;
}

static void check_orphans(void)
{
	is(in_child(orphan_maker, NULL), EXITED(0), "a child stops and is left alone");
	is(told(), 'h', "its group gets SIGHUP");
	is(told(), 'c', "and SIGCONT; SIGTSTP does not stop an orphaned group");
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && strcmp(argv[1], "wait") == 0)
		for (;;)
			pause();
	if (pipe(ends) != 0)
		bail("pipe", -errno);
	check_groups();
	check_exec();
	check_stop();
	check_sleep();
	check_threads();
	check_orphans();
	return finish();
}
