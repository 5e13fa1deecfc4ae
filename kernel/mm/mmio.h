/*
 * The MMIO window: device memory at virtual addresses handed out from one range, never `base + physical`.
 */
#pragma once

#include "paging/pte.h"

/*
 * Map the device memory [pa, pa + size) with the memory type `type` (PROT_UC, PROT_UC_MINUS or PROT_WC);
 * pa and size need no alignment. Writable, no-execute.
 * Returns ERR_RANGE (size 0, a wrap, beyond the CPU's physical addresses), ERR_EXISTS (RAM lies there),
 * ERR_NO_MEMORY; nothing is mapped then. Only usable in the kernel context.
 */
MUST_CHECK enum status mmio_map(paddr_t pa, uint64_t size, enum page_prot type, void **ret);
