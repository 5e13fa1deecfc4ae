/*
 * The gdb stub's breakpoints: int3 in the kernel's text and in programs, and the debug registers. While the machine is
 * stopped, the kernel's text has no int3 and the debug registers are off, so that the stub does not trap itself.
 */
#pragma once

#include "kernel/gdb/gdb_commands.h"
#include "kernel/gdb/gdb_memory.h"

/*
 * Set a breakpoint or watchpoint at `va` in the space of `place`. Returns false, with nothing changed, when the place
 * cannot have one, or no debug register is free.
 */
bool gdb_breaks_insert(const struct gdb_place *place, enum gdb_break_kind kind, vaddr_t va, uint64_t size);

/*
 * Remove a breakpoint that gdb_breaks_insert() has set with the same values; if there is no such software breakpoint,
 * remove one at `va` in another process. Returns false when there is none.
 */
bool gdb_breaks_remove(const struct gdb_place *place, enum gdb_break_kind kind, vaddr_t va, uint64_t size);

/* Remove all breakpoints. */
void gdb_breaks_clear(void);

/*
 * Take the int3s out of the kernel's text, when the machine has stopped; write them, and the debug registers, before it
 * goes on. Call gdb_breaks_lift() with DR7 cleared, so that no debug register stops the stub.
 */
void gdb_breaks_lift(void);
void gdb_breaks_set(void);

/* What the int3 at an address is: none of the stub's, a breakpoint, or a copy of one in a forked process. */
enum gdb_int3 { GDB_INT3_NONE, GDB_INT3_OURS, GDB_INT3_COPY };

/*
 * Return what the int3 at `va` is. GDB_INT3_COPY: a process with breakpoints has forked, and the child has inherited
 * the int3. user: the process's memory in which the int3 was executed; NULL: the kernel's.
 */
enum gdb_int3 gdb_breaks_int3(vaddr_t va, const struct user_space *user);

/* Replace a GDB_INT3_COPY at `va`, in the process at `place`, by the byte that was there before. */
void gdb_breaks_heal(const struct gdb_place *place, vaddr_t va);

/* Find out from DR6 which of the stub's registers was hit. Returns false when none was. */
bool gdb_breaks_watch_hit(uint64_t dr6, struct gdb_stop *ret);

/*
 * Return whether a debug register stops execution at `va`. To go on from there the CPU needs EFLAGS.RF set; otherwise
 * it stops at the same instruction again.
 */
bool gdb_breaks_stops_at(vaddr_t va);
