/*
 * What system calls cost, as /init on this kernel and on Linux alike (make bench-linux).
 *
 * Prints `bench NAME TICKS` for each operation: ticks of the time-stamp counter for one, the least of some rounds,
 * because a timer's tick falls into some. On AnkeOS then `counted NAME CR3 PAGES`: writes of CR3 and pages invalidated
 * in a hundred operations. Then powers off. As another process than 1 it just ends.
 */
#include "test/user/bench/bench.h"

#include <stdio.h>
#include <unistd.h>

#define ROUNDS         7
#define COUNTED_ROUNDS 3

static const struct operation {
	const char *name;
	uint64_t (*run)(unsigned count);
	unsigned count;
} operations[] = {
	{ "getpid", bench_getpid, 1000 },
	{ "getppid", bench_getppid, 1000 },
	{ "invalid", bench_invalid, 1000 },
	{ "clock_gettime", bench_clock, 1000 },
	{ "clock_library", bench_clock_library, 1000 },
	{ "mmap_munmap_4k", bench_map_page, 100 },
	{ "mmap_munmap_1m", bench_map_megabyte, 100 },
	{ "fault", bench_fault, 2 * PAGES },
	{ "munmap_touched", bench_unmap_touched, 2 * PAGES },
	{ "brk_pair", bench_brk, 100 },
	{ "mprotect", bench_protect, 100 },
	{ "sides", bench_sides, 100 },
	{ "sides_mprotect", bench_sides_protect, 100 },
	{ "yield", bench_yield, 400 },
	{ "pipe", bench_pipe, 200 },
	{ "futex", bench_futex, 200 },
	{ "thread", bench_thread, 30 },
	{ "pthread", bench_pthread, 30 },
	{ "fork", bench_fork, 10 },
	{ "fork_4m", bench_fork_touched, 5 },
	{ "fork_reserved", bench_fork_reserved, 10 },
	{ "fork_exec", bench_exec, 10 },
	{ "exec_dynamic", bench_exec_dynamic, 10 },
	{ "exec_large", bench_exec_large, 10 },
	{ "signal", bench_signal, 200 },
	{ "pipe_64k", bench_pipe_bulk, 50 },
	{ "unix", bench_unix, 200 },
	{ "unix_64k", bench_unix_bulk, 50 },
	{ "pty_line", bench_pty_line, 100 },
	{ "timer_create", bench_timer, 100 },
	{ "signalfd", bench_signalfd, 200 },
	{ "inotify", bench_inotify, 200 },
	{ "ptrace_stop", bench_trace_stop, 200 },
	{ "open_deep", bench_open_deep, 200 },
	{ "shell_loop", bench_shell_loop, 1 },
	{ "shell_true", bench_shell_true, 1 },
};

static void power_off(void)
{
	fflush(stdout);
	if (getpid() == 1)
		sys(SYS_reboot, 0xfee1dead, 0x28121969, 0x4321fedc, 0);
}

_Noreturn void failed(const char *what, long saw)
{
	printf("bench failed: %s: saw %ld\n", what, saw);
	power_off();
	_exit(1);
}

/* The least of some rounds, each of operation->count. */
static uint64_t least_of(const struct operation *operation, int rounds)
{
	uint64_t least = UINT64_MAX;

	for (int round = 0; round < rounds; round++) {
		uint64_t spent = operation->run(operation->count);

		least = spent < least ? spent : least;
	}
	return least;
}

static void count_events(const struct operation *operation)
{
	static const enum meter meters[] = { METER_CR3, METER_FLUSHED };

	printf("counted %s", operation->name);
	for (unsigned i = 0; i < sizeof(meters) / sizeof(*meters); i++) {
		if (meter_choose(meters[i]))
			failed("a counter that was there", -1);
		printf(" %lu", (unsigned long)(least_of(operation, COUNTED_ROUNDS) * 100 / operation->count));
	}
	printf("\n");
	fflush(stdout);
}

int main(void)
{
	const struct operation *end = operations + sizeof(operations) / sizeof(*operations);

	for (const struct operation *operation = operations; operation < end; operation++) {
		printf("bench %s %lu\n", operation->name,
		       (unsigned long)(least_of(operation, ROUNDS) / operation->count));
		fflush(stdout);
	}
	if (!meter_choose(METER_CR3))
		for (const struct operation *operation = operations; operation < end; operation++)
			count_events(operation);
	printf("bench end\n");
	power_off();
	return 0;
}
