/*
 * The one way to turn this CPU's interrupts off and on. Data that CPUs share has a lock (kernel/sync/lock.h), which turns
 * them off as well. These functions are for the rest:
 *
 *   irq_guard_enter, irq_guard_leave   for data that a CPU shares with its own interrupt handlers alone; pairs nest
 *   irq_open, irq_close                for entry code and returns to user mode: the CPU enters with interrupts off
 *   irq_close alone                    for code that never returns: power-off, the panic page
 *
 * The host's tests have no interrupts: each function does nothing there.
 */
#pragma once

#include "kernel/arch/cpu.h"

#ifdef HOST_TEST

static inline uint64_t irq_guard_enter(void)
{
	return 0;
}

static inline void irq_guard_leave(uint64_t flags)
{
	(void)flags;
}

static inline void irq_close(void)
{
}

static inline void irq_open(void)
{
}

/* Return whether an interrupt may come now. */
static inline bool irq_is_open(void)
{
	return false;
}

#else

/* Turn interrupts off. Returns what irq_guard_leave needs. */
static inline uint64_t irq_guard_enter(void)
{
	uint64_t flags = cpu_read_flags();

	cpu_interrupts_off();
	return flags;
}

/* Turn interrupts on again if they were on. */
static inline void irq_guard_leave(uint64_t flags)
{
	if (flags & RFLAGS_IF)
		cpu_interrupts_on();
	else
		cpu_compiler_barrier();
}

static inline void irq_close(void)
{
	cpu_interrupts_off();
}

static inline void irq_open(void)
{
	cpu_interrupts_on();
}

/* Return whether an interrupt may come now. */
static inline bool irq_is_open(void)
{
	return cpu_read_flags() & RFLAGS_IF;
}

#endif
