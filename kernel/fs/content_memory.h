/*
 * What files need of the machine: the kernel context, frames for contents, interrupts off. The host's tests have
 * memory of their own (test/host/fs_machine.h).
 */
#pragma once

#include "kernel/arch/irq_guard.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/space/hhdm.h"

/* Enter the kernel context, where contents can be reached; and leave it. Calls nest. */
static inline context_token_t store_enter(void)
{
	return kernel_context_enter();
}

static inline void store_leave(context_token_t token)
{
	kernel_context_leave(token);
}

#ifdef HOST_TEST

extern uintptr_t store_host_direct;

static inline void *store_ptr(paddr_t pa)
{
	ASSERT(context_is_loaded(&kernel_context));
	return (void *)(store_host_direct + pa.raw);
}

static inline uint64_t store_interrupts_off(void)
{
	return 0;
}

static inline void store_interrupts_restore(uint64_t flags)
{
	(void)flags;
}

#else

/* Return a pointer to the memory at `pa`. Between store_enter and store_leave. */
static inline void *store_ptr(paddr_t pa)
{
	return hhdm_ptr(pa);
}

/* Interrupts off, and as they were: around what an interrupt handler shares. */
static inline uint64_t store_interrupts_off(void)
{
	return irq_guard_enter();
}

static inline void store_interrupts_restore(uint64_t flags)
{
	irq_guard_leave(flags);
}

#endif

/* Get a frame of zeros. Between store_enter and store_leave. Returns ERR_NO_MEMORY; *ret is then as before. */
MUST_CHECK static inline enum status store_alloc(paddr_t *ret)
{
	enum status status = frame_alloc_4k(frame_cache_here(), ret);

	if (status == OK)
		memset(store_ptr(*ret), 0, PAGE_SIZE);
	return status;
}

/* Put one reference to a frame. Between store_enter and store_leave. */
static inline void store_put(paddr_t pa)
{
	frame_put(frame_cache_here(), FRAME_4K, pa);
}
