/*
 * Call a UEFI runtime function with another context (set of page tables) loaded, and come back even when it faults. The
 * firmware uses the Microsoft calling convention (UEFI 2.10, "x64 Platforms").
 */
#include "kernel/arch/firmware_call.h"
#include "kernel/arch/unwind.h"

	.bss
	.balign	8
/* The stack pointer to return to while a call is in progress; otherwise 0. */
	.globl	firmware_call_stack
firmware_call_stack:
	.quad	0

/*
 * uint64_t firmware_call(uint64_t cr3, uint64_t function, const uint64_t arguments[4])
 * in:  RDI = CR3 of the firmware context, RSI = function, RDX = four arguments
 * out: RAX = what the function returned, or FIRMWARE_FAULT
 * clobbers: as the SysV ABI allows. The caller's CR3 is back on return.
 */
	.text
	.globl	firmware_call
	.type	firmware_call, @function
firmware_call:
	.cfi_startproc
	push_saved %rbp
	mov	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%cr3, %rax
	push	%rax
	mov	%rsp, firmware_call_stack(%rip)

	mov	%rsi, %rax
	mov	0(%rdx), %rcx
	mov	16(%rdx), %r8
	mov	24(%rdx), %r9
	mov	8(%rdx), %rdx
	mov	%rdi, %cr3
	and	$-16, %rsp
	sub	$32, %rsp
	call	*%rax
	jmp	1f

	/* firmware_call_fault() resumes here: on the stack that was kept, whatever the firmware left in registers. */
	.globl	firmware_call_abort
firmware_call_abort:
	mov	$FIRMWARE_FAULT, %rax
1:	mov	firmware_call_stack(%rip), %rsp
	movq	$0, firmware_call_stack(%rip)
	pop	%rcx
	mov	%rcx, %cr3
	cld
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
	.size	firmware_call, . - firmware_call

	.section .note.GNU-stack, "", @progbits
