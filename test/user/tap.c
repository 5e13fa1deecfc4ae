/*
 * Prints TAP lines and runs children for the test programs; see tap.h.
 */
#define _GNU_SOURCE
#include "test/user/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned checks, failures;

/*
 * Write a number as text: a small one, a count or error, in decimal, and a large one, an address or mask, in
 * hexadecimal.
 */
static const char *number_text(long value, char text[32])
{
	if (value > -0x10000 && value < 0x10000)
		snprintf(text, 32, "%ld", value);
	else
		snprintf(text, 32, "%#lx", value);
	return text;
}

static bool report(bool passed, const char *name, const char *expected, const char *saw)
{
	checks++;
	if (passed) {
		printf("ok %u - %s\n", checks, name);
	} else {
		failures++;
		printf("not ok %u - %s # expected %s, saw %s\n", checks, name, expected, saw);
	}
	/* Write all lines now: a child must not inherit them in its buffer, and write them again. */
	fflush(stdout);
	return passed;
}

bool is(long saw, long expected, const char *name)
{
	char left[32], right[32];

	return report(saw == expected, name, number_text(expected, left), number_text(saw, right));
}

bool is_true(bool condition, long saw, const char *name)
{
	char text[32];

	return report(condition, name, "true", number_text(saw, text));
}

bool is_between(long saw, long low, long high, const char *name)
{
	char range[80], left[32], right[32], text[32];

	snprintf(range, sizeof(range), "%s to %s", number_text(low, left), number_text(high, right));
	return report(saw >= low && saw <= high, name, range, number_text(saw, text));
}

bool is_text(const char *saw, const char *expected, const char *name)
{
	return report(!strcmp(saw, expected), name, expected, saw);
}

_Noreturn void bail(const char *why, long saw)
{
	printf("Bail out! %s: saw %ld\n", why, saw);
	fflush(stdout);
	_exit(1);
}

int finish(void)
{
	printf("1..%u\n", checks);
	if (failures)
		printf("# %u of %u failed\n", failures, checks);
	fflush(stdout);
	return checks == 0 || failures > 0;
}

int in_child(int (*body)(void *), void *argument)
{
	int status = 0;
	pid_t child = fork();
	long waited;

	if (child == 0)
		_exit(body(argument));
	if (child < 0)
		return -1;
	waited = sys(SYS_wait4, child, &status, 0, 0);
	return waited == child ? status : (int)waited;
}

int touch_read(void *address)
{
	return *(volatile unsigned char *)address;
}

int touch_write(void *address)
{
	*(volatile unsigned char *)address = 0x5a;
	return 0;
}

int touch_execute(void *address)
{
	((void (*)(void))address)();
	return 0;
}

void *fresh(size_t bytes, int protection)
{
	void *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bail("no memory for the test", (long)bytes);
	return memory;
}
