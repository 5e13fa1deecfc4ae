/*
 * The code at which a program's task begins its first run: task_start_user (kernel/task/task.c) makes a stack from
 * which stack_switch returns here.
 */
#include "kernel/arch/unwind.h"

	.text
/*
 * Finish the first switch to a program's task, and go to user mode.
 * in: RSP at the task's struct trap_frame, interrupts off, task_lock held (task_entered_user releases it)
 */
	.globl	task_enter_user
	.type	task_enter_user, @function
task_enter_user:
	.cfi_startproc simple
	unwind_trap_frame
	/* RSP is 8 more than a multiple of 16 here, and must be a multiple of 16 at a call. */
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	task_entered_user
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	jmp	trap_return
	.cfi_endproc
	.size	task_enter_user, . - task_enter_user

	.section .note.GNU-stack, "", @progbits
