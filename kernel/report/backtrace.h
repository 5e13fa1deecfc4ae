/*
 * Prints backtraces with names: which function called which.
 */
#pragma once

#include "kernel/report/print.h"
#include "paging/space.h"

#define BACKTRACE_MOST 32

/* The registers from which a backtrace starts. */
struct backtrace_start {
	vaddr_t rip; /* the address in line #0 */
	vaddr_t rsp;
	vaddr_t rbp;
};

/*
 * Print a line for each frame, " #0 0xffffffff80001234 name+0x12 (file:line)". If the compiler has inlined functions at
 * that address, each of them gets a line before it. Prints at most `most` lines, and BACKTRACE_MOST frames; when there
 * may be more, a line " ..." follows. Never faults, whatever the stack holds. Call in the kernel context, the only one
 * that maps all RAM.
 */
void backtrace_print(print_fn *print, const struct space *s, const struct backtrace_start *start, size_t most);
