/*
 * The monitor's report on the allocators.
 */
#pragma once

#include "kernel/report/print.h"

/* Print how many frames are free, of how many, and what their books take. */
void report_frames(print_fn *print);

/* Print what the heap has taken, a line for each size of block in use, and in a debug build which owner holds what. */
void report_heap(print_fn *print);
