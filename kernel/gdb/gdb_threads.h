/*
 * Threads for gdb are tasks: their numbers, their registers wherever those are kept, their memory.
 */
#pragma once

#include "kernel/arch/trap.h"
#include "kernel/gdb/gdb_commands.h"
#include "kernel/gdb/gdb_memory.h"

/* gdb knows no thread 0: the kernel's first task, and what runs before there are tasks. */
#define GDB_KERNEL_THREAD 65536

/* The stop's frame: the registers of the task that runs. */
void gdb_threads_stop(struct trap_frame *frame);

/* struct gdb_machine's. */
int64_t gdb_threads_current(void);
bool gdb_threads_alive(int64_t id);
void gdb_threads_visit(gdb_see_thread *see, void *ctx);
void gdb_threads_get(int64_t id, struct gdb_registers *ret);
bool gdb_threads_set(int64_t id, const struct gdb_registers *r);

/* Set TF where that thread goes on: at once, or where it returns to user mode. False: it never does. */
bool gdb_threads_step(int64_t id);

/* Where the thread's addresses mean something: the context that is loaded, or that it will run in. */
struct gdb_place gdb_threads_place(int64_t id);
