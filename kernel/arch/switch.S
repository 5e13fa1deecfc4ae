/*
 * Switch from one task's kernel stack to another's.
 */
#include "kernel/arch/switch.h"
#include "kernel/arch/unwind.h"

	/* Push a register that struct switch_frame has at `offset`. */
	.macro	push_switched register, offset
	push_saved %\register
	.set	switched, switched - 8
	.if	switched != \offset
	.error	"\register is pushed at another place than struct switch_frame says"
	.endif
	.endm

	.text
/*
 * void stack_switch(uint64_t *from, uint64_t to)
 * in:  RDI = where to store the stack pointer of this task, RSI = the stack pointer of the task to run next; both stack
 *      pointers point at a struct switch_frame
 * out: returns on the new stack; RAX, RCX, RDX, RSI, RDI, R8-R11 clobbered, as in any call
 */
	.globl	stack_switch
	.type	stack_switch, @function
stack_switch:
	.cfi_startproc
	.set	switched, SWITCH_RIP /* offset of the last word pushed: the caller's CALL has pushed RIP */
	push_switched rbp, SWITCH_RBP
	push_switched rbx, SWITCH_RBX
	push_switched r12, SWITCH_R12
	push_switched r13, SWITCH_R13
	push_switched r14, SWITCH_R14
	push_switched r15, SWITCH_R15
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
