/*
 * The kernel's first instruction, and the note that tells the loader where the stack is.
 */
#include "kernel/arch/unwind.h"
#include "kernel/boot/handoff.h"

/*
 * Pass the handoff on to kmain(). kernel/boot/boot_info.h says in which state the loader leaves the CPU.
 * in:  RDI = struct boot_info in the direct map, RSP = boot_stack_top - 8
 * out: kmain(boot_info, tsc), which does not return
 * clobbers: RAX, RDX, RSI
 */
	.section .text.entry, "ax", @progbits
	.globl	kernel_entry
	.type	kernel_entry, @function
kernel_entry:
	.cfi_startproc
	unwind_ends
	rdtsc
	shl	$32, %rdx
	lea	(%rax, %rdx), %rsi
	/* A zero frame pointer ends every backtrace. */
	xor	%ebp, %ebp
	push	%rbp
	call	kmain
	ud2
	.cfi_endproc
	.size	kernel_entry, . - kernel_entry

/* struct kernel_note, as an ELF note (System V ABI, "Note Section"). */
	.section .note.ankeos, "a", @note
	.balign	4
	.long	2f - 1f
	.long	4f - 3f
	.long	KERNEL_NOTE
1:	.asciz	"AnkeOS"
2:	.balign	4
3:	.long	BOOT_INFO_VERSION
	.long	BOOT_INFO_SIZE
	.quad	boot_stack_top
4:	.balign	4

	.section .note.GNU-stack, "", @progbits
