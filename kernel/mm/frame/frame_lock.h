/*
 * The spin lock of the frame allocator's regions. Its holder keeps interrupts off: an interrupt handler that ran while
 * the lock is held would make other CPUs wait for the lock, with interrupts off, and might itself wait for an answer
 * from one of these CPUs.
 */
#pragma once

#include "kernel/arch/irq_guard.h"

/* Values of a lock: nobody has it; or its holder had interrupts off, or on, before. */
enum frame_lock { FRAME_LOCK_FREE, FRAME_LOCK_OFF, FRAME_LOCK_ON };

static inline void frame_lock_take(uint32_t *lock)
{
	const uint32_t held = irq_guard_enter() & RFLAGS_IF ? FRAME_LOCK_ON : FRAME_LOCK_OFF;

	while (__atomic_exchange_n(lock, held, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(lock, __ATOMIC_RELAXED))
			__builtin_ia32_pause();
}

static inline void frame_lock_release(uint32_t *lock)
{
	const uint64_t flags = __atomic_load_n(lock, __ATOMIC_RELAXED) == FRAME_LOCK_ON ? RFLAGS_IF : 0;

	__atomic_store_n(lock, FRAME_LOCK_FREE, __ATOMIC_RELEASE);
	irq_guard_leave(flags);
}
