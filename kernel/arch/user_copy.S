/*
 * What touches memory through a user's pointer: kernel/arch/user_copy.h. Each instruction that may fault has a line in
 * the table of fix-ups. Few instructions for the small sizes that most calls copy; whole words, and one more word
 * that overlaps them instead of a loop over the last bytes.
 *
 * All routines: SysV ABI, no stack. With SMAP on EFLAGS.AC is set inside and clear after.
 */
#include "kernel/arch/unwind.h"

/* rep has a price on real CPUs; from here on it pays. */
#define REP_FROM 256

	.data
	.globl	user_copy_smap
user_copy_smap:
	.byte	0

	.macro	ALLOW
	cmpb	$0, user_copy_smap(%rip)
	je	8f
	stac
8:
	.endm

	.macro	FORBID
	cmpb	$0, user_copy_smap(%rip)
	je	9f
	clac
9:
	.endm

	/* The next instruction may fault; then go on at `resume`. */
	.macro	FAULTS resume
	.pushsection .rodata.user_fixups, "a"
	.quad	7f, \resume
	.popsection
7:
	.endm

	.macro	FUNCTION name
	.balign	16
	.globl	\name
	.type	\name, @function
\name:
	.endm

	.section .rodata.user_fixups, "a"
	.balign	16
	.globl	user_fixups
user_fixups:

	/* None uses the stack: one description does for all. */
	.text
	.cfi_startproc
/*
 * in:  RDI = to, RSI = from, RDX = bytes
 * out: RAX = bytes that are not copied; clobbers RCX, RDX, RSI, RDI
 */
	FUNCTION user_copy
	ALLOW
	cmp	$8, %rdx
	jb	.Lcopy_bytes
	mov	%rdx, %rcx
	cmp	$REP_FROM, %rdx
	jae	.Lcopy_rep
	and	$-8, %rcx
	add	%rcx, %rsi
	add	%rcx, %rdi
	neg	%rcx
.Lcopy_word:
	FAULTS	.Lcopy_word_fault
	mov	(%rsi, %rcx), %rax
	FAULTS	.Lcopy_word_fault
	mov	%rax, (%rdi, %rcx)
	add	$8, %rcx
	jnz	.Lcopy_word
.Lcopy_tail:
	and	$7, %edx
	jz	.Lcopy_end
	FAULTS	.Lcopy_bytes
	mov	-8(%rsi, %rdx), %rax
	FAULTS	.Lcopy_bytes
	mov	%rax, -8(%rdi, %rdx)
	xor	%edx, %edx
.Lcopy_end:
	mov	%rdx, %rax
	FORBID
	ret
.Lcopy_rep:
	shr	$3, %rcx
	FAULTS	.Lcopy_rep_fault
	rep movsq
	jmp	.Lcopy_tail
.Lcopy_rep_fault:
	and	$7, %edx
	lea	(%rdx, %rcx, 8), %rdx
	jmp	.Lcopy_bytes
	/* RCX = minus the bytes of whole words that are left. Go back to where the word is, which is there in part perhaps. */
.Lcopy_word_fault:
	add	%rcx, %rsi
	add	%rcx, %rdi
	and	$7, %edx
	sub	%rcx, %rdx
	/* RDX bytes are left, one by one: what faults now faults for good. */
.Lcopy_bytes:
	test	%rdx, %rdx
	jz	.Lcopy_end
.Lcopy_byte:
	FAULTS	.Lcopy_end
	movzbl	(%rsi), %eax
	FAULTS	.Lcopy_end
	mov	%al, (%rdi)
	inc	%rsi
	inc	%rdi
	dec	%rdx
	jnz	.Lcopy_byte
	jmp	.Lcopy_end
	.size	user_copy, . - user_copy

/*
 * in:  RDI = to, RSI = bytes
 * out: RAX = bytes that are not zeroed; clobbers RCX, RSI, RDI
 */
	FUNCTION user_clear
	ALLOW
	xor	%eax, %eax
	mov	%rsi, %rcx
	shr	$3, %rcx
	and	$7, %esi
	FAULTS	.Lclear_fault
	rep stosq
	mov	%esi, %ecx
	xor	%esi, %esi
	FAULTS	.Lclear_end
	rep stosb
.Lclear_end:
	lea	(%rsi, %rcx), %rax
	FORBID
	ret
.Lclear_fault:
	shl	$3, %rcx
	jmp	.Lclear_end
	.size	user_clear, . - user_clear

/*
 * in:  RDI = to, RSI = from, RDX = size
 * out: RAX = length, size, or -1; clobbers RCX
 */
	FUNCTION user_copy_string
	ALLOW
	xor	%eax, %eax
	test	%rdx, %rdx
	jz	.Lstring_end
.Lstring_byte:
	FAULTS	.Lstring_fault
	movzbl	(%rsi, %rax), %ecx
	mov	%cl, (%rdi, %rax)
	test	%cl, %cl
	jz	.Lstring_end
	inc	%rax
	cmp	%rdx, %rax
	jb	.Lstring_byte
.Lstring_end:
	FORBID
	ret
.Lstring_fault:
	or	$-1, %rax
	jmp	.Lstring_end
	.size	user_copy_string, . - user_copy_string

/*
 * in:  RDI = at, and RSI = ret (loads) or value (stores); user_cmpxchg_32: RSI = expected, EDX = desired
 * out: EAX = 0, or 1 after a fault; clobbers RCX
 */
	FUNCTION user_load_32
	ALLOW
	FAULTS	.Lword_fault
	mov	(%rdi), %ecx
	mov	%ecx, (%rsi)
	jmp	.Lword_end

	FUNCTION user_load_64
	ALLOW
	FAULTS	.Lword_fault
	mov	(%rdi), %rcx
	mov	%rcx, (%rsi)
	jmp	.Lword_end

	FUNCTION user_store_32
	ALLOW
	FAULTS	.Lword_fault
	mov	%esi, (%rdi)
	jmp	.Lword_end

	FUNCTION user_store_64
	ALLOW
	FAULTS	.Lword_fault
	mov	%rsi, (%rdi)
	jmp	.Lword_end

	/* RDX: the second value, for the word behind */
	FUNCTION user_store_pair
	ALLOW
	FAULTS	.Lword_fault
	mov	%rsi, (%rdi)
	FAULTS	.Lword_fault
	mov	%rdx, 8(%rdi)
	jmp	.Lword_end

	FUNCTION user_cmpxchg_32
	ALLOW
	mov	(%rsi), %eax
	FAULTS	.Lword_fault
	lock cmpxchg %edx, (%rdi)
	mov	%eax, (%rsi)
.Lword_end:
	xor	%eax, %eax
	FORBID
	ret
.Lword_fault:
	mov	$1, %eax
	FORBID
	ret
	.size	user_cmpxchg_32, . - user_cmpxchg_32
	.cfi_endproc

	.section .rodata.user_fixups, "a"
user_fixups_end:
	.globl	user_fixup_count
user_fixup_count:
	.quad	(user_fixups_end - user_fixups) / 16

	.section .note.GNU-stack, "", @progbits
