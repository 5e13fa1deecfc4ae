/*
 * Core files: when a fatal signal ends a process, its memory and registers are written to a file. This part stops all
 * tasks of the process and lets a layer above write the file (kernel/sys/core_dump.c).
 */
#pragma once

#include "kernel/task/process.h"
#include "kernel/task/signal_numbers.h"

#define WAIT_STATUS_CORE 0x80 /* the bit of wait4(2)'s status that tells of a core file */

/*
 * A core dump that is under way. Lies on the stack of the task that does it. Guard: tasks only, which the kernel does
 * not preempt.
 */
struct core {
	struct task *dumper; /* the task that got the signal; fixed when made */
	unsigned parked;     /* how many other tasks of the process wait in core_park() */
};

/* The signals that by default leave a core file (signal(7), "Core"). */
#define SIGNALS_CORE                                                                                                 \
	(SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGBUS) | \
	 SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ) | SIGNAL_BIT(SIGSYS))

#define CORE_LEAST PAGE_SIZE /* with a lower RLIMIT_CORE there is no file, as on Linux */

/* Return whether a signal that ends the current process by default leaves a core file. */
static inline bool core_is_wanted(int signal)
{
	const struct process *process = process_current();

	return SIGNAL_BIT(signal) & SIGNALS_CORE && process->limits[LIMIT_CORE].soft >= CORE_LEAST &&
	       process->rights.dumpable == DUMPABLE_USER;
}

/*
 * End the current process by a signal, and write the core file before its tasks end. Returns whether it was done; if
 * not, nothing has changed.
 */
struct signal_info;
bool core_dump(int signal, const struct signal_info *info);

/*
 * If a core file of the current task's process is being written, wait until that is done. Call at the beginning of a
 * task's end.
 */
void core_park(void);

/* If a core file of the process is being written, let the dumper know that one task less is to be waited for. */
void core_task_ended(const struct process *process);

/*
 * Set the function that writes the core file of the current process, whose other tasks all wait meanwhile, and returns
 * whether it has written one. Call once, at boot.
 */
void core_set_writer(bool (*writer)(int signal, const struct signal_info *info));
