/*
 * The way into the kernel for exceptions and interrupts: pushes what struct trap_frame (kernel/arch/trap.h) says, and
 * calls trap_dispatch. SYSCALL has its own way in, kernel/sys/syscall_entry.S, and may leave by trap_return here.
 */
#include "kernel/arch/percpu.h"
#include "kernel/arch/trap_numbers.h"
#include "kernel/arch/trap_registers.h"
#include "kernel/arch/unwind.h"

#define MSR_GS_BASE 0xc0000101

/* Vectors for which the CPU pushes an error code (Intel SDM vol. 3A, "Error Code"). */
#define HAS_ERROR_CODE (1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30)

/* Vectors that can arrive before SWAPGS has run, so each has a stack of its own: #DB, NMI, #DF, #MC. */
#define OWN_STACK (1 << 1 | 1 << 2 | 1 << 8 | 1 << 18)

/* Offset of the saved CS, which lies above vector, error code and RIP; its two lowest bits are 3 for user mode. */
#define CS_OFFSET 24
#define FROM_USER 3

	/*
	 * No breakpoint can be set in this section: a breakpoint in the code that leads to the breakpoint's handler
	 * would hit itself for ever.
	 */
	.section .text.nobreak, "ax"
	.globl	trap_stubs
	.type	trap_stubs, @function
	.balign	16
/*
 * TRAP_VECTORS stubs, 16 bytes each.
 * out: vector and error code pushed, then one of the paths below. No register changes.
 */
trap_stubs:
	.cfi_startproc simple
	.set	vector, 0
	.rept	TRAP_VECTORS
	.balign	16
	.if	vector >= 32 || !((HAS_ERROR_CODE >> (vector & 31)) & 1)
	unwind_interrupted 0
	push	$0
	.endif
	unwind_interrupted 8
	push	$vector
	.cfi_adjust_cfa_offset 8
	.if	vector < 32 && ((OWN_STACK >> (vector & 31)) & 1)
	jmp	trap_own_stack
	.else
	jmp	trap_common
	.endif
	.set	vector, vector + 1
	.endr
	.cfi_endproc
	.size	trap_stubs, . - trap_stubs

/*
 * The path of most vectors.
 * in:  error code and vector on the stack, above them the CPU's own frame
 * out: all registers as trap_dispatch left them in the frame; trap_dispatch restores CR3 itself
 */
	.type	trap_common, @function
trap_common:
	.cfi_startproc simple
	unwind_interrupted 16
	testb	$FROM_USER, CS_OFFSET(%rsp)
	jz	trap_gs_set
	swapgs
trap_gs_set:
	push_registers
	mov	%cr3, %rax
	push	%rax
	.cfi_adjust_cfa_offset 8
	cld
	mov	%rsp, %rdi
	sub	$CALL_PAD, %rsp
	.cfi_adjust_cfa_offset CALL_PAD
	call	trap_dispatch
	add	$CALL_PAD, %rsp
	.cfi_adjust_cfa_offset -CALL_PAD
/*
 * Return to the code whose registers the frame has. All returns end here except those by SYSRET and those of
 * trap_own_stack; so does a new task's first return.
 * in:  RSP at a struct trap_frame, interrupts off
 */
	.globl	trap_return
trap_return:
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	pop_registers
	testb	$FROM_USER, CS_OFFSET(%rsp)
	jz	1f
	swapgs
1:	add	$16, %rsp
	.cfi_adjust_cfa_offset -16
	iretq
	.cfi_endproc
	.size	trap_common, . - trap_common

/*
 * The path of vectors with a stack of their own. The word right above the CPU's frame there is the kernel's GS base. GS
 * may have been either the user's or the kernel's: it is saved and restored by value. #DB from user mode moves to the
 * common path, on the task's stack.
 */
	.type	trap_own_stack, @function
trap_own_stack:
	.cfi_startproc simple
	unwind_interrupted 16
	cmpb	$TRAP_DB, (%rsp)
	jne	1f
	testb	$FROM_USER, CS_OFFSET(%rsp)
	jnz	trap_move_stack
1:	push_registers
	mov	%cr3, %rax
	push	%rax
	.cfi_adjust_cfa_offset 8
	cld
	mov	%rsp, %rbx
	.cfi_def_cfa_register %rbx
	mov	$MSR_GS_BASE, %ecx
	rdmsr
	mov	%eax, %r12d
	mov	%edx, %r13d
	/*
	 * Until trap_use_debug_stack(), #DB arrives on the interrupted stack, always from the kernel: GS is set
	 * already, and the word above the frame is not the GS base.
	 */
	mov	%ss:FRAME_SIZE(%rbx), %rax
	cmpb	$TRAP_DB, 128(%rbx)
	jne	2f
	cmpb	$0, trap_debug_stack(%rip)
	je	3f
2:	mov	%rax, %rdx
	shr	$32, %rdx
	wrmsr
3:	mov	%rbx, %rdi
	and	$-16, %rsp
	call	trap_dispatch
	mov	%r12d, %eax
	mov	%r13d, %edx
	mov	$MSR_GS_BASE, %ecx
	wrmsr
	lea	8(%rbx), %rsp
	.cfi_def_cfa %rsp, FRAME_SIZE - 8
	pop_registers
	add	$16, %rsp
	.cfi_adjust_cfa_offset -16
	iretq
	.cfi_endproc
	.size	trap_own_stack, . - trap_own_stack

/*
 * Move from the vector's own stack to the task's, then continue on the common path.
 * in:  vector, error code and the CPU's frame on the own stack; out: the same on the task's. No register changes.
 */
	.type	trap_move_stack, @function
trap_move_stack:
	.cfi_startproc simple
	unwind_interrupted 16
	swapgs
	mov	%rax, %gs:percpu + PERCPU_SCRATCH(%rip)
	mov	%rsp, %rax
	.cfi_def_cfa_register %rax
	mov	%gs:percpu + PERCPU_KERNEL_STACK(%rip), %rsp
	.irp	offset, 48, 40, 32, 24, 16, 8, 0
	push	\offset(%rax)
	.endr
	.cfi_def_cfa_register %rsp
	mov	%gs:percpu + PERCPU_SCRATCH(%rip), %rax
	jmp	trap_gs_set
	.cfi_endproc
	.size	trap_move_stack, . - trap_move_stack

/*
 * Load the kernel's code and data selectors after a new GDT; FS and GS get 0.
 * in:  DI = code selector, SI = data selector; clobbers RAX, RDI. Needs one word of stack below the return address.
 */
	.globl	segments_load
	.type	segments_load, @function
segments_load:
	mov	%esi, %ds
	mov	%esi, %es
	mov	%esi, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	pop	%rax
	movzwl	%di, %edi
	push	%rdi
	push	%rax
	lretq
	.size	segments_load, . - segments_load

	.section .note.GNU-stack, "", @progbits
