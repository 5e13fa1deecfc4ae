/*
 * Threads for gdb: they are tasks, with their numbers, their registers wherever those are kept, and their memory.
 */
#pragma once

#include "kernel/arch/trap.h"
#include "kernel/gdb/gdb_commands.h"
#include "kernel/gdb/gdb_memory.h"

/* The number of the kernel's first task, and of what runs before there are tasks: gdb knows no thread 0. */
#define GDB_KERNEL_THREAD 65536

/* Set the frame of the stop: the registers of the task that was running. */
void gdb_threads_stop(struct trap_frame *frame);

/* The functions of struct gdb_machine about threads. */
int64_t gdb_threads_current(void);
bool gdb_threads_alive(int64_t id);
void gdb_threads_visit(gdb_see_thread *see, void *ctx);
void gdb_threads_get(int64_t id, struct gdb_registers *ret);
bool gdb_threads_set(int64_t id, const struct gdb_registers *r);

/*
 * Set TF for a thread: it takes effect at once, or where the thread returns to user mode. Returns false if it never
 * does.
 */
bool gdb_threads_step(int64_t id);

/*
 * Return the space in which a thread's addresses are meant: the context that is loaded, or the one that it will run in.
 */
struct gdb_place gdb_threads_place(int64_t id);
