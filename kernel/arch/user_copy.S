/*
 * The routines of kernel/arch/user_copy.h, which touch memory through a user's pointer. Each instruction that may fault
 * has a line in the table of fix-ups. Small sizes, which most calls copy, take few instructions: whole words, and one
 * more word that overlaps them instead of a loop over the last bytes.
 *
 * All routines: SysV ABI, no stack. With SMAP EFLAGS.AC is set inside and clear after.
 */
#include "kernel/arch/unwind.h"

/* From this size on, in bytes, `rep movsq` is faster than a loop, although real CPUs take some time to start it. */
#define REP_FROM 256

	/*
	 * Reserve three bytes for STAC or CLAC, which smap.c writes on a CPU with SMAP; on other CPUs they stay a NOP.
	 * The table smap_sites says where they are, and which instruction belongs there.
	 */
	.macro	SMAP_SITE clears
	.pushsection .rodata.smap_sites, "a"
	.quad	6f, \clears
	.popsection
6:
	nopl	(%rax)
	.endm

	.macro	ALLOW
	SMAP_SITE 0
	.endm

	.macro	FORBID
	SMAP_SITE 1
	.endm

	/* The next instruction may fault: execution then continues at `resume`. */
	.macro	FAULTS resume
	.pushsection .rodata.user_fixups, "a"
	.quad	7f, \resume
	.popsection
7:
	.endm

	.macro	COPY_WORD at
	FAULTS	.Lcopy_word_fault
	mov	\at(%rsi, %rcx), %rax
	FAULTS	.Lcopy_word_fault
	mov	%rax, \at(%rdi, %rcx)
	.endm

	.macro	FUNCTION name
	.balign	16
	.globl	\name
	.type	\name, @function
\name:
	.endm

	.section .rodata.smap_sites, "a"
	.balign	16
	.globl	smap_sites
smap_sites:

	.section .rodata.user_fixups, "a"
	.balign	16
	.globl	user_fixups
user_fixups:

	/* No routine uses the stack, so one .cfi description serves all of them. */
	.text
	.cfi_startproc
/*
 * size_t user_copy(void *to, const void *from, size_t bytes)
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
	/* Copy up to three words first, so that a multiple of four words is left. */
	test	$8, %cl
	jz	.Lcopy_two
	COPY_WORD 0
	add	$8, %rcx
.Lcopy_two:
	test	$16, %cl
	jz	.Lcopy_four
	COPY_WORD 0
	COPY_WORD 8
	add	$16, %rcx
.Lcopy_four:
	test	%rcx, %rcx
	jz	.Lcopy_tail
.Lcopy_fours:
	COPY_WORD 0
	COPY_WORD 8
	COPY_WORD 16
	COPY_WORD 24
	add	$32, %rcx
	jnz	.Lcopy_fours
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
	/*
	 * RCX = minus the number of bytes of whole words left, RDX = all bytes asked for. Some of the words counted as
	 * left may have been copied already; copying them again does no harm.
	 */
.Lcopy_word_fault:
	add	%rcx, %rsi
	add	%rcx, %rdi
	and	$7, %edx
	sub	%rcx, %rdx
	/* RDX bytes are left. They are copied one by one, so that the first byte that faults is found. */
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
 * size_t user_clear(void *to, size_t bytes)
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
	 * Copy eight bytes, or jump to .Lstring_last if one of them is NUL: R10 then has the highest bit of each byte
	 * that is 0. Only its lowest bit that is set can be relied on.
	 */
	.macro	STRING_WORD
	FAULTS	.Lstring_fault
	mov	(%rsi, %rax), %rcx
	lea	(%rcx, %r8), %r10
	mov	%rcx, %r11
	not	%r11
	and	%r11, %r10
	and	%r9, %r10
	jnz	.Lstring_last
	mov	%rcx, (%rdi, %rax)
	add	$8, %rax
	.endm

	/* Go to `else` unless `bytes` more bytes may be copied, and lie in one page. */
	.macro	STRING_ROOM bytes, else
	lea	\bytes(%rax), %rcx
	cmp	%rdx, %rcx
	ja	\else
	lea	(%rsi, %rax), %ecx
	and	$0xfff, %ecx
	cmp	$0x1000 - \bytes, %ecx
	ja	\else
	.endm

