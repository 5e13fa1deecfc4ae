/*
 * The trampoline; see trampoline.h. One page, read-only and executable in the firmware's tables and in the new ones.
 * Position-independent, because trampoline_jump_la57 continues in a copy of this page.
 */
#include "efi/trampoline.h"

#define CR0_PG   (1 << 31)
#define CR4_LA57 (1 << 12)
#define CODE32   8
#define CODE64   16

	.text
	.balign	4096
	.globl	trampoline_page
	.hidden	trampoline_page
trampoline_page:

/*
 * void trampoline_jump(const struct jump *jump)
 * in:  RDI = struct jump
 * out: the kernel, with RDI = boot_info, RSP = stack - 8, RBP = 0
 * The stack is the firmware's until CR3 is loaded, and not used after that.
 */
	.globl	trampoline_jump
	.hidden	trampoline_jump
	.type	trampoline_jump, @function
trampoline_jump:
	mov	JUMP_ROOT(%rdi), %rax
	mov	JUMP_ENTRY(%rdi), %rsi
	mov	JUMP_STACK(%rdi), %rdx
	mov	JUMP_INFO(%rdi), %rcx
	mov	%rax, %cr3
	mov	%rdx, %rsp
	pushq	$0
	xor	%ebp, %ebp
	mov	%rcx, %rdi
	cld
	jmp	*%rsi

/*
 * void trampoline_jump_la57(const struct jump *jump, void *low, paddr_t pml5)
 * in:  RDI = struct jump, RSI = the copy below 4 GiB (its .Llow_jump receives *RDI), RDX = the 5-level root
 * out: as trampoline_jump
 * The upper halves of registers do not survive 32-bit mode: what is needed afterwards lies in the copy.
 */
	.globl	trampoline_jump_la57
	.hidden	trampoline_jump_la57
	.type	trampoline_jump_la57, @function
trampoline_jump_la57:
	mov	%rdi, %r8
	mov	%rsi, %r9
	mov	%rsi, %rdi
	lea	trampoline_page(%rip), %rsi
	mov	$(4096 / 8), %ecx
	rep movsq
	mov	%r8, %rsi
	lea	(.Llow_jump - trampoline_page)(%r9), %rdi
	mov	$4, %ecx
	rep movsq

	/*
	 * Write the base of the copy's descriptor table, and the far pointer through which 32-bit code returns to
	 * 64-bit code.
	 */
	lea	(.Llow_gdt - trampoline_page)(%r9), %rax
	mov	%rax, (.Llow_gdtr + 2 - trampoline_page)(%r9)
	lea	(.Llow_code64 - trampoline_page)(%r9), %rax
	mov	%eax, (.Llow_far - trampoline_page)(%r9)
	/* Push the operands of the far return now, while the copy is writable: the new root maps it read-only. */
	lea	(.Llow_stack - trampoline_page)(%r9), %rsp
	pushq	$CODE32
	lea	(.Llow_code32 - trampoline_page)(%r9), %rax
	push	%rax
	mov	%r9d, %ebx
	mov	%rdx, %cr3
	lgdt	(.Llow_gdtr - trampoline_page)(%r9)
	lretq

	.code32
.Llow_code32:
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	mov	%cr4, %eax
	and	$~CR4_LA57, %eax
	mov	%eax, %cr4
	mov	%cs:(.Llow_jump + JUMP_ROOT - trampoline_page)(%ebx), %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	/* The far pointer was written above: it is the address of .Llow_code64 in the copy. */
	ljmp	*%cs:(.Llow_far - trampoline_page)(%ebx)

	.code64
.Llow_code64:
	lea	.Llow_jump(%rip), %rdi
	jmp	trampoline_jump

	.balign	8
.Llow_far:
	.long	0
	.word	CODE64
	.balign	8
.Llow_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 32-bit code, flat */
	.quad	0x00af9b000000ffff	/* 64-bit code */
.Llow_gdtr:
	.word	. - .Llow_gdt - 1
	.quad	0
	.balign	8
.Llow_jump:
	.fill	4, 8, 0
	.fill	4, 8, 0
.Llow_stack:
	/* The assembler fails here when the trampoline does not fit its page. */
	.org	trampoline_page + 4096

	.section .note.GNU-stack, "", @progbits
