/*
 * An /init whose children hand known texts to the kernel, wipe their own copies and sleep. Then it computes for ever,
 * so that its memory can be searched from outside: nothing that its context maps may contain what other processes
 * wrote. Each text is put together only when it is needed, so that it is not one of this program's constants. Prints
 * `secrets kept`.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

/* Put the text "known-NAME-of-a-call-" together; it is in no constant as a whole. */
static size_t make(char *text, const char *name)
{
	return (size_t)sprintf(text, "%s%s%s", "known-", name, "-of-a-call-");
}

static void by_pipe(char *text)
{
	int ends[2];
	size_t size = make(text, "pipe");

	if (pipe(ends) || write(ends[1], text, size) < 0 || read(ends[0], text, size) < 0)
		printf("not ok: pipe\n");
}

static void by_file(char *text)
{
	int file = memfd_create("", 0);
	size_t size = make(text, "file");

	if (write(file, text, size) < 0 || pread(file, text, size, 0) < 0)
		printf("not ok: file\n");
}

static void by_sendfile(char *text)
{
	int from = memfd_create("", 0), to = memfd_create("", 0);
	size_t size = make(text, "sendfile");
	off_t start = 0;

	for (int i = 0; i < 300; i++)
		if (write(from, text, size) < 0)
			printf("not ok: file\n");
	if (sendfile(to, from, &start, 5000) != 5000)
		printf("not ok: sendfile\n");
}

static void by_terminal(char *text)
{
	int screen = open("/dev/tty0", O_WRONLY);
	size_t size = make(text, "console");

	if (screen >= 0 && write(screen, text, size) < 0)
		printf("not ok: console\n");
}

/* Pass the text as a string of an execve(2) that fails. */
static void by_exec(char *text)
{
	char *arguments[] = { text, NULL };

	make(text, "exec");
	execve("/not/here", arguments, arguments);
}

int main(void)
{
	static void (*const ways[])(char *text) = { by_pipe, by_file, by_sendfile, by_terminal, by_exec };
	volatile unsigned long count = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int ready[2];
		char byte;

		if (pipe(ready) || fork() == 0) {
			/*
			 * Keep the text in a page of its own, so that nothing is left of it once the page is unmapped.
			 */
			char *text = fresh(PAGE, PROT_READ | PROT_WRITE);

			ways[i](text);
			munmap(text, PAGE);
			if (write(ready[1], "", 1) < 0)
				_exit(1);
			for (;;)
				pause();
		}
		if (read(ready[0], &byte, 1) != 1)
			printf("not ok: child\n");
	}
	printf("secrets kept\n");
	fflush(stdout);
	for (;;)
		count++;
}
