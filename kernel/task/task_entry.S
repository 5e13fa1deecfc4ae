/*
 * Where a task's first run begins: task_create (kernel/task/task.c) lays out a stack that stack_switch returns from, to
 * one of these.
 */
#include "kernel/arch/unwind.h"

	.text
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
