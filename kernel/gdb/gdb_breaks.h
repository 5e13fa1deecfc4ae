/*
 * The gdb stub's breakpoints: int3 in the kernel's text and in programs, and the debug registers. While the machine is
 * stopped, the kernel's text has no int3 and the debug registers are off, so that the stub does not trap itself.
 */
#pragma once

#include "kernel/gdb/gdb_commands.h"
#include "kernel/gdb/gdb_memory.h"

/*
 * Set a breakpoint or watchpoint at `va` in the space of `place`. Returns false, with nothing changed, when there can
 * be no breakpoint at that address, or when no debug register is free.
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
 * gdb_breaks_lift: remove the int3s from the kernel's text after the machine has stopped; call it with DR7 cleared, so
 * that no debug register stops the stub. gdb_breaks_set: write the int3s, and this CPU's debug registers, before the
 * machine continues. gdb_breaks_arm: write the debug registers alone, as each further CPU has to.
 */
void gdb_breaks_lift(void);
void gdb_breaks_set(void);
void gdb_breaks_arm(void);

/* What the int3 at an address is: not the stub's, a breakpoint of the stub's, or a copy of one in a forked process. */
enum gdb_int3 { GDB_INT3_NONE, GDB_INT3_OURS, GDB_INT3_COPY };

/*
 * Return what the int3 at `va` is. GDB_INT3_COPY: a process with breakpoints has forked, and the child has inherited
 * the int3. user: the process's memory in which the int3 was executed; NULL: the kernel's.
 */
enum gdb_int3 gdb_breaks_int3(vaddr_t va, const struct user_space *user);

/* If the int3 at `va` is a GDB_INT3_COPY, put back the byte that was there before, in the process of `place`. */
void gdb_breaks_heal(const struct gdb_place *place, vaddr_t va);

/* Find out from DR6 which of the stub's debug registers has caused the trap. Returns false when none has. */
bool gdb_breaks_watch_hit(uint64_t dr6, struct gdb_stop *ret);

/*
 * Return whether a debug register stops execution at `va`. To continue from there the CPU needs EFLAGS.RF set;
 * otherwise it stops at the same instruction again.
 */
bool gdb_breaks_stops_at(vaddr_t va);
