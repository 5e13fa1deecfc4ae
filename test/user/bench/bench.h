/*
 * The benchmark's operations and how they are measured.
 *
 * An operation runs `count` times and returns the ticks of the time-stamp counter that this took. Under QEMU's -icount
 * a tick is a fixed share of an instruction, so the figures are the same in every run. What an operation needs is set
 * up outside its measured part.
 */
#pragma once

#include <stdint.h>

#include "test/user/sys.h"

#define PAGE  4096UL
#define PAGES 256UL /* of 1 MiB: too small for a kernel to use 2 MiB pages */

static inline uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* Print `bench failed: WHAT: saw SAW` and power off. */
_Noreturn void failed(const char *what, long saw);

/* bench/calls.c: calls that do next to nothing. */
uint64_t bench_getpid(unsigned count);
uint64_t bench_getppid(unsigned count);
uint64_t bench_invalid(unsigned count);
uint64_t bench_clock(unsigned count);
uint64_t bench_signal(unsigned count);

/* bench/pages.c: user memory. */
uint64_t bench_map_page(unsigned count);
uint64_t bench_map_megabyte(unsigned count);
uint64_t bench_fault(unsigned count);
uint64_t bench_unmap_touched(unsigned count);
uint64_t bench_brk(unsigned count);
uint64_t bench_protect(unsigned count);

/* Anonymous memory of PAGES pages, each written to, between two pages without rights. */
char *touched(void);

/* bench/tasks.c: processes and threads. */
uint64_t bench_yield(unsigned count);
uint64_t bench_pipe(unsigned count);
uint64_t bench_futex(unsigned count);
uint64_t bench_thread(unsigned count);
uint64_t bench_pthread(unsigned count);
uint64_t bench_fork(unsigned count);
uint64_t bench_fork_touched(unsigned count);
uint64_t bench_fork_reserved(unsigned count);
uint64_t bench_exec(unsigned count);
uint64_t bench_exec_large(unsigned count);

/* bench/shell.c: pipe throughput, and Debian's busybox, which is /bin/busybox. */
uint64_t bench_pipe_bulk(unsigned count);
uint64_t bench_shell_loop(unsigned count);
uint64_t bench_shell_true(unsigned count);
