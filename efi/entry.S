/*
 * The loader's first instructions: stamp the time, then gnu-efi's start-up code, which relocates the
 * image and calls efi_main.
 *
 * in:  RCX = image handle, RDX = EFI_SYSTEM_TABLE (UEFI 2.10, "x64 Platforms")
 * out: the same, to _start; loader_entry_tsc holds the time-stamp counter
 * clobbers: RAX, R8. No stack.
 */
	.text
	.globl	loader_entry
	.type	loader_entry, @function
loader_entry:
	mov	%rdx, %r8
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, loader_entry_tsc(%rip)
	mov	%r8, %rdx
	jmp	_start

	.data
	.balign	8
	.globl	loader_entry_tsc
	.hidden	loader_entry_tsc
loader_entry_tsc:
	.quad	0

	.section .note.GNU-stack, "", @progbits
