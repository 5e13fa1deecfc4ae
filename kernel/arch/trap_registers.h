/*
 * How assembly builds a struct trap_frame (kernel/arch/trap.h): the macros that save and restore the general registers
 * in the frame's order, and the sizes that a caller needs. For the ways into the kernel, each in the room that it calls.
 */
#pragma once

#ifdef __ASSEMBLER__
/* clang-format off */

#include "kernel/arch/unwind.h"

/* 23 words: the CPU aligns its part to 16 bytes, so a call from there needs 8 more. */
#define FRAME_SIZE 184
#define CALL_PAD   8

	.macro	push_registers
	push_saved %rax
	push_saved %rbx
	push_saved %rcx
	push_saved %rdx
	push_saved %rsi
	push_saved %rdi
	push_saved %rbp
	push_saved %r8
	push_saved %r9
	push_saved %r10
	push_saved %r11
	push_saved %r12
	push_saved %r13
	push_saved %r14
	push_saved %r15
	.endm

	.macro	pop_registers
	pop_saved %r15
	pop_saved %r14
	pop_saved %r13
	pop_saved %r12
	pop_saved %r11
	pop_saved %r10
	pop_saved %r9
	pop_saved %r8
	pop_saved %rbp
	pop_saved %rdi
	pop_saved %rsi
	pop_saved %rdx
	pop_saved %rcx
	pop_saved %rbx
	pop_saved %rax
	.endm

/* clang-format on */
#endif
