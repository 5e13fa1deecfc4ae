/*
 * Reading memory that may not be mapped, and stacks that may be broken: asks the tables before touching anything, and
 * reads through the direct map, so a bad address gives an error and never a fault. Only in the kernel context, and only
 * for memory that is RAM in every context: heap, stacks, image.
 */
#pragma once

#include "paging/layout.h"
#include "paging/space.h"

/* Return a space of the tables that CR3 held, for questions only: it can neither map nor unmap. */
static inline struct space peek_space(uint64_t cr3)
{
	return (struct space){ .root = { cr3 & PTE_ADDRESS }, .direct = HHDM_BASE, .max_leaf = 3 };
}

/*
 * Copy `size` bytes from `va`; the whole range lies in slot 511.
 * Returns ERR_RANGE (outside slot 511), ERR_NOT_FOUND (not mapped); the buffer's content is then undefined.
 */
MUST_CHECK enum status peek(const struct space *s, vaddr_t va, void *buffer, size_t size);

/*
 * Get the return addresses of the frames from `rbp` on, innermost first (System V ABI, AMD64 supplement, "The Stack
 * Frame"): at most `most` of them. Ends at a zero frame pointer, or where the chain leaves memory that can be read.
 */
size_t peek_frames(const struct space *s, vaddr_t rbp, vaddr_t *ret, size_t most);
