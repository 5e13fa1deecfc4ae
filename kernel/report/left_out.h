/*
 * Reports which memory in the firmware's map the kernel does not use, and why, for users who find that the kernel has
 * less memory than the machine.
 */
#pragma once

#include <stdint.h>

#include "kernel/report/print.h"

/*
 * Print a line for each kind of unused memory. `map`: the firmware's map, `bytes` bytes of descriptors, one every
 * `step` bytes. physical_bits: the width of the CPU's physical addresses.
 */
void left_out_print(print_fn *print, const void *map, uint64_t bytes, uint64_t step, unsigned physical_bits);
