/*
 * System calls: the table, and the one way into it. Each family has a file: sys_memory.c, sys_file.c, …; each function
 * is named after its Linux man page.
 */
#pragma once

#include "kernel/fs/errno.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/sys/syscall_numbers.h"

/*
 * A system call. Takes the arguments as they lie in the registers; returns a result or a negative error number. In the
 * task's context, interrupts on.
 */
typedef int64_t syscall_fn(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/*
 * The functions by number; sys_missing, which answers -ENOSYS, where there is no call. The entry code calls by this
 * table.
 */
extern syscall_fn *const syscall_functions[SYSCALL_TABLE];

/* The calls' names by number; NULL where there is no call. */
extern const char *const syscall_names[SYSCALL_TABLE];

/*
 * What each number has cost so far: the monitor's `syscalls`. The last entry is for all numbers beyond the table.
 * Guard: own CPU; the entry code counts, others only read.
 */
struct syscall_cost {
	uint64_t calls; /* how often it was called; the entry code counts this field and the next */
	/* CR3 writes from call to return; while a call waits, other tasks' CR3 writes count as its own */
	uint64_t cr3_writes;
	uint64_t ticks; /* ticks of the time-stamp counter, while the clock is on; waiting is included */
};

extern struct syscall_cost syscall_costs[SYSCALL_TABLE + 1];

_Static_assert(sizeof(struct syscall_cost) == 24 && offsetof(struct syscall_cost, cr3_writes) == 8, "the entry code");

/* Make the file system of memfd_create's files (sys_fd.c). Returns 0 or -ENOMEM. Once, before the first program. */
int memory_files_init(void);

/* Let programs make system calls. After task_init. */
void syscall_init(void);

/* Start or stop counting ticks, from the next call on: it costs reading the clock twice a call. Off at first. */
void syscall_clock_start(void);
void syscall_clock_stop(void);
