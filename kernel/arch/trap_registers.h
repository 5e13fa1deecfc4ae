/*
 * How assembly builds a struct trap_frame (kernel/arch/trap.h): macros that save and restore the general registers in
 * the frame's order, and sizes. For the ways into the kernel: trap_entry.S, and SYSCALL's in kernel/sys.
 */
#pragma once

#ifdef __ASSEMBLER__
/* clang-format off */

#include "kernel/arch/unwind.h"

/*
 * A frame has 23 words. The CPU aligns the part of the frame that it pushes to 16 bytes, so 8 bytes more are needed to
 * align the stack before a call.
 */
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
