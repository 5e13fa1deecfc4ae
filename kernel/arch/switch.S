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

/*
 * A new task's first instructions.
 * in: RSP at its struct trap_frame, or for a kernel task RBX = function, R12 = its argument
 */
	.globl	task_enter_user, task_enter_kernel
	.type	task_enter_user, @function
task_enter_user:
	.cfi_startproc simple
	unwind_trap_frame
	/* The frame lies where a call would need 8 bytes less of stack. */
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	task_entered_user
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	jmp	trap_return
	.cfi_endproc
	.size	task_enter_user, . - task_enter_user

	.type	task_enter_kernel, @function
task_enter_kernel:
	.cfi_startproc
	unwind_ends
	call	task_entered
	sti
	mov	%r12, %rdi
	call	*%rbx
	call	task_exit
	ud2
	.cfi_endproc
	.size	task_enter_kernel, . - task_enter_kernel

	.section .note.GNU-stack, "", @progbits
