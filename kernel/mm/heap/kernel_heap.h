/*
 * The kernel's heap range: windows in it, and the heap's memory behind them.
 */
#pragma once

#include "kernel/mm/space/window.h"

/* The heap range, paging/layout.h. Kernel stacks and the heap take their windows from it. */
extern struct windows kernel_windows;

/* How many bytes the heap grows by: 2 MiB where there is memory enough, else 64 KiB. */
uint64_t kernel_heap_step(void);

/* Start windows and heap. The frame allocator and kernel_space are there. Panics when there is no memory even for that. */
void kernel_heap_init(void);
