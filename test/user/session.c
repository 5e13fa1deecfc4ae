/*
 * Runs a session of 1,000 processes, with pipes, mappings, files, timers and locks, some of which are killed in the
 * middle, and then up to TIMES more sessions, until one has left as much free memory as it found: session [TIMES].
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define PROCESSES 1000
#define AT_ONCE   20
#define FILES     64

static long descriptors(void)
{
	long count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += sys(SYS_fcntl, fd, F_GETFD) >= 0;
	return count;
}

static long free_memory(void)
{
	struct sysinfo info;

	if (sys(SYS_sysinfo, &info) != 0)
		bail("sysinfo", 0);
	return (long)(info.freeram * info.mem_unit);
}

static void use_memory(unsigned number)
{
	char *private = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = (int)sys(SYS_memfd_create, "session", 0);
	char *file;

	ftruncate(fd, 8 * PAGE);
	file = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, number % 2 ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	for (unsigned i = 0; i < 64; i += 1 + number % 7) {
		private[i * PAGE] = 1;
		shared[i % 16 * PAGE] = 1;
		file[i % 8 * PAGE] = 1;
	}
	mprotect(private + 8 * PAGE, 8 * PAGE, PROT_READ);
	munmap(private + 32 * PAGE, 8 * PAGE);
	mremap(private, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
}

static void use_files(unsigned number)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct itimerspec soon = { .it_value.tv_nsec = 1000, .it_interval.tv_nsec = 1000000 };
	struct flock lock = { .l_type = F_WRLCK, .l_start = number, .l_len = 3 };
	int epoll = epoll_create1(0), event_fd = eventfd(1, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0), ends[2];
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "/tmp/s%u", number % FILES);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	timerfd_settime(timer, 0, &soon, NULL);
	epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &event);
	epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
	if (pipe(ends) == 0)
		write(ends[1], name, sizeof(name));
	epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
	epoll_wait(epoll, &event, 1, 0);
	write(fd, name, sizeof(name));
	fcntl(fd, F_SETLK, &lock);
	flock(fd, LOCK_SH | LOCK_NB);
	for (int i = 0; i < (int)(number % 80); i++)
		dup(fd);
}

static int thread(void *unused)
{
	(void)unused;
	pause();
	return 0;
}

/* End the child in a way that depends on its number. */
_Noreturn static void child(unsigned number)
{
	static char *const arguments[] = { (char *)"session", (char *)"0", NULL }, *const none[] = { NULL };
	static char stack[4096] __attribute__((aligned(16)));
	union sigval value = { .sival_int = 7 };
	sigset_t all;

	sigfillset(&all);
	use_memory(number);
	use_files(number);
	switch (number % 6) {
	case 0:
		execve("/proc/self/exe", arguments, none);
		execve("/init", arguments, none);
		break;
	case 1: /* end with pending signals that nobody takes */
		sigprocmask(SIG_BLOCK, &all, NULL);
		for (int i = 0; i < 5; i++)
			sigqueue(getpid(), SIGRTMIN + 1, value);
		break;
	case 2: /* end by a fault */
		touch_write((void *)8);
		break;
	case 3: /* end while another thread waits */
		clone(thread, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
		      NULL);
		break;
	case 4: /* wait for the parent to kill this process */
		alarm(1000);
		for (;;)
			pause();
	}
	_exit(0);
}

static void session(void)
{
	pid_t children[AT_ONCE];
	char name[32];

	for (unsigned number = 0; number < PROCESSES; number += AT_ONCE) {
		for (unsigned i = 0; i < AT_ONCE; i++) {
			children[i] = fork();
			if (children[i] < 0)
				bail("fork", children[i]);
			if (!children[i])
				child(number + i);
		}
		for (unsigned i = 0; i < AT_ONCE; i++) {
			if ((number + i) % 6 == 4)
				kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
		}
	}
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "/tmp/s%u", i);
		unlink(name);
	}
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 2;
	long files = descriptors(), before, after;

	if (!times)
		return 0;
	mkdir("/tmp", 0777);
	session();
	after = free_memory();
	/*
	 * A later session may need more of the heap than any before, and the heap keeps that. A leak recurs in each
	 * session.
	 */
	do {
		before = after;
		session();
		after = free_memory();
		printf("# free memory: %ld, then %ld\n", before, after);
	} while (--times && before != after);
	/* Only a program that is alone on its machine can compare free memory. */
	if (getpid() == 1)
		is(after, before, "free memory is as before");
	is(descriptors(), files, "descriptors are as before");
	return finish();
}
