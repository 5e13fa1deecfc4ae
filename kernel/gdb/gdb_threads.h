/*
 * The kernel's tasks as gdb's threads: numbers, registers and memory.
 */
#pragma once

#include "kernel/arch/trap.h"
#include "kernel/gdb/gdb_commands.h"
#include "kernel/gdb/gdb_memory.h"

/*
 * The thread number of task 0, and of the kernel before there are tasks. Number 0 is not used, since it means "any
 * thread" to gdb.
 */
#define GDB_KERNEL_THREAD 65536

/* The thread number of CPU 0's idle task; those of the other CPUs follow. */
#define GDB_IDLE_THREADS (GDB_KERNEL_THREAD + 1)

/*
 * gdb_threads_hold, gdb_threads_let_go: called on each other CPU when it begins and ends to wait for the stub: the
 * first keeps its registers, and clears DR7, so that no debug register stops the CPU while it waits. gdb_threads_queue:
 * note the trap for which this CPU wants to stop the machine next, or NULL when it no longer waits for that.
 */
void gdb_threads_hold(struct trap_frame *frame);
void gdb_threads_let_go(void);
void gdb_threads_queue(struct trap_frame *frame);

/* Return whether each other CPU waits in user mode, or in its idle task. */
bool gdb_threads_are_outside(void);

/* Return the task that gdb knows by a number; NULL: there is none. */
struct task *gdb_threads_task(int64_t id);

/* Set the trap frame of the stop, which has the current thread's registers. Call before the functions below. */
void gdb_threads_stop(struct trap_frame *frame);

/* These functions are members of struct gdb_machine, which describes them (gdb_commands.h). */
int64_t gdb_threads_current(void);
bool gdb_threads_alive(int64_t id);
void gdb_threads_visit(gdb_see_thread *see, void *ctx);
void gdb_threads_get(int64_t id, struct gdb_registers *ret);
bool gdb_threads_set(int64_t id, const struct gdb_registers *r);

/*
 * Set TF for a thread: it steps one instruction at once if a CPU runs it, otherwise when it has returned to user mode.
 * Returns false when no CPU runs the thread, and it is a kernel task or dead.
 */
bool gdb_threads_step(int64_t id);

/*
 * If the next instruction is SYSRET or IRET, emulate it: change the registers that were saved at the stop as the
 * instruction would change them, so that the machine stands behind it, as after a step. The CPU's own single step
 * cannot be used here, since both instructions load the flags, and with them TF, which turns it on.
 * Returns false, with nothing changed, when the next instruction is another one.
 */
bool gdb_threads_leave_kernel(void);

/*
 * Return the page tables for a thread's addresses: for the current thread those that were loaded when the machine
 * stopped, with the process's memory also if that was the kernel context; for others those of the thread's process, or
 * the kernel's for a kernel task.
 */
struct gdb_place gdb_threads_place(int64_t id);
