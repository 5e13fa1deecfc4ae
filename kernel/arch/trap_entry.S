/*
 * The one way in for all 32 exception vectors. Pushes what struct trap_frame (kernel/arch/trap.h)
 * says, calls trap_dispatch, restores.
 */

/* Vectors for which the CPU pushes an error code (Intel SDM vol. 3A, "Error Code"). */
#define HAS_ERROR_CODE (1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30)

	.text
	.globl	trap_stubs
	.type	trap_stubs, @function
	.balign	16
/* 32 stubs, 16 bytes each: out: vector and error code pushed, then trap_common. No register changes. */
trap_stubs:
	.set	vector, 0
	.rept	32
	.balign	16
	.if	!((HAS_ERROR_CODE >> vector) & 1)
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

/*
 * in:  error code and vector on the stack, above the CPU's own frame
 * out: everything as it was, or as trap_dispatch left it in the frame; CR3 by value, written only
 *      when it differs, since the write flushes the TLB
 */
	.type	trap_common, @function
trap_common:
	push	%rax
	push	%rbx
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%rbp
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%cr3, %rax
	push	%rax
	cld
	mov	%rsp, %rdi
	/* The CPU aligns the frame to 16, and these are 23 words: the call needs 8 more. */
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap_dispatch
	mov	%rbx, %rsp
	pop	%rax
	mov	%cr3, %rcx
	cmp	%rax, %rcx
	je	1f
	mov	%rax, %cr3
1:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rbp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rbx
	pop	%rax
	add	$16, %rsp
	iretq
	.size	trap_common, . - trap_common

/*
 * Load the kernel's code and data selectors after a new GDT.
 * in:  DI = code selector, SI = data selector; clobbers RAX. Needs two words of stack.
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
