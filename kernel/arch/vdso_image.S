/*
 * The vDSO as the linker has made it of vdso/, for programs to map: whole pages of the kernel's read-only data.
 */
	.section .rodata.vdso, "a"
	.globl vdso_image, vdso_image_end
	.balign 4096
vdso_image:
	.incbin "build/vdso.so"
	.balign 4096
vdso_image_end:

	.section .note.GNU-stack, "", @progbits
