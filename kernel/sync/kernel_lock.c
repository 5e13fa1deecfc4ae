/*
 * The kernel lock is one word that a CPU swaps its number into. A CPU that finds it free takes it, whether others wait
 * or not: under an emulator or a hypervisor a queue would often hand the lock to a CPU that is not running just then.
 * But a CPU that has tried PATIENCE times becomes the `first`: no other CPU may take the lock before it has.
 */
#include "kernel/sync/kernel_lock.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/lib/panic.h"

#define PATIENCE 1000000

bool kernel_lock_used;        /* fixed after boot */
uint32_t kernel_lock_holder;  /* atomic */
uint32_t kernel_lock_waiting; /* atomic */

static uint32_t first;          /* number of the CPU that goes first, plus 1; 0: none. Atomic */
static void (*serve_own)(void); /* kernel_lock_start()'s `serve`. Fixed after boot */

void kernel_lock_start(void (*serve)(void))
{
	serve_own = serve;
	kernel_lock_holder = this_cpu->number + 1;
	kernel_lock_used = true;
}

static bool try(uint32_t self)
{
	uint32_t nobody = 0, ahead = __atomic_load_n(&first, __ATOMIC_RELAXED);

	if ((ahead && ahead != self) || __atomic_load_n(&kernel_lock_holder, __ATOMIC_RELAXED))
		return false;
	if (!__atomic_compare_exchange_n(&kernel_lock_holder, &nobody, self, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	if (ahead == self)
		__atomic_store_n(&first, 0, __ATOMIC_RELAXED);
	return true;
}

void kernel_lock_take(void)
{
	const uint32_t self = this_cpu->number + 1;
	const bool open = irq_is_open();
	uint32_t nobody;

	ASSERT(!kernel_lock_is_held());
	if (try(self))
		return;
	__atomic_add_fetch(&kernel_lock_waiting, 1, __ATOMIC_RELAXED);
	for (unsigned tries = 0; !try(self); tries++) {
		nobody = 0;
		if (tries >= PATIENCE)
			__atomic_compare_exchange_n(&first, &nobody, self, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
		if (!open)
			serve_own();
		cpu_pause();
	}
	__atomic_sub_fetch(&kernel_lock_waiting, 1, __ATOMIC_RELAXED);
}

void kernel_lock_release(void)
{
	ASSERT(kernel_lock_is_held());
	__atomic_store_n(&kernel_lock_holder, 0, __ATOMIC_RELEASE);
}

void kernel_lock_lend(void)
{
	kernel_lock_release();
	/* A CPU that waits needs a moment to see that the lock is free. */
	for (int i = 0; i < 2000 && !__atomic_load_n(&kernel_lock_holder, __ATOMIC_RELAXED); i++)
		cpu_pause();
	kernel_lock_take();
}
