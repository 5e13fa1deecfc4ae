/*
 * Memory that the firmware's map has and that is not used, for who misses some of theirs.
 */
#pragma once

#include <stdint.h>

#include "kernel/report/print.h"

/*
 * Print a line for each kind of such memory in the firmware's map: `bytes` of descriptors, one every `step`.
 * physical_bits: of the CPU's physical addresses.
 */
void left_out_print(print_fn *print, const void *map, uint64_t bytes, uint64_t step, unsigned physical_bits);
