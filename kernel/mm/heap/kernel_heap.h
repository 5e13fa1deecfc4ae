/*
 * The kernel's heap range: the windows (reserved parts of it), and the memory that backs the heap.
 */
#pragma once

#include "kernel/mm/space/window.h"

/* The windows of the heap range (paging/layout.h). Kernel stacks and the heap reserve theirs here. */
extern struct windows kernel_windows;

/* Return how many bytes the heap grows by: 2 MiB where there is memory enough, else 64 KiB. */
uint64_t kernel_heap_step(void);

/*
 * Start the windows and the heap. Call after kernel_space_init(). Panics when there is too little memory for that.
 */
void kernel_heap_init(void);
