/*
 * The first instructions of a CPU that another one has started; see cpu_start.h.
 */
#include "kernel/arch/cpu_start.h"
#include "kernel/arch/unwind.h"

#define CODE32 8
#define DATA   16
#define CODE64 24

#define CR0_PE (1 << 0)
#define CR0_PG (1 << 31)
#define CR4_PAE (1 << 5)
#define MSR_EFER 0xc0000080
#define EFER_LME (1 << 8)
#define EFER_NXE (1 << 11)

#define APIC_ID_LEAF   1
#define TOPOLOGY_LEAF  0xb

/* Offset of a label from the start of the page. */
#define AT(label) (label - cpu_trampoline)

/*
 * The trampoline is data here: cpu_start_prepare() copies it to a page below 1 MiB and fills in addresses.
 * in: real mode, CS = the page's address / 16, IP = 0; out: 64-bit mode at the address in cpu_trampoline_entry, with
 * EBX = the page's address. The page is only read, since the tables in cpu_trampoline_root map it read-only.
 */
	.section .rodata.trampoline, "a", @progbits
	.balign	16
	.globl	cpu_trampoline
	.globl	cpu_trampoline_gdtr
	.globl	cpu_trampoline_far32
	.globl	cpu_trampoline_far64
	.globl	cpu_trampoline_root
	.globl	cpu_trampoline_entry
	.globl	cpu_trampoline_code32
	.globl	cpu_trampoline_code64
	.globl	cpu_trampoline_gdt
	.globl	cpu_trampoline_end
	.code16
cpu_trampoline:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	movzwl	%ax, %ebx
	shl	$4, %ebx
	lgdtl	AT(cpu_trampoline_gdtr)
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	*AT(cpu_trampoline_far32)
	.code32
cpu_trampoline_code32:
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	AT(cpu_trampoline_root)(%ebx), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$(EFER_LME | EFER_NXE), %eax
	wrmsr
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	ljmpl	*AT(cpu_trampoline_far64)(%ebx)
	.code64
cpu_trampoline_code64:
	jmp	*AT(cpu_trampoline_entry)(%rbx)

	.balign	8
cpu_trampoline_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff /* CODE32, DATA, CODE64: marked accessed, else the CPU would write to this page */
	.quad	0x00cf93000000ffff
	.quad	0x00af9b000000ffff
cpu_trampoline_gdtr:
	.word	4 * 8 - 1
	.long	0 /* address of the copy's GDT */
	.word	0
cpu_trampoline_far32:
	.long	0 /* address of the copy's 32-bit code */
	.word	CODE32
	.word	0
cpu_trampoline_far64:
	.long	0 /* address of the copy's 64-bit code */
	.word	CODE64
	.word	0
cpu_trampoline_root:
	.quad	0 /* page tables to load, below 4 GiB */
cpu_trampoline_entry:
	.quad	0 /* address of cpu_entry */
cpu_trampoline_end:

/*
 * Go on from the trampoline in the kernel's text: find this CPU's entry in cpu_starts by its APIC id, or halt.
 * in: 64-bit mode, no stack, interrupts off; out: cpu_started(start) on the stack of its entry in cpu_starts
 */
	.text
	.globl	cpu_entry
	.type	cpu_entry, @function
cpu_entry:
	.cfi_startproc
	unwind_ends
	/* Get the CPU's id into EDX: the x2APIC id of CPUID leaf 0BH, or else the APIC id of eight bits of leaf 1. */
	xor	%eax, %eax
	cpuid
	cmp	$TOPOLOGY_LEAF, %eax
	jb	1f
	mov	$TOPOLOGY_LEAF, %eax
	xor	%ecx, %ecx
	cpuid
	test	%ebx, %ebx
	jnz	2f
1:	mov	$APIC_ID_LEAF, %eax
	cpuid
	shr	$24, %ebx
	mov	%ebx, %edx
2:	lea	cpu_starts(%rip), %rdi
	mov	cpu_start_count(%rip), %ecx
3:	test	%ecx, %ecx
	jz	5f
	cmp	%edx, CPU_START_ID(%rdi)
	je	4f
	add	$CPU_START_SIZE, %rdi
	dec	%ecx
	jmp	3b
4:	mov	CPU_START_STACK(%rdi), %rsp
	xor	%ebp, %ebp
	call	cpu_started
5:	cli
	hlt
	jmp	5b
	.cfi_endproc
	.size	cpu_entry, . - cpu_entry

	.section .note.GNU-stack, "", @progbits
