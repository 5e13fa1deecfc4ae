/*
 * What the allocators hold, for the monitor.
 */
#pragma once

#include "kernel/report/print.h"

/* Free frames of all, and what describes them. */
void report_frames(print_fn *print);

/* The heap: what it has taken, a line for each size of block in use, and in a debug build who holds what. */
void report_heap(print_fn *print);
