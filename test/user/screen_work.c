/*
 * An /init that asks the screen for as much work as 4 KiB can, in many ways, beside a neighbour that wakes up five
 * thousand times a second: prints for how long the neighbour was kept from running, in microseconds, a line each. At the
 * end somebody types lines on the keyboard, with a screen that scrolls. To be run with -icount, where time is instructions.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define MOST      4096
#define MUCH_TEXT (2 << 20)
#define TYPED     5 /* lines */

static volatile long *longest; /* shared with the neighbour */
static int screen;

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void be_the_neighbour(void)
{
	const struct timespec pause = { 0, 200000 };
	long last = now_us();

	setpriority(PRIO_PROCESS, 0, -20);
	for (;;) {
		long now;

		nanosleep(&pause, NULL);
		now = now_us();
		if (now - last > *longest)
			*longest = now - last;
		last = now;
	}
}

/* Let the neighbour have been kept from running by nothing else. */
static void start(void)
{
	usleep(5000);
	*longest = 0;
}

static void tell(const char *name)
{
	usleep(5000);
	printf("kept: %ld by %s.\n", *longest, name);
	fflush(stdout);
}

static void repeat(const char *name, const char *sequence)
{
	static char text[MOST];
	size_t size = strlen(sequence), used = 0;

	for (; used + size <= sizeof(text); used += size)
		memcpy(text + used, sequence, size);
	dprintf(screen, "\033cA");
	start();
	if (write(screen, text, used) != (ssize_t)used)
		printf("not ok: %s is cut\n", name);
	tell(name);
}

/*
 * The answer to ESC [ 6 n, as if it had been typed, ends with R: let that be the key that erases, after much text without
 * the end of a line.
 */
static void erase_behind_much_text(void)
{
	static char text[MOST];
	struct termios old, new;

	tcgetattr(screen, &old);
	new = old;
	new.c_cc[VERASE] = 'R';
	tcsetattr(screen, TCSANOW, &new);
	memset(text, 'x', sizeof(text));
	for (long i = 0; i < MUCH_TEXT; i += MOST)
		if (write(screen, text, MOST) != MOST)
			printf("not ok: the text is cut\n");
	start();
	dprintf(screen, "\033[6n");
	tell("an erased character");
	tcflush(screen, TCIFLUSH);
	tcsetattr(screen, TCSANOW, &old);
}

static void take_lines(void)
{
	char text[100];

	for (int i = 0; i < 200; i++)
		dprintf(screen, "a line of text that somebody has written, number %d\r\n", i);
	start();
	printf("type\n");
	fflush(stdout);
	for (int i = 0; i < TYPED; i++)
		if (read(screen, text, sizeof(text)) <= 0)
			printf("not ok: nothing was typed\n");
	tell("typed lines");
}

int main(void)
{
	pid_t neighbour;

	longest = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	screen = open("/dev/tty0", O_RDWR | O_NOCTTY);
	neighbour = fork();
	if (neighbour == 0)
		be_the_neighbour();
	repeat("repeated characters", "\033[65535b");
	repeat("repeated characters that scroll", "x\033[65535b\n");
	repeat("erased screens", "\033[2J");
	repeat("erased screens in turns", "\033[7m\033[J\033[m\033[J");
	repeat("resets", "\033c");
	repeat("inserted rows", "\033[99L");
	repeat("deleted rows", "\033[99M");
	repeat("rows that scroll", "\033[99S");
	repeat("inserted characters", "\033[999@");
	repeat("ends of lines", "\n");
	repeat("screens of E", "\033#8");
	repeat("pages", "\033[?1049h\033[?1049l");
	repeat("text", "plain text that goes on and on ");
	erase_behind_much_text();
	take_lines();
	kill(neighbour, SIGKILL);
	waitpid(neighbour, NULL, 0);
	return 0;
}
