/*
 * Kernel stacks: windows of the heap range with a guard page below, mapped in every context.
 */
#pragma once

#include "paging/types.h"

#define KERNEL_STACK_SIZE (16 * 1024)

/*
 * A stack of KERNEL_STACK_SIZE bytes; its lowest address. Some that were freed are kept for the next, so most calls touch no
 * table. 0: no memory. In any context, interrupts on or off.
 */
vaddr_t kernel_stack_alloc(void);

/* Give it back. Nobody runs on it. */
void kernel_stack_free(vaddr_t stack);

/* Give all that is kept back to the frames; how many frames that was. */
size_t kernel_stack_trim(void);
