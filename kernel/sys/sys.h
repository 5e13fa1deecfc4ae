/*
 * System calls: the table, and the one way into it. A family a file: sys_memory.c, sys_file.c, …; each function is named
 * after its Linux man page.
 */
#pragma once

#include "kernel/fs/errno.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/sys/syscall_numbers.h"

/* The arguments as they lie in the registers; a result, or a negative error number. In the task's context, interrupts on. */
typedef int64_t syscall_fn(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/* By number; those that are not there answer -ENOSYS. The entry code goes by it. */
extern syscall_fn *const syscall_functions[SYSCALL_TABLE];

/* Their names; NULL for those that are not there. */
extern const char *const syscall_names[SYSCALL_TABLE];

/*
 * What each number has cost so far: the monitor's `syscalls`. The last is for numbers beyond the table.
 * Guard: own CPU; the entry code counts, others only read.
 */
struct syscall_cost {
	uint64_t calls;      /* the entry code counts these two */
	uint64_t cr3_writes; /* from call to return: while a call waits, those of the others are its own too */
	uint64_t ticks;      /* of the time-stamp counter, while the clock is on; waiting included */
};

extern struct syscall_cost syscall_costs[SYSCALL_TABLE + 1];

_Static_assert(sizeof(struct syscall_cost) == 24 && offsetof(struct syscall_cost, cr3_writes) == 8, "the entry code");

/* Let programs call. After task_init. */
void syscall_init(void);

/* Count ticks too, from the next call on, or no longer: it costs the clock's reading twice a call. Off at first. */
void syscall_clock_start(void);
void syscall_clock_stop(void);
