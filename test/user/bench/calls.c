/* System calls that do next to nothing: what it costs to enter the kernel and to leave it. See bench.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "test/user/bench/bench.h"

#define NO_CALL 999 /* beyond Linux's table */

/* One call after the other, with three instructions around each: a call keeps all registers but RAX, RCX and R11. */
static uint64_t repeat(long number, long first, void *second, unsigned count, long *ret_result)
{
	uint64_t start = meter_read();
	long result;

	__asm__ volatile("1: mov %[number], %%rax\n\t"
			 "syscall\n\t"
			 "dec %[count]\n\t"
			 "jnz 1b"
			 : "=&a"(result), [count] "+r"(count)
			 : [number] "r"(number), "D"(first), "S"(second)
			 : "rcx", "r11", "memory", "cc");
	*ret_result = result;
	return meter_read() - start;
}

uint64_t bench_getpid(unsigned count)
{
	long result;
	uint64_t spent = repeat(SYS_getpid, 0, NULL, count, &result);

	if (result < 1)
		failed("getpid", result);
	return spent;
}

uint64_t bench_getppid(unsigned count)
{
	long result;
	uint64_t spent = repeat(SYS_getppid, 0, NULL, count, &result);

	if (result < 0)
		failed("getppid", result);
	return spent;
}

uint64_t bench_invalid(unsigned count)
{
	long result;
	uint64_t spent = repeat(NO_CALL, 0, NULL, count, &result);

	if (result != -ENOSYS)
		failed("call 999", result);
	return spent;
}

uint64_t bench_clock(unsigned count)
{
	struct timespec time = { 0, -1 };
	long result;
	uint64_t spent = repeat(SYS_clock_gettime, CLOCK_MONOTONIC, &time, count, &result);

	if (result != 0 || time.tv_nsec < 0)
		failed("clock_gettime", result);
	return spent;
}

/* As programs do it: by the C library, which finds the vDSO. */
uint64_t bench_clock_library(unsigned count)
{
	struct timespec time = { 0, -1 };
	uint64_t start, spent;

	clock_gettime(CLOCK_MONOTONIC, &time); /* the first call looks for the vDSO */
	start = meter_read();
	for (unsigned i = 0; i < count; i++)
		clock_gettime(CLOCK_MONOTONIC, &time);
	spent = meter_read() - start;
	if (time.tv_nsec < 0)
		failed("clock_gettime of the library", time.tv_nsec);
	return spent;
}

static volatile unsigned handled;

static void handle(int signal)
{
	(void)signal;
	handled++;
}

uint64_t bench_signal(unsigned count)
{
	long self = sys(SYS_getpid), result;
	uint64_t spent;

	handled = 0;
	signal(SIGUSR1, handle);
	spent = repeat(SYS_kill, self, (void *)SIGUSR1, count, &result);
	if (result != 0 || handled != count)
		failed("kill to oneself", handled);
	return spent;
}
