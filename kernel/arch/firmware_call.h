/*
 * Calls of the firmware's runtime functions.
 */
#pragma once

/* What firmware_call() returns when the function faulted: no EFI_STATUS has this value. */
#define FIRMWARE_FAULT -1

#ifndef __ASSEMBLER__

#include "kernel/arch/trap.h"

/* Load `cr3`, call `function` with the four arguments, and load the caller's CR3 again. Interrupts must be off. */
uint64_t firmware_call(uint64_t cr3, uint64_t function, const uint64_t arguments[4]);

/*
 * End a faulting firmware call, which then returns FIRMWARE_FAULT; a trap_handler_fn. Returns false for a fault outside
 * the firmware's code.
 */
bool firmware_call_fault(struct trap_frame *frame);

#endif
