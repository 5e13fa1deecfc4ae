/*
 * Who called whom, with names.
 */
#pragma once

#include "kernel/report/print.h"
#include "paging/space.h"

#define BACKTRACE_MOST 32

/* Where a stack is read from. */
struct backtrace_start {
	vaddr_t rip; /* line #0 */
	vaddr_t rsp;
	vaddr_t rbp;
};

/*
 * A line for each frame, " #0  0xffffffff80001234 name+0x12 (file:line)", and one before it for each function that is
 * inlined there; at most `most` lines, and BACKTRACE_MOST frames.
 * Never faults, whatever the stack holds. Only in the kernel context.
 */
void backtrace_print(print_fn *print, const struct space *s, const struct backtrace_start *start, size_t most);
