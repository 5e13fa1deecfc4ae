/*
 * Open sections: work that a CPU does without the kernel lock, and with interrupts off, on one object that the current
 * task has for itself, such as its process's user memory. While a CPU is in a section it waits for no other CPU but
 * one that holds a spin lock with interrupts off, and for no shootdown. So whoever has the kernel lock may wait for the
 * end of a section.
 *
 * A CPU names the object first, and then looks whether others may use it; who is about to use it says so first, and
 * then looks whether a CPU has named it. Both have a full fence in between, so that at least one of them sees the
 * other.
 *
 * With one CPU there are no sections.
 */
#pragma once

#include "kernel/lib/likely.h"
#include "kernel/sync/kernel_lock.h"

#ifdef HOST_TEST

static inline bool open_section_begin(const void *object)
{
	(void)object;
	return true;
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
void open_section_end(void);

/* The object of the section that this CPU is in; NULL: it is in none. Atomic: other CPUs read it */
extern PER_CPU const void *open_section_object;

/* Return whether this CPU is in a section. Inline, since hot paths that run with the kernel lock ask, too. */
static inline bool open_section_is_here(void)
{
	return unlikely(per_cpu(open_section_object));
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
 * open_sections_forbid: let no section begin. open_sections_are_over: return whether no other CPU is in one. Both for
 * a CPU that is about to stop all others, too.
 * open_sections_close: forbid sections, and wait until they are over; call with the kernel lock.
 * open_sections_allow: undo one open_sections_forbid() or open_sections_close(). Pairs nest.
 */
void open_sections_forbid(void);
bool open_sections_are_over(void);
void open_sections_close(void);
void open_sections_allow(void);

#endif
