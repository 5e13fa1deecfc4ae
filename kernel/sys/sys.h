/*
 * System calls: the table, and the one way into it. A family a file: sys_memory.c, sys_file.c, …; each function is named
 * after its Linux man page.
 */
#pragma once

#include "kernel/lib/errno.h"
#include "kernel/mm/uaccess.h"

#define SYSCALLS 463 /* numbers below are Linux's */

/* The arguments as they lie in the registers; a result, or a negative error number. In the task's context, interrupts on. */
typedef int64_t syscall_fn(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

struct syscall {
	syscall_fn *call; /* NULL: -ENOSYS */
	const char *name;
};

extern const struct syscall syscalls[SYSCALLS];

/* What each number has cost so far: the monitor's `syscalls`. The last is for unknown numbers. */
struct syscall_cost {
	uint64_t calls;
	uint64_t cr3_writes; /* from call to return: while a call waits, those of the others are its own too */
	uint64_t ticks;      /* of the time-stamp counter, while the clock is on; waiting included */
};

extern struct syscall_cost syscall_costs[SYSCALLS + 1];

/* Let programs call. After task_init. */
void syscall_init(void);

/* Count ticks too, from the next call on, or no longer: it costs the clock's reading twice a call. Off at first. */
void syscall_clock_start(void);
void syscall_clock_stop(void);
