/*
 * A program whose behaviour is undefined: ubsan_cases CASE. The kernel's handlers are linked to it (test_ubsan.py).
 */
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/lib/panic.h"

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
	exit(1);
}

static volatile int most = INT_MAX, least = INT_MIN, zero, one = 1, many = 40, minus = -1;
static volatile long long wide = LLONG_MAX;
static volatile unsigned char three = 3;
static int array[4];

static int no_value(int x)
{
	if (x)
		return x;
	__builtin_unreachable();
}

struct aligned {
	long long word;
};

int main(int argc, char **argv)
{
	static char bytes[64] __attribute__((aligned(16)));
	char *volatile odd = bytes + 1;
	int *volatile nothing = NULL;
	volatile int result = 0;
	bool flag;

	if (argc != 2)
		return 2;
	switch (atoi(argv[1])) {
	case 0:
		result = most + one;
		break;
	case 1:
		result = least - one;
		break;
	case 2:
		wide = wide * 2;
		break;
	case 3:
		result = least / minus;
		break;
	case 4:
		result = -least;
		break;
	case 5:
		result = one << many;
		break;
	case 6:
		result = array[many - 36];
		break;
	case 7:
		result = *nothing;
		break;
	case 8:
		((struct aligned *)odd)->word = 1;
		break;
	case 9:
		__builtin_memcpy(&flag, (const void *)&three, 1);
		result = *(volatile bool *)&flag;
		break;
	case 10:
		result = no_value(zero);
		break;
	case 11:
		result = __builtin_ctz((unsigned)zero);
		break;
	case 12:
		result = 7 / zero;
		break;
	}
	printf("nothing noticed: %d", result);
	return 0;
}
