/*
 * Conversion between physical addresses and pointers, by the direct map (HHDM), which only the kernel context maps.
 */
#pragma once

#include "kernel/mm/space/context.h"
#include "paging/layout.h"
#include "paging/types.h"

/* Return the pointer to `pa` in the direct map. `pa` must be RAM, and the kernel context loaded. */
static inline void *hhdm_ptr(paddr_t pa)
{
	ASSERT_KERNEL_CONTEXT();
	ASSERT(pa.raw < HHDM_SIZE);
	return (void *)(HHDM_BASE + pa.raw);
}

/* Return the physical address of a direct-map pointer. */
static inline paddr_t hhdm_paddr(const void *p)
{
	ASSERT((uintptr_t)p - HHDM_BASE < HHDM_SIZE);
	return paddr((uintptr_t)p - HHDM_BASE);
}
