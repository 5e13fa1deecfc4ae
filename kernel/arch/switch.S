/*
 * From one task's kernel stack to another's.
 */
#include "kernel/arch/unwind.h"

	.text
/*
 * in:  RDI = where to keep this stack pointer, RSI = the other, from an earlier call or as task_create laid it out
 * out: returns on the other stack; RAX, RCX, RDX, RSI, RDI, R8-R11 clobbered, as in any call
 */
	.globl	stack_switch
	.type	stack_switch, @function
stack_switch:
	.cfi_startproc
	push_saved %rbp
	push_saved %rbx
	push_saved %r12
	push_saved %r13
	push_saved %r14
	push_saved %r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop_saved %r15
	pop_saved %r14
	pop_saved %r13
	pop_saved %r12
	pop_saved %rbx
	pop_saved %rbp
	ret
	.cfi_endproc
	.size	stack_switch, . - stack_switch

	.section .note.GNU-stack, "", @progbits
