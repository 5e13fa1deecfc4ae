/*
 * The one way to turn this CPU's interrupts off and on. Data that CPUs share has a lock (kernel/sync/lock.h), which
 * turns them off as well. These functions are for other cases:
 *
 *   irq_guard_enter, irq_guard_leave   for data that a CPU shares with its own interrupt handlers alone; pairs nest
 *   irq_open, irq_close                for entry code and returns to user mode: the CPU enters with interrupts off
 *   irq_close alone                    for code that never returns: power-off, a panic
 *
 * The host's tests have no interrupts: each function does nothing there.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/arch/stop_watch.h"

/* The place in the source where IRQ_HERE is expanded, as "FILE:LINE". */
#define IRQ_TEXT_OF(line) #line
#define IRQ_TEXT(line)    IRQ_TEXT_OF(line)
#define IRQ_HERE          (__FILE__ ":" IRQ_TEXT(__LINE__))

/* Turn interrupts off. Returns what irq_guard_leave needs. */
#define irq_guard_enter() irq_guard_enter_at(IRQ_HERE)

/* Turn interrupts off, or keep them off. */
#define irq_close() irq_close_at(IRQ_HERE)

#ifdef HOST_TEST

static inline uint64_t irq_guard_enter_at(const char *place)
{
	(void)place;
	return 0;
}

static inline void irq_guard_leave(uint64_t flags)
{
	(void)flags;
}

static inline void irq_close_at(const char *place)
{
	(void)place;
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

__attribute__((always_inline)) static inline uint64_t irq_guard_enter_at(const char *place)
{
	uint64_t flags = cpu_read_flags();

	cpu_interrupts_off();
	if (STOPS_WATCHED && flags & RFLAGS_IF)
		stop_watch_off(place);
	return flags;
}

/* Turn interrupts on again if they were on. */
static inline void irq_guard_leave(uint64_t flags)
{
	if (flags & RFLAGS_IF) {
		stop_watch_on();
		cpu_interrupts_on();
	} else {
		cpu_compiler_barrier();
	}
}

__attribute__((always_inline)) static inline void irq_close_at(const char *place)
{
	cpu_interrupts_off();
	stop_watch_off(place);
}

static inline void irq_open(void)
{
	stop_watch_on();
	cpu_interrupts_on();
}

/* Return whether an interrupt may come now. */
static inline bool irq_is_open(void)
{
	return cpu_read_flags() & RFLAGS_IF;
}

#endif
