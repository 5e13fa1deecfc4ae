/*
 * The two doors between physical addresses and pointers, by the direct map, which is mapped in the kernel context only.
 */
#pragma once

#include "kernel/mm/space/context.h"
#include "paging/layout.h"
#include "paging/types.h"

/* Return the pointer to `pa` in the direct map. Only for RAM; only in the kernel context. */
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
