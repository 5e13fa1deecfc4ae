/*
 * Clocks as programs name them (clock_gettime(2)): by a number for each kind, or, for the CPU time of a process or a
 * thread, by a negative number that is made of its pid or tid.
 */
#pragma once

#include "kernel/task/find.h"

enum clock_id {
	CLOCK_REALTIME,
	CLOCK_MONOTONIC,
	CLOCK_PROCESS_CPUTIME_ID,
	CLOCK_THREAD_CPUTIME_ID,
	CLOCK_MONOTONIC_RAW,
	CLOCK_REALTIME_COARSE,
	CLOCK_MONOTONIC_COARSE,
	CLOCK_BOOTTIME,
	CLOCK_TAI = 11, /* the same as CLOCK_REALTIME, as on Linux until adjtimex(2) sets a difference */
};

/*
 * The latest time to which the wall clock can be set, as on Linux: 30 years before 2^63 ns, so that the clock does not
 * overflow while the machine runs.
 */
#define WALL_CLOCK_MOST_NS ((9223372036ULL - 30 * 365 * 24 * 3600) * NS_PER_S - 1)

/* What a clock of CPU time counts; numbers as in the two low bits of such a clock's number. */
enum cpu_clock { CPU_CLOCK_ALL = 0, CPU_CLOCK_USER = 1, CPU_CLOCK_SCHED = 2 };

/* Whose CPU time a clock tells. Exactly one of `process` and `task` is not NULL. */
struct cpu_clock_owner {
	enum cpu_clock counts;
	struct process *process; /* a reference, or NULL */
	struct task *task;       /* a reference to a task of the current process, or NULL */
};

/* Return whether the clock tells CPU time. */
static inline bool clock_is_cpu_time(uint32_t id)
{
	return (int32_t)id < 0 || id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID;
}

/*
 * Find whose time a clock of CPU time tells. Returns 0, and the caller calls cpu_clock_put(), which drops the
 * reference; or -EINVAL (there is no such process or thread).
 */
int cpu_clock_find(uint32_t id, struct cpu_clock_owner *ret);
void cpu_clock_put(struct cpu_clock_owner *owner);

/* Read a clock. Returns 0 or -EINVAL (there is no such clock). */
int clock_read(uint64_t id, uint64_t *ret_ns);

/* Return whether clock_nanosleep(2) can wait for the clock, and whether it tells the calling thread's own CPU time. */
bool clock_can_sleep(uint32_t id);
bool clock_is_own_thread(uint32_t id);
