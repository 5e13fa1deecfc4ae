/*
 * The gdb stub's breakpoints: int3 in the kernel's text and in programs, and the debug registers. Int3 in the kernel's
 * text and the registers are set only while the machine runs: the stub itself never meets one.
 */
#pragma once

#include "kernel/gdb/gdb_commands.h"
#include "kernel/gdb/gdb_memory.h"

/* Set a breakpoint. Returns false, with nothing changed, when none can be set there, or no register is left. */
bool gdb_breaks_insert(const struct gdb_place *place, enum gdb_break_kind kind, vaddr_t va, uint64_t size);

/* Remove a breakpoint. Returns false when there is none like that. */
bool gdb_breaks_remove(const struct gdb_place *place, enum gdb_break_kind kind, vaddr_t va, uint64_t size);

/* Remove all breakpoints. */
void gdb_breaks_clear(void);

/* Take the kernel's breakpoints out while the machine is stopped, and put them back when it goes on. */
void gdb_breaks_lift(void);
void gdb_breaks_set(void);

/* What the int3 at an address is: no breakpoint, one of the stub's, or a copy. */
enum gdb_int3 { GDB_INT3_NONE, GDB_INT3_OURS, GDB_INT3_COPY };

/*
 * Return what the int3 at `va` is. COPY: a process with breakpoints forked, and the child has them too. user: the space
 * in which the int3 was met; NULL: the kernel.
 */
enum gdb_int3 gdb_breaks_int3(vaddr_t va, const struct user_space *user);

/* Put back the byte that such a copy of int3 replaces, in the process at `place`. */
void gdb_breaks_heal(const struct gdb_place *place, vaddr_t va);

/* Find out from DR6 which of the stub's registers was hit. Returns false when none was. */
bool gdb_breaks_watch_hit(uint64_t dr6, struct gdb_stop *ret);

/* Return whether a debug register stops execution at `va`: then going on from there needs EFLAGS.RF. */
bool gdb_breaks_stops_at(vaddr_t va);
