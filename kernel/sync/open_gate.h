/*
 * Gates of objects that several tasks share. While a gate is open, any number of open sections (open_section.h) may
 * enter it, and read the object. Whoever has the kernel lock closes the gate around a change that a section must not
 * see half done. One gate can be held: it stays closed until the CPU lets go of the kernel lock.
 *
 * With one CPU there are no sections, and gates do nothing.
 */
#pragma once

#include "kernel/lib/likely.h"
#include "kernel/sync/kernel_lock.h"

/* A gate, as part of the object that sections may read while the gate is open. All zeros: open. */
struct open_gate {
	unsigned closed; /* how many open_gate_close() have not been undone. Atomic: written with the kernel lock */
};

#ifdef HOST_TEST

static inline void open_gate_close(struct open_gate *gate)
{
	(void)gate;
}

static inline void open_gate_open(struct open_gate *gate)
{
	(void)gate;
}

static inline void open_gate_hold(struct open_gate *gate)
{
	(void)gate;
}

static inline void open_gate_forget(const struct open_gate *gate)
{
	(void)gate;
}

#else

/*
 * Close a gate, and wait until no other CPU is in a section that has entered it; or undo one open_gate_close(). Pairs
 * nest. Call both with the kernel lock, with which no task is switched in between.
 */
void open_gate_close_slowly(struct open_gate *gate);
void open_gate_open_slowly(struct open_gate *gate);

static inline void open_gate_close(struct open_gate *gate)
{
	if (unlikely(kernel_lock_used))
		open_gate_close_slowly(gate);
}

static inline void open_gate_open(struct open_gate *gate)
{
	if (unlikely(kernel_lock_used))
		open_gate_open_slowly(gate);
}

/* The gate that the holder of the kernel lock holds; NULL: none. Guard: the kernel lock */
extern struct open_gate *open_gate_held;

/*
 * Close `gate` as open_gate_close() does, and hold it in place of the one that is held, which is opened; NULL: hold
 * none. kernel_lock_release() does that too. Call with the kernel lock.
 */
void open_gate_hold(struct open_gate *gate);

/* Hold `gate` no more, if it is held: it is about to be freed, and stays closed. Call with the kernel lock. */
static inline void open_gate_forget(const struct open_gate *gate)
{
	if (unlikely(open_gate_held == gate))
		open_gate_held = NULL;
}

#endif
