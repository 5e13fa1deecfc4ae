/*
 * Interrupts off for a while: what guards, on one CPU, data that a handler shares. Nests.
 */
#pragma once

#include "kernel/arch/cpu.h"

/* Turn interrupts off. Returns what irq_guard_leave needs. */
static inline uint64_t irq_guard_enter(void)
{
	uint64_t flags = cpu_read_flags();

	cpu_interrupts_off();
	return flags;
}

/* Turn them on again if they were on. */
static inline void irq_guard_leave(uint64_t flags)
{
	if (flags & RFLAGS_IF)
		cpu_interrupts_on();
}
