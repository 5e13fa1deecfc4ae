/*
 * The kernel lock: with several CPUs one of them at a time runs tasks in the kernel and interrupt handlers. So data
 * that only tasks touch, which the kernel does not preempt, needs no further lock: no other CPU touches it meanwhile. A
 * CPU takes the lock on its way from user mode, or from idling, into the kernel, and lets go of it on the way back;
 * programs run at the same time on all CPUs. The lock belongs to the CPU, not to the task: it stays held when the CPU
 * goes from one task to another. An interrupt on the CPU that holds it is served as on a machine with one CPU.
 *
 * With one CPU the lock is not used at all.
 */
#pragma once

#include "kernel/arch/percpu.h"
#include "kernel/lib/likely.h"

extern bool kernel_lock_used; /* there are several CPUs. Fixed after boot */

/* The number of the CPU that holds the lock, plus 1; 0: nobody does. Atomic */
extern uint32_t kernel_lock_holder;

/* How many CPUs wait for the lock in the middle of taking it. Atomic */
extern uint32_t kernel_lock_waiting;

#ifdef HOST_TEST

static inline void kernel_enter(void)
{
}

static inline void kernel_leave(void)
{
}

static inline bool kernel_lock_is_wanted(void)
{
	return false;
}

static inline void kernel_lock_lend(void)
{
}

#else

/* Return whether this CPU holds the lock. No other CPU can change the answer, so it stays right afterwards. */
static inline bool kernel_lock_is_held(void)
{
	return __atomic_load_n(&kernel_lock_holder, __ATOMIC_RELAXED) == this_cpu->number + 1;
}

/*
 * Start using the lock; the running CPU holds it then. A CPU that waits for the lock with interrupts off calls `serve`
 * in a loop: `serve` must answer other CPUs' requests, which would otherwise come as interrupts, since the holder may
 * itself be waiting for such an answer. Call once, before the other CPUs start.
 */
void kernel_lock_start(void (*serve)(void));

/*
 * Take the lock, which this CPU does not hold, and wait for it if need be. Interrupts may be on or off; if they are on,
 * they are served during the wait. A CPU that has waited for long goes first, so that none waits for ever.
 */
void kernel_lock_take(void);

/* Let go of the lock. */
void kernel_lock_release(void);

/*
 * Take the lock if no CPU holds it, even if another CPU is to go first. Returns whether this CPU holds it now. For the
 * gdb stub, while all other CPUs are held.
 */
static inline bool kernel_lock_take_free(void)
{
	uint32_t nobody = 0;

	return __atomic_compare_exchange_n(&kernel_lock_holder, &nobody, this_cpu->number + 1, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

/* Enter the kernel from user mode or from idling (_enter), or leave it (_leave). Do nothing with one CPU. */
static inline void kernel_enter(void)
{
	if (unlikely(kernel_lock_used))
		kernel_lock_take();
}

static inline void kernel_leave(void)
{
	if (unlikely(kernel_lock_used))
		kernel_lock_release();
}

/* Return whether another CPU waits for the lock: whoever holds it for long should then call kernel_lock_lend(). */
static inline bool kernel_lock_is_wanted(void)
{
	return unlikely(__atomic_load_n(&kernel_lock_waiting, __ATOMIC_RELAXED));
}

/*
 * Let the CPUs that wait for the lock have it, then take it again. Call with interrupts on, where other tasks could run
 * as well (task_give_way()).
 */
void kernel_lock_lend(void);

#endif
