/*
 * System calls: the table of functions, and statistics. Each family of calls has a file: sys_memory.c, sys_file.c, …;
 * each function is named sys_ and the call's name on Linux.
 */
#pragma once

#include "kernel/arch/percpu.h"
#include "kernel/fs/errno.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/sys/syscall_numbers.h"

/*
 * A system call. Takes the contents of the argument registers; returns a result or a negative error number. Called with
 * interrupts on, and with the page tables of the task's process loaded.
 */
typedef int64_t syscall_fn(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/*
 * The functions by number; sys_missing, which returns -ENOSYS, where there is no call. The entry code (syscall_entry.S)
 * calls through this table.
 */
extern syscall_fn *const syscall_functions[SYSCALL_TABLE];

/* The calls' names by number; NULL where there is no call. */
extern const char *const syscall_names[SYSCALL_TABLE];

/*
 * What each open call does without the kernel lock, where there are several CPUs (docs/locking.md); NULL: the call
 * takes the lock. May return SYSCALL_NEEDS_LOCK, with nothing done: the call is then made with the lock.
 */
extern syscall_fn *const syscall_open_functions[SYSCALL_TABLE];

#define SYSCALL_NEEDS_LOCK INT64_MIN

/*
 * Statistics of the calls with one number, for the command `syscalls` of the kernel monitor (a debugging console).
 * Guard: the CPU's own tasks, which the kernel does not preempt. Only the entry of system calls writes the counts
 * (syscall_entry.S, syscall_leave.c), no interrupt handler; other CPUs read them.
 */
struct syscall_cost {
	uint64_t calls; /* number of calls */
	/* CR3 writes from call to return, including those of other tasks that run while the call waits */
	uint64_t cr3_writes;
	uint64_t ticks; /* TSC ticks from call to return, with waiting; counted after syscall_clock_start() */
};

/* A CPU's counts. The last entry is for all numbers beyond the table. */
struct syscall_costs {
	struct syscall_cost of[SYSCALL_TABLE + 1];
};

extern PER_CPU struct syscall_costs syscall_costs;

/* Return the counts of all CPUs together. `number` may be SYSCALL_TABLE: those of the last entry. */
struct syscall_cost syscall_cost_of(unsigned number);

/*
 * Return a number that changes when the CPU `here` begins a system call, or another CPU one that takes the kernel lock.
 * Open calls of other CPUs do not count: they go on even if `here` keeps the lock for ever.
 */
uint64_t syscall_progress_of(const struct percpu *here);

_Static_assert(sizeof(struct syscall_cost) == 24 && offsetof(struct syscall_cost, cr3_writes) == 8, "the entry code");

/* Make the file system of memfd_create(2) (sys_fd.c). Call once, before the first program. Returns 0 or -ENOMEM. */
int memory_files_init(void);

/* Let programs make system calls. Call after task_init(). */
void syscall_init(void);

/* Have system calls take the kernel lock if there are several CPUs. Call once, before the first program. */
void syscall_cpus_started(void);

/*
 * Start or stop counting the TSC ticks of calls, which costs two reads of the TSC for each call. At first no ticks are
 * counted.
 */
void syscall_clock_start(void);
void syscall_clock_stop(void);
