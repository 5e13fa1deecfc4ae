/*
 * How a debugger gets from kernel code to what that code interrupted: call frame information (DWARF 5, "Call Frame
 * Information") for assembly, which the compiler cannot describe. The information is in kernel.elf only; none of it is
 * in the boot file, and none of it runs.
 */
#pragma once

#ifdef __ASSEMBLER__
/* clang-format off */

	.cfi_sections .debug_frame

/* Mark a function that nobody called: a backtrace ends in it. */
	.macro	unwind_ends
	.cfi_undefined %rip
	.endm

/* Say that the CPU's words RIP, CS, RFLAGS, RSP, SS lie `above` bytes above the stack pointer. */
	.macro	unwind_interrupted above
	.cfi_signal_frame
	.cfi_def_cfa %rsp, \above + 40
	.cfi_offset %rip, -40
	.cfi_offset %rsp, -16
	.endm

/* Say that the stack pointer is at a struct trap_frame (kernel/arch/trap.h): CR3, fifteen registers, vector, error. */
	.macro	unwind_trap_frame
	unwind_interrupted 144
	.cfi_rel_offset %r15, 8
	.cfi_rel_offset %r14, 16
	.cfi_rel_offset %r13, 24
	.cfi_rel_offset %r12, 32
	.cfi_rel_offset %r11, 40
	.cfi_rel_offset %r10, 48
	.cfi_rel_offset %r9, 56
	.cfi_rel_offset %r8, 64
	.cfi_rel_offset %rbp, 72
	.cfi_rel_offset %rdi, 80
	.cfi_rel_offset %rsi, 88
	.cfi_rel_offset %rdx, 96
	.cfi_rel_offset %rcx, 104
	.cfi_rel_offset %rbx, 112
	.cfi_rel_offset %rax, 120
	.endm

/* Push or pop a register, and tell the debugger. */
	.macro	push_saved register
	push	\register
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \register, 0
	.endm

	.macro	pop_saved register
	pop	\register
	.cfi_adjust_cfa_offset -8
	.cfi_restore \register
	.endm

/* clang-format on */
#endif
