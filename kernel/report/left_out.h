/*
 * Which memory in the firmware's map the kernel does not use: for somebody who misses a part of it.
 */
#pragma once

#include <stdint.h>

#include "kernel/report/print.h"

/*
 * Print a line for each kind of such memory. `map`: the firmware's, `bytes` of descriptors, one every `step`.
 * physical_bits: the width of the CPU's physical addresses.
 */
void left_out_print(print_fn *print, const void *map, uint64_t bytes, uint64_t step, unsigned physical_bits);
