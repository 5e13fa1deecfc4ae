/*
 * The MMIO window: device memory is mapped at virtual addresses that are handed out from one range, whatever its
 * physical address is. The mappings can be used in the kernel context only; the functions may be called in any context,
 * but not in interrupt handlers.
 */
#pragma once

#include "kernel/mm/space/context.h"
#include "paging/pte.h"

/* Start the window. The frame allocator and the kernel's space must be ready. Panics when there is no memory. */
void mmio_init(void);

/*
 * Map the device memory [pa, pa + size) with the memory type `type`: PROT_UC, PROT_WC or PROT_WT and nothing else; pa
 * and size need no alignment. The mapping is writable and no-execute, and has the largest leaves that fit; the pages
 * before and after it stay unmapped. Memory that is mapped already gets a second mapping, of the same type.
 * Returns ERR_RIGHTS (another type), ERR_RANGE (size 0, a wrap, beyond the CPU's physical addresses), ERR_EXISTS (RAM
 * lies there, or a page is mapped with another type), ERR_NO_MEMORY. On error nothing has changed.
 */
MUST_CHECK enum status mmio_map(paddr_t pa, uint64_t size, enum page_prot type, void **ret);

/* Undo the mmio_map that returned `p`; panics if none did. On return no TLB has the mapping any more. */
void mmio_unmap(void *p);

/*
 * Access a device's register of 32 bits, by one access through an aligned pointer into a mapping. Call while the kernel
 * context is loaded.
 */
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
