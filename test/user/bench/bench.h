/*
 * The benchmark's operations and how they are measured.
 *
 * An operation runs `count` times and returns by how much the chosen meter went on: the time-stamp counter, or one of
 * the kernel's own counters. Under QEMU's -icount a tick is a fixed share of an instruction, so the figures are the same
 * in every run. What an operation needs is set up outside its measured part.
 */
#pragma once

#include <stdint.h>

#include "test/user/sys.h"

#define PAGE  4096UL
#define PAGES 256UL /* of 1 MiB: too small for a kernel to use 2 MiB pages */

/* test/user/bench/meter.c: what the operations read. The first one at the start. */
enum meter {
	METER_TICKS,   /* of the time-stamp counter */
	METER_CR3,     /* writes of CR3 */
	METER_FLUSHED, /* pages invalidated one by one, by whichever instruction */
};

/* Returns 0; or -1, and the meter is what it was: the kernel has no such counter, which is AnkeOS's own. */
int meter_choose(enum meter wanted);

/* The meter's state, without what it costs to read it. */
uint64_t meter_read(void);

/* Print `bench failed: WHAT: saw SAW` and power off. */
_Noreturn void failed(const char *what, long saw);

/* test/user/bench/calls.c: calls that do next to nothing. */
uint64_t bench_getpid(unsigned count);
uint64_t bench_getppid(unsigned count);
uint64_t bench_invalid(unsigned count);
uint64_t bench_clock(unsigned count);
uint64_t bench_clock_library(unsigned count);
uint64_t bench_signal(unsigned count);

/* test/user/bench/pages.c: user memory. */
uint64_t bench_map_page(unsigned count);
uint64_t bench_map_megabyte(unsigned count);
uint64_t bench_fault(unsigned count);
uint64_t bench_unmap_touched(unsigned count);
uint64_t bench_brk(unsigned count);
uint64_t bench_protect(unsigned count);
uint64_t bench_sides(unsigned count);
uint64_t bench_sides_protect(unsigned count);

/* Anonymous memory of PAGES pages, each written to, between two pages without rights. */
char *touched(void);

/* test/user/bench/tasks.c: processes and threads. */
uint64_t bench_yield(unsigned count);
uint64_t bench_futex(unsigned count);
uint64_t bench_thread(unsigned count);
uint64_t bench_pthread(unsigned count);
uint64_t bench_fork(unsigned count);
uint64_t bench_fork_touched(unsigned count);
uint64_t bench_fork_reserved(unsigned count);
uint64_t bench_exec(unsigned count);
uint64_t bench_exec_dynamic(unsigned count);
uint64_t bench_exec_large(unsigned count);

/* A child by the call itself, without what a library does around it. Returns 0 in the child. */
long fork_child(void);

/* Wait for the child's end; a status other than 0 is a failure. */
void wait_for(long child);

/* test/user/bench/streams.c: bytes from one process to another. */
uint64_t bench_pipe(unsigned count);
uint64_t bench_unix(unsigned count);
uint64_t bench_pipe_bulk(unsigned count);
uint64_t bench_unix_bulk(unsigned count);
uint64_t bench_pty_line(unsigned count);

/* test/user/bench/events.c: what a program asks to be told of, and a path as a user. */
uint64_t bench_timer(unsigned count);
uint64_t bench_signalfd(unsigned count);
uint64_t bench_inotify(unsigned count);
uint64_t bench_trace_stop(unsigned count);
uint64_t bench_open_deep(unsigned count);

/* test/user/bench/shell.c: Debian's busybox, which is /bin/busybox. */
uint64_t bench_shell_loop(unsigned count);
uint64_t bench_shell_true(unsigned count);
