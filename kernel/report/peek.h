/*
 * Reading memory that may not be mapped, and stacks that may be broken. Each address is looked up in the page tables,
 * and read through the direct map, so a bad address gives an error and never a fault. Call in the kernel context, which
 * has the direct map. The memory must be the heap, a kernel stack or the image, which are mapped alike in every
 * context.
 */
#pragma once

#include "paging/layout.h"
#include "paging/space.h"

/* Return a struct space for the tables at `cr3`, for lookups only: nothing can be mapped or unmapped in it. */
static inline struct space peek_space(uint64_t cr3)
{
	return (struct space){ .root = { cr3 & PTE_ADDRESS }, .direct = HHDM_BASE, .max_leaf = 3 };
}

/*
 * Copy `size` bytes from `va`; the whole range must lie in PML4 slot 511.
 * Returns ERR_RANGE (outside slot 511), ERR_NOT_FOUND (not mapped); the buffer's content is then undefined.
 */
MUST_CHECK enum status peek(const struct space *s, vaddr_t va, void *buffer, size_t size);

/*
 * Get the return addresses of the stack frames from `rbp` on, innermost first (System V ABI, AMD64 supplement, "The
 * Stack Frame"): at most `most` of them. Ends at a zero frame pointer or return address, or at a frame that cannot be
 * read. Returns how many addresses were found.
 */
size_t peek_frames(const struct space *s, vaddr_t rbp, vaddr_t *ret, size_t most);
