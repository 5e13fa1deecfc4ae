/*
 * The gdb stub's breakpoints: int3 in the kernel's text and in programs, and the debug registers. Those in the kernel's
 * text and the registers are there only while the machine runs: the stub itself never meets one.
 */
#pragma once

#include "kernel/gdb/gdb_commands.h"
#include "kernel/gdb/gdb_memory.h"

/* False: nothing can be put there, or no register is left; nothing has changed. */
bool gdb_breaks_insert(const struct gdb_place *place, enum gdb_break_kind kind, vaddr_t va, uint64_t size);

/* False: there is none like that. */
bool gdb_breaks_remove(const struct gdb_place *place, enum gdb_break_kind kind, vaddr_t va, uint64_t size);

/* All of them. */
void gdb_breaks_clear(void);

/* The machine stops: lift them. It goes on: set them. */
void gdb_breaks_lift(void);
void gdb_breaks_set(void);

/* Whose the int3 at `va` is. */
enum gdb_int3 { GDB_INT3_NONE, GDB_INT3_OURS, GDB_INT3_COPY };

/* COPY: a fork of a process with breakpoints took it along. user: the space it was met in; NULL: the kernel. */
enum gdb_int3 gdb_breaks_int3(vaddr_t va, const struct user_space *user);

/* Put back what was under such a copy, in the process at `place`. */
void gdb_breaks_heal(const struct gdb_place *place, vaddr_t va);

/* What DR6 says of our registers. False: none of them. */
bool gdb_breaks_watch_hit(uint64_t dr6, struct gdb_stop *ret);

/* Whether a debug register stops execution at `va`: then going on from there needs EFLAGS.RF. */
bool gdb_breaks_stops_at(vaddr_t va);
