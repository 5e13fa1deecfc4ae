/*
 * The loader's first instructions: stamp the time, then call gnu-efi's start-up code, which relocates the image and
 * calls efi_main.
 *
 * in:  RCX = image handle, RDX = EFI_SYSTEM_TABLE (UEFI 2.10, "x64 Platforms")
 * out: RAX = EFI_STATUS, when the boot has failed; loader_entry_tsc holds the time-stamp counter
 * clobbers: what the firmware's calling convention lets a function clobber. That convention preserves RDI and RSI;
 * gnu-efi's start-up code does not, so they are saved here.
 * stack: 32 bytes
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
	push	%rdi
	push	%rsi
	sub	$8, %rsp
	call	_start
	add	$8, %rsp
	pop	%rsi
	pop	%rdi
	ret

	.data
	.balign	8
	.globl	loader_entry_tsc
	.hidden	loader_entry_tsc
loader_entry_tsc:
	.quad	0

	.section .note.GNU-stack, "", @progbits
