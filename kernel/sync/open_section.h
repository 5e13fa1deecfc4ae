/*
 * Open sections: work that a CPU does without the kernel lock, and with interrupts off, on one object that the current
 * task has for itself, such as its process's user memory. While a CPU is in a section it waits for no other CPU but
 * one that holds a spin lock with interrupts off, and for no shootdown. So whoever has the kernel lock may wait for the
 * end of a section.
 *
 * A CPU that begins a section names the object first, and then looks whether others may use it. Whoever is about to use
 * the object with the kernel lock marks it as used first, and then looks whether a CPU has named it. Both have a full
 * fence in between, so that at least one of them sees the other. A section may have further objects, which are found
 * once the first is known to be the task's own: each is named, and looked at, in the same way.
 *
 * An object that several tasks share can have a gate. While it is open, any number of sections may read the object.
 * Whoever has the kernel lock closes the gate around a change that a reader must not see half done.
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

static inline bool open_section_begin(const void *object)
{
	(void)object;
	return true;
}

static inline void open_gate_close(struct open_gate *gate)
{
	(void)gate;
}

static inline void open_gate_open(struct open_gate *gate)
{
	(void)gate;
}

static inline void open_section_end(void)
{
}

static inline bool open_section_is_here(void)
{
	return false;
}

static inline bool open_sections_are_used(void)
{
	return false;
}

static inline void open_section_wait(const void *object)
{
	(void)object;
}

static inline void open_sections_close(void)
{
}

static inline void open_sections_allow(void)
{
}

#else

/*
 * Begin a section on `object`. Call with interrupts off, without the kernel lock, outside of any section. Returns
 * false, with no section begun, while sections are forbidden. After true the caller looks whether `object` is its own;
 * if it is not, it ends the section and does its work with the kernel lock.
 */
bool open_section_begin(const void *object);

/* The object of the section that this CPU is in; NULL: it is in none. Atomic: other CPUs read it */
extern PER_CPU const void *open_section_object;

/* What else the section on this CPU has named; NULL: nothing. Atomic: other CPUs read it. */
struct open_section_more {
	const void *object;
	const struct open_gate *gate;
};
extern PER_CPU struct open_section_more open_section_more;

static inline void open_section_end(void)
{
	struct open_section_more *more = per_cpu_pointer(open_section_more);

	__atomic_store_n(&more->object, NULL, __ATOMIC_RELEASE);
	__atomic_store_n(&more->gate, NULL, __ATOMIC_RELEASE);
	__atomic_store_n(per_cpu_pointer(open_section_object), NULL, __ATOMIC_RELEASE);
}

/* Name a second object of the section that this CPU is in; the caller then looks whether that one is its own, too. */
static inline void open_section_add(const void *object)
{
	(void)__atomic_exchange_n(&per_cpu_pointer(open_section_more)->object, object, __ATOMIC_SEQ_CST);
}

/*
 * Name what `gate` is a part of, and leave the gate that the section has entered before, if any. Returns whether the
 * gate is open: it then stays so until the section ends, or enters another one.
 */
static inline bool open_section_enter(const struct open_gate *gate)
{
	(void)__atomic_exchange_n(&per_cpu_pointer(open_section_more)->gate, gate, __ATOMIC_SEQ_CST);
	return likely(!__atomic_load_n(&gate->closed, __ATOMIC_SEQ_CST));
}

/* Return whether this CPU is in a section. Inline, since hot paths that run with the kernel lock ask, too. */
static inline bool open_section_is_here(void)
{
	return unlikely(per_cpu(open_section_object));
}

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

/* Return whether there may be sections, because there are several CPUs. */
static inline bool open_sections_are_used(void)
{
	return unlikely(kernel_lock_used);
}

/* Wait until no other CPU is in a section on `object`. Call with the kernel lock, after marking `object` as shared. */
void open_section_wait_slowly(const void *object);
static inline void open_section_wait(const void *object)
{
	if (unlikely(kernel_lock_used))
		open_section_wait_slowly(object);
}

/*
 * open_sections_forbid: let no section begin. open_sections_are_over: return whether no other CPU is in one. A CPU may
 * call these two without the kernel lock when it is about to stop all others.
 * open_sections_close: forbid sections, and wait until they are over; call with the kernel lock.
 * open_sections_allow: undo one open_sections_forbid() or open_sections_close(). Pairs nest.
 */
void open_sections_forbid(void);
bool open_sections_are_over(void);
void open_sections_close(void);
void open_sections_allow(void);

#endif
