/*
 * Reading memory that may not be there, and stacks that may be broken: asks the tables before it touches
 * anything, and reads through the direct map, so a bad address gives an error and never a fault.
 * Only for the kernel context, and for what is RAM in every context: heap, stacks, image.
 */
#pragma once

#include "paging/layout.h"
#include "paging/space.h"

/* The tables that CR3 held, for questions only: it can neither map nor unmap. */
static inline struct space peek_space(uint64_t cr3)
{
	return (struct space){ .root = { cr3 & PTE_ADDRESS }, .direct = HHDM_BASE, .max_leaf = 3 };
}

/*
 * Copy `size` bytes from `va`, which lies in slot 511 as all of the range does.
 * Returns ERR_RANGE (outside slot 511), ERR_NOT_FOUND (not mapped); the buffer's content is then undefined.
 */
MUST_CHECK enum status peek(const struct space *s, vaddr_t va, void *buffer, size_t size);

/*
 * The return addresses of the frames from `rbp` on, innermost first (System V ABI, AMD64 supplement, "The Stack
 * Frame"): at most `most` of them. Ends at a zero frame pointer, or where the chain leaves what can be read.
 */
size_t peek_frames(const struct space *s, vaddr_t rbp, vaddr_t *ret, size_t most);
