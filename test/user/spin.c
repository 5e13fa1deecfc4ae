/*
 * An /init that never ends, so that it can be looked at from outside: `init` computes, `init calls` makes system calls
 * that write to its own memory. Prints `spinning` first. Its memory has areas of all rights, and is shared with a child
 * that sleeps. As a shell's command `spin fifo` computes with SCHED_FIFO, and `spin fifo US` with an RLIMIT_RTTIME of
 * US microseconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define MEGABYTE (1UL << 20)

/* Become real-time; if `limit` is not NULL, with an RLIMIT_RTTIME of so many microseconds. */
static void become_real_time(const char *limit)
{
	int priority = 50;

	if (limit) {
		rlim_t us = strtoul(limit, NULL, 10);
		struct rlimit both = { us, us };

		if (setrlimit(RLIMIT_RTTIME, &both) != 0)
			bail("no RLIMIT_RTTIME", errno);
	}
	if (sys(SYS_sched_setscheduler, 0, SCHED_FIFO, &priority) != 0)
		bail("no SCHED_FIFO", errno);
}

int main(int argc, char **argv)
{
	bool calls = argc > 1 && !strcmp(argv[1], "calls");
	unsigned char *memory = fresh(8 * MEGABYTE, PROT_READ | PROT_WRITE);
	volatile uint64_t count = 0;

	memset(memory, 1, 8 * MEGABYTE);
	memory[PAGE] = 0xc3; /* the instruction RET */
	mprotect(memory, PAGE, PROT_READ);
	mprotect(memory + PAGE, PAGE, PROT_READ | PROT_EXEC);
	mprotect(memory + 2 * PAGE, PAGE, PROT_NONE);
	if (fork() == 0) {
		struct timespec day = { 86400, 0 };

		for (;;)
			nanosleep(&day, NULL);
	}
	printf("spinning\n");
	fflush(stdout);
	if (argc > 1 && !strcmp(argv[1], "fifo"))
		become_real_time(argv[2]);
	for (;;) {
		count++;
		if (calls) {
			sys(SYS_uname, memory + 3 * PAGE);
			sys(SYS_getrandom, memory + 4 * PAGE, 256, 0);
		}
	}
}
