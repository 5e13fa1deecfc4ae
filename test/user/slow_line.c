/*
 * An /init that writes to a terminal whose reader does not read. Each line that is typed names a scene of the table at
 * the end of this file; the program tells what a scene saw when the next line is typed. With arguments it plays the
 * scenes that they name instead. Whoever types sees by the CPU's halt that a scene cannot go further. Nothing is
 * echoed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "test/user/tap.h"

#define LINES 3000
#define LINE  (sizeof("line 0000 of three thousand\n") - 1)

static char lines[LINES * LINE + 1];
static char seen[200]; /* what the last scene saw */

static void note(const char *name, long value)
{
	size_t size = strlen(seen);

	snprintf(seen + size, sizeof(seen) - size, " %s %ld", name, value);
}

static long queued(void)
{
	int bytes = -1;

	ioctl(1, TIOCOUTQ, &bytes);
	return bytes;
}

/* Return the state that /proc shows for a process, such as 'S' for one that waits. 0: it has ended. */
static char state_of(pid_t pid)
{
	char path[40], text[400], *name;
	ssize_t size = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd >= 0)
		size = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (size <= 0)
		return 0;
	text[size] = 0;
	name = strrchr(text, ')');
	return name ? name[2] : 0;
}

/* Let others run until the child waits, or has ended. */
static void until_it_waits(pid_t child)
{
	char state;

	while ((state = state_of(child)) != 'S' && state != 'Z' && state)
		sched_yield();
}

static void one_by_one(void)
{
	long written = 0;

	for (int i = 0; i < LINES; i++)
		written += write(1, lines + (size_t)i * LINE, LINE);
	note("written", written);
}

static void at_once(void)
{
	note("written", write(1, lines, sizeof(lines) - 1));
}

static void do_nothing(int signal)
{
	(void)signal;
}

/* Send a signal to a child in a write that has written something, and in one that has not. */
static void signalled(void)
{
	long *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sigaction action = { .sa_handler = do_nothing };
	pid_t child;
	int status;

	sigaction(SIGUSR1, &action, NULL);
	child = fork();
	if (child == 0) {
		shared[0] = sys(SYS_write, 1, lines, sizeof(lines) - 1);
		shared[1] = sys(SYS_write, 1, lines, sizeof(lines) - 1);
		_exit(0);
	}
	for (int i = 0; i < 2; i++) {
		until_it_waits(child);
		kill(child, SIGUSR1);
		while (state_of(child) == 'S')
			sched_yield();
	}
	waitpid(child, &status, 0);
	note("partial", shared[0]);
	note("then", shared[1]);
}

static pid_t start_writer(void)
{
	pid_t child = fork();

	if (child == 0) {
		signal(SIGINT, SIG_DFL);
		for (int i = 0; i < 20; i++)
			if (write(1, lines, sizeof(lines) - 1) < 0)
				break;
		_exit(0);
	}
	return child;
}

static void killed(void)
{
	pid_t child = start_writer();
	int status;

	until_it_waits(child);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	note("status", status);
	tcflush(1, TCOFLUSH);
}

/* Let somebody type Ctrl-C while a child writes: that ends the child, and drops what was on its way. */
static void interrupted(void)
{
	pid_t child = start_writer();
	int status;

	waitpid(child, &status, 0);
	note("status", status);
	note("queued", queued());
}

/* Write lines to a non-blocking descriptor until it takes no more. Returns how many bytes it has taken. */
static long fill(void)
{
	int fd = open("/dev/ttyS0", O_WRONLY | O_NONBLOCK | O_NOCTTY);
	long total = 0, done;

	while ((done = sys(SYS_write, fd, lines + total, sizeof(lines) - 1 - (size_t)total)) > 0)
		total += done;
	note("then", done);
	close(fd);
	return total;
}

static void polled(void)
{
	struct pollfd set = { .fd = 1, .events = POLLOUT };

	note("filled", fill());
	note("ready", poll(&set, 1, 0));
	note("queued", queued() > 0);
	note("ready", poll(&set, 1, -1));
	tcdrain(1);
	note("queued", queued());
}

static void flushed(void)
{
	note("filled", fill() > 0);
	tcflush(1, TCOFLUSH);
	note("queued", queued());
}

static void filled(void)
{
	note("filled", fill());
}

static void turned_off(void)
{
	fill();
	reboot(RB_POWER_OFF);
}

static const struct {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{ "one-by-one", one_by_one }, { "at-once", at_once },         { "signalled", signalled },
	{ "killed", killed },         { "interrupted", interrupted }, { "polled", polled },
	{ "flushed", flushed },       { "filled", filled },           { "turned-off", turned_off },
};

static void play(const char *name)
{
	seen[0] = 0;
	for (size_t i = 0; i < COUNT(scenes); i++)
		if (!strcmp(name, scenes[i].name))
			scenes[i].play();
}

int main(int argc, char **argv)
{
	char word[40];
	struct termios t;

	signal(SIGINT, SIG_IGN);
	setsid();
	ioctl(0, TIOCSCTTY, 0);
	tcsetpgrp(0, getpid());
	tcgetattr(0, &t);
	t.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(0, TCSANOW, &t);
	for (int i = 0; i < LINES; i++)
		sprintf(lines + (size_t)i * LINE, "line %04d of three thousand\n", i);
	for (int i = 1; i < argc; i++)
		play(argv[i]);
	if (argc > 1)
		return 0;
	dprintf(1, "reader, stop\n");
	while (scanf("%39s", word) == 1) {
		if (!strcmp(word, "tell"))
			dprintf(1, "seen:%s.\n", seen);
		else
			play(word);
	}
	return 0;
}
