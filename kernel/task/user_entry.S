/*
 * Where a program's task begins its first run, on its way to user mode: task_start_user (kernel/task/task.c) has laid
 * out a stack that makes stack_switch return here.
 */
#include "kernel/arch/unwind.h"

	.text
/*
 * A new program's task's first instructions in the kernel.
 * in: RSP at the task's struct trap_frame, interrupts off, task_lock held
 */
	.globl	task_enter_user
	.type	task_enter_user, @function
task_enter_user:
	.cfi_startproc simple
	unwind_trap_frame
	/* The trap frame ends where a call would need the stack 8 bytes lower to be aligned. */
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	task_entered_user
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	jmp	trap_return
	.cfi_endproc
	.size	task_enter_user, . - task_enter_user

	.section .note.GNU-stack, "", @progbits
