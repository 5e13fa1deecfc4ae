/*
 * From one task's kernel stack to another's.
 */
	.text
/*
 * in:  RDI = where to keep this stack pointer, RSI = the other, from an earlier call or as task_create laid it out
 * out: returns on the other stack; RAX, RCX, RDX, RSI, RDI, R8-R11 clobbered, as in any call
 */
	.globl	stack_switch
	.type	stack_switch, @function
stack_switch:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	stack_switch, . - stack_switch

/*
 * A new task's first instructions.
 * in: RSP at its struct trap_frame, or for a kernel task RBX = function, R12 = its argument
 */
	.globl	task_enter_user, task_enter_kernel
	.type	task_enter_user, @function
task_enter_user:
	/* The frame lies where a call would need 8 bytes less of stack. */
	sub	$8, %rsp
	call	task_entered_user
	add	$8, %rsp
	jmp	trap_return
	.size	task_enter_user, . - task_enter_user

	.type	task_enter_kernel, @function
task_enter_kernel:
	call	task_entered
	sti
	mov	%r12, %rdi
	call	*%rbx
	call	task_exit
	ud2
	.size	task_enter_kernel, . - task_enter_kernel

	.section .note.GNU-stack, "", @progbits
