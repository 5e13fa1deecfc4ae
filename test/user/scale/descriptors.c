/* Descriptors: N that are open, or were. See scale.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "test/user/scale/scale.h"

#define LARGEST 100000

static int first, middle, newest, opened, directory;
static char path[64], text[4096];
static struct stat seen;

static void descriptors(unsigned n)
{
	directory = open_file("/proc/self/fd");
	first = open_file("/dev/null");
	for (unsigned i = 1; i < n; i++)
		newest = (int)must(sys(SYS_dup, first), "dup");
	middle = first + (int)n / 2;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", newest);
}

static void were_open(unsigned n)
{
	descriptors(n);
	for (unsigned i = 1; i < n; i++)
		must(sys(SYS_close, first + (int)i), "close");
}

static long duplicate(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return opened = (int)sys(SYS_dup, first);
}

static void close_opened(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_close, opened), "close");
}

static long duplicate_from_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return opened = (int)sys(SYS_fcntl, first, F_DUPFD, middle);
}

static long duplicate_over(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_dup2, first, newest);
}

static long close_and_reuse(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_close, middle);
	return sys(SYS_dup, first) == middle ? 0 : -1;
}

static long open_and_close(unsigned n, unsigned turn)
{
	long fd = sys(SYS_open, "/dev/null", O_RDONLY);

	(void)n, (void)turn;
	return fd < 0 ? fd : sys(SYS_close, fd);
}

static long stat_newest(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_fstat, newest, &seen);
}

static long get_flags(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_fcntl, newest, F_GETFD);
}

static long make_pipe(unsigned n, unsigned turn)
{
	int ends[2];
	long result = sys(SYS_pipe, ends);

	(void)n, (void)turn;
	sys(SYS_close, ends[0]);
	sys(SYS_close, ends[1]);
	return result;
}

static long list_descriptors(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return list_all(directory);
}

static long list_first(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return list_once(directory, 300);
}

static long read_link(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_readlink, path, text, sizeof(text));
}

static long close_from_newest(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_close_range, newest + 1, 1U << 30, 0);
}

/* A child with all of them ends it in the step. */
static void start_child(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	opened = (int)must(sys(SYS_fork), "fork");
	if (opened == 0)
		for (;;)
			sys(SYS_pause);
}

static long end_child(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_kill, opened, SIGKILL);
	return sys(SYS_wait4, opened, NULL, 0, NULL);
}

static struct pollfd polled[10000];

static void polled_pipes(unsigned n)
{
	int ends[2];

	must(sys(SYS_pipe, ends), "pipe");
	for (unsigned i = 0; i < n; i++)
		polled[i] = (struct pollfd){ .fd = (int)must(sys(SYS_dup, ends[0]), "dup"), .events = POLLIN };
}

static long poll_all(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_poll, polled, n, 0);
}

static fd_set selected;

static void selected_pipes(unsigned n)
{
	int ends[2];

	must(sys(SYS_pipe, ends), "pipe");
	first = (int)must(sys(SYS_dup, ends[0]), "dup");
	for (unsigned i = 1; i < n; i++)
		newest = (int)must(sys(SYS_dup, ends[0]), "dup");
}

static void select_all(unsigned n, unsigned turn)
{
	(void)turn;
	for (unsigned i = 0; i < n; i++)
		FD_SET(first + (int)i, &selected);
}

static long do_select(unsigned n, unsigned turn)
{
	static const long now[2];

	(void)n, (void)turn;
	return sys(SYS_select, newest + 1, &selected, NULL, NULL, now);
}

#define AMONG .largest = LARGEST, .setup = descriptors
#define AFTER .largest = LARGEST, .setup = were_open

static const struct row rows[] = {
	{ "dup", AMONG, .step = duplicate, .after = close_opened },
	{ "F_DUPFD from the middle", AMONG, .step = duplicate_from_middle, .after = close_opened },
	{ "dup2 over the newest", AMONG, .step = duplicate_over },
	{ "close and dup in the middle", AMONG, .step = close_and_reuse },
	{ "open and close, N descriptors", AMONG, .step = open_and_close },
	{ "fstat of the newest", AMONG, .step = stat_newest },
	{ "F_GETFD of the newest", AMONG, .step = get_flags },
	{ "pipe and close, N descriptors", AMONG, .step = make_pipe },
	{ "fork, exit, wait4, a descriptor", AMONG, .each = true, .step = fork_and_wait },
	{ "end of a process, a descriptor", AMONG, .each = true, .before = start_child, .step = end_child },
	{ "list /proc/self/fd, a descriptor", AMONG, .each = true, .step = list_descriptors },
	{ "first names of /proc/self/fd", AMONG, .step = list_first },
	{ "readlink of the newest", AMONG, .step = read_link },
	{ "close_range behind the newest", AMONG, .step = close_from_newest },
	{ "dup, N were open", AFTER, .step = duplicate, .after = close_opened },
	{ "close_range, N were open", AFTER, .step = close_from_newest },
	{ "fork, exit, wait4, N were open", AFTER, .step = fork_and_wait },
	{ "poll, a descriptor", .largest = 10000, .each = true, .setup = polled_pipes, .step = poll_all },
	{ "select, a descriptor", .largest = 1000, .each = true, .setup = selected_pipes, .before = select_all,
	  .step = do_select },
};

ROOM(descriptors);
