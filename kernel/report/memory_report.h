/*
 * Reports on the allocators, for the monitor (the kernel's own prompt) and sysfs.
 */
#pragma once

#include "kernel/report/print.h"

/* Print how many frames there are and how many are free, and the size of the allocator's records of them. */
void report_frames(print_fn *print);

/*
 * Print how much memory the heap has, a line for each size of block in use, and in a debug build one for each function
 * that has allocated blocks.
 */
void report_heap(print_fn *print);
