/*
 * Kernel stacks: windows of the heap range with a guard page below, mapped in every context.
 */
#pragma once

#include "paging/types.h"

#define KERNEL_STACK_SIZE (16 * 1024)

/*
 * Allocate a stack of KERNEL_STACK_SIZE bytes; returns its lowest address, or 0 when there is no memory. Freed stacks
 * are kept, still mapped, for later calls, so most calls touch no page table. May be called in any context, but not in
 * an interrupt handler.
 */
vaddr_t kernel_stack_alloc(void);

/* Free a stack. Nobody may run on it any more. */
void kernel_stack_free(vaddr_t stack);

/* Unmap all stacks that are kept, and free their frames; returns how many frames. */
size_t kernel_stack_trim(void);
