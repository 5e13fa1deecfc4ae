/*
 * The MMIO window: device memory at virtual addresses handed out from one range, never `base + physical`.
 * What is mapped there can be used in the kernel context only; these calls work in any. Not from interrupt handlers.
 */
#pragma once

#include "kernel/mm/space/context.h"
#include "paging/pte.h"

/* The frame allocator and the kernel's space are there. Panics when there is no memory. */
void mmio_init(void);

/*
 * Map the device memory [pa, pa + size) with the memory type `type`: PROT_UC, PROT_WC or PROT_WT and nothing else; pa
 * and size need no alignment. Writable, no-execute, with the largest leaves that fit. A page on either side stays free.
 * Whoever maps memory that is mapped already gets a mapping of their own, of the same type.
 * Returns ERR_RIGHTS (another type), ERR_RANGE (size 0, a wrap, beyond the CPU's physical addresses), ERR_EXISTS (RAM
 * lies there, or a page is mapped with another type), ERR_NO_MEMORY. On error nothing has changed.
 */
MUST_CHECK enum status mmio_map(paddr_t pa, uint64_t size, enum page_prot type, void **ret);

/* Undo mmio_map, which returned `p`. No TLB has the mapping any more on return. Panics on what is no such pointer. */
void mmio_unmap(void *p);

/* A device's register of 32 bits, by a pointer into a mapping: aligned, one access. In the kernel context. */
static inline uint32_t mmio_read32(const volatile void *address)
{
	ASSERT_KERNEL_CONTEXT();
	return *(const volatile uint32_t *)address;
}

static inline void mmio_write32(volatile void *address, uint32_t value)
{
	ASSERT_KERNEL_CONTEXT();
	*(volatile uint32_t *)address = value;
}