/*
 * int64_t user_copy_string(char *to, const char *from, size_t size)
 * in:  RDI = to, RSI = from, RDX = size
 * out: RAX = length, size, or -1; clobbers RCX, R8, R9, R10, R11
 *
 * Copies eight bytes at a time, unless they lie in two pages: the string may end in the first page, and the second may
 * not be mapped. For 32 bytes in a row that is checked only once. Bytes after the NUL are not copied.
 */
	FUNCTION user_copy_string
	ALLOW
	xor	%eax, %eax
	mov	$-0x0101010101010101, %r8
	mov	$0x8080808080808080, %r9
.Lstring_words:
	STRING_ROOM 32, .Lstring_word
	STRING_WORD
	STRING_WORD
	STRING_WORD
	STRING_WORD
	jmp	.Lstring_words
.Lstring_word:
	STRING_ROOM 8, .Lstring_bytes
	STRING_WORD
	jmp	.Lstring_word
.Lstring_last:
	lea	-1(%r10), %r11
	xor	%r10, %r11
	and	%r11, %rcx
	mov	%rcx, (%rdi, %rax)
	bsf	%r10, %r10
	shr	$3, %r10
	add	%r10, %rax
	jmp	.Lstring_end
	/*
	 * Fewer than eight bytes may be copied, or the next eight lie in two pages: copy byte by byte, until a page
	 * begins.
	 */
.Lstring_bytes:
	cmp	%rdx, %rax
	jae	.Lstring_end
	FAULTS	.Lstring_fault
	movzbl	(%rsi, %rax), %ecx
	mov	%cl, (%rdi, %rax)
	test	%cl, %cl
	jz	.Lstring_end
	inc	%rax
	lea	(%rsi, %rax), %ecx
	test	$0xfff, %ecx
	jz	.Lstring_words
	jmp	.Lstring_bytes
.Lstring_end:
	FORBID
	ret
.Lstring_fault:
	or	$-1, %rax
	jmp	.Lstring_end
	.size	user_copy_string, . - user_copy_string

/*
 * Load or store a word.
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

	/* RDX: the second value, which is stored in the word after the first */
	FUNCTION user_store_pair
	ALLOW
	FAULTS	.Lword_fault
	mov	%rsi, (%rdi)
	FAULTS	.Lword_fault
	mov	%rdx, 8(%rdi)
	jmp	.Lword_end

/*
 * Save or load the FPU state.
 * in:  RDI = area; RSI = components, for user_xsave and user_xrstor
 * out: EAX = 0, or 1 after a fault; clobbers RDX
 */
	.macro	COMPONENTS
	mov	%esi, %eax
	mov	%rsi, %rdx
	shr	$32, %rdx
	.endm

	FUNCTION user_xsave
	ALLOW
	COMPONENTS
	FAULTS	.Lword_fault
	xsave64	(%rdi)
	FAULTS	.Lword_fault
	orq	$3, 512(%rdi)
	jmp	.Lword_end

	FUNCTION user_xrstor
	ALLOW
	COMPONENTS
	FAULTS	.Lword_fault
	xrstor64 (%rdi)
	jmp	.Lword_end

	FUNCTION user_fxsave
	ALLOW
	FAULTS	.Lword_fault
	fxsave64 (%rdi)
	jmp	.Lword_end

	FUNCTION user_fxrstor
	ALLOW
	FAULTS	.Lword_fault
	fxrstor64 (%rdi)
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

	.section .rodata.smap_sites, "a"
smap_sites_end:
	.globl	smap_site_count
smap_site_count:
	.quad	(smap_sites_end - smap_sites) / 16

	.section .note.GNU-stack, "", @progbits
