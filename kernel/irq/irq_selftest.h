/*
 * Interrupts and time, tried on the real CPU.
 */
#pragma once

#include "paging/types.h"

/*
 * Run all checks and call `result` for each, with what was tried and whether it held. Takes about a quarter of a
 * second; needs interrupts on, the kernel context, and a free frame. Leaves no timer behind.
 */
void irq_selftest(void (*result)(const char *name, bool good));
