/*
 * The way into the firmware's runtime code and back.
 */
#pragma once

/* What a call "returns" when it faulted: no EFI_STATUS has this value. */
#define FIRMWARE_FAULT -1

#ifndef __ASSEMBLER__

#include "kernel/arch/trap.h"

/* Load `cr3`, call `function` with the four arguments, load the caller's CR3 again. Interrupts must be off. */
uint64_t firmware_call(uint64_t cr3, uint64_t function, const uint64_t arguments[4]);

/* A trap_handler_fn: a fault inside a firmware call ends that call with FIRMWARE_FAULT. */
bool firmware_call_fault(struct trap_frame *frame);

#endif
