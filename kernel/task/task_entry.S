/*
 * The code at which a kernel task begins its first run: task_start_kernel (kernel/task/task.c) makes a stack from which
 * stack_switch returns here. A program's task begins in kernel/task/user_entry.S.
 */
#include "kernel/arch/unwind.h"

	.text
/*
 * Call a new kernel task's function, and end the task when that returns.
 * in: RBX = function, R12 = its argument, interrupts off, task_lock held (task_entered_kernel releases it); does not
 * return
 */
	.globl	task_enter_kernel
	.type	task_enter_kernel, @function
task_enter_kernel:
	.cfi_startproc
	unwind_ends
	call	task_entered_kernel
	mov	%r12, %rdi
	call	*%rbx
	call	task_exit
	ud2
	.cfi_endproc
	.size	task_enter_kernel, . - task_enter_kernel

	.section .note.GNU-stack, "", @progbits
