/*
 * The ways into the kernel: exceptions and interrupts, which end in trap_dispatch, and SYSCALL, which ends in the
 * functions of kernel/sys. Each pushes what struct trap_frame (kernel/arch/trap.h) says.
 */
#include "kernel/arch/percpu.h"
#include "kernel/arch/trap_numbers.h"
#include "kernel/arch/unwind.h"

#define MSR_GS_BASE 0xc0000101

/* Vectors for which the CPU pushes an error code (Intel SDM vol. 3A, "Error Code"). */
#define HAS_ERROR_CODE (1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30)

/* Those that can come before SWAPGS has run: #DB, NMI, #DF, #MC. */
#define OWN_STACK (1 << 1 | 1 << 2 | 1 << 8 | 1 << 18)

/* Of the saved CS, above vector, error code and RIP. */
#define CS_OFFSET 24
#define FROM_USER 3

/* 23 words: the CPU aligns its part to 16 bytes, so a call from here needs 8 more. */
#define FRAME_SIZE 184
#define CALL_PAD   8

	.macro	push_registers
	push_saved %rax
	push_saved %rbx
	push_saved %rcx
	push_saved %rdx
	push_saved %rsi
	push_saved %rdi
	push_saved %rbp
	push_saved %r8
	push_saved %r9
	push_saved %r10
	push_saved %r11
	push_saved %r12
	push_saved %r13
	push_saved %r14
	push_saved %r15
	.endm

	.macro	pop_registers
	pop_saved %r15
	pop_saved %r14
	pop_saved %r13
	pop_saved %r12
	pop_saved %r11
	pop_saved %r10
	pop_saved %r9
	pop_saved %r8
	pop_saved %rbp
	pop_saved %rdi
	pop_saved %rsi
	pop_saved %rdx
	pop_saved %rcx
	pop_saved %rbx
	pop_saved %rax
	.endm

	/* A breakpoint on the way to its own handler would come back for ever. */
	.section .text.nobreak, "ax"
	.globl	trap_stubs
	.type	trap_stubs, @function
	.balign	16
/* TRAP_VECTORS stubs, 16 bytes each: out: vector and error code pushed, then one of the paths below. No register changes. */
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
 * in:  error code and vector on the stack, above the CPU's own frame
 * out: everything as it was, or as trap_dispatch left it in the frame. CR3 is trap_dispatch's to restore.
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
 * Where every return goes that does not leave by SYSRET, a new task's first included.
 * in: RSP at a struct trap_frame, interrupts off
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
 * As trap_common, on a stack of the vector's own whose top, right above the CPU's frame, says which CPU this is.
 * What GS holds is anybody's guess: it is saved by value. #DB from user mode goes the common way, on the task's stack.
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
	/* Until #DB has its stack it comes on the interrupted one, whose GS is the kernel's. */
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

/* in: vector, error code and frame on another stack; out: the same on the task's. No register changes. */
	.type	trap_move_stack, @function
trap_move_stack:
	.cfi_startproc simple
	unwind_interrupted 16
	swapgs
	mov	%rax, %gs:PERCPU_SCRATCH
	mov	%rsp, %rax
	.cfi_def_cfa_register %rax
	mov	%gs:PERCPU_KERNEL_STACK, %rsp
	.irp	offset, 48, 40, 32, 24, 16, 8, 0
	push	\offset(%rax)
	.endr
	.cfi_def_cfa_register %rsp
	mov	%gs:PERCPU_SCRATCH, %rax
	jmp	trap_gs_set
	.cfi_endproc
	.size	trap_move_stack, . - trap_move_stack

/* Offsets in the frame, from the stack pointer while the function runs. */
#define FRAME(word) (CALL_PAD + 8 * (word))
#define FRAME_R10    FRAME(6)
#define FRAME_R9     FRAME(7)
#define FRAME_R8     FRAME(8)
#define FRAME_RDI    FRAME(10)
#define FRAME_RSI    FRAME(11)
#define FRAME_RDX    FRAME(12)
#define FRAME_RBX    FRAME(14)
#define FRAME_RAX    FRAME(15)
#define FRAME_NUMBER FRAME(17)
#define FRAME_RIP    FRAME(18)
#define FRAME_RFLAGS FRAME(20)
#define FRAME_RSP    FRAME(21)

/*
 * SYSCALL arrives here (Intel SDM vol. 2B, "SYSCALL"), interrupts off.
 * in:  RCX = user RIP, R11 = user RFLAGS, RAX = number, RDI RSI RDX R10 R8 R9 = arguments; user's stack and GS
 * out: RAX = the result, RCX and R11 as SYSRET leaves them, the rest as it was
 * The whole frame is kept, for fork, signals and exec; a call that needs none of them restores only what C functions
 * may change. SYSRET is safe for a frame that nobody has changed: its RIP came from a SYSCALL below USER_END.
 */
	.globl	syscall_entry
	.type	syscall_entry, @function
	.balign	16
syscall_entry:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0
	.cfi_register %rip, %rcx
	.cfi_remember_state
	swapgs
	mov	%rsp, %gs:PERCPU_SCRATCH
	mov	%gs:PERCPU_KERNEL_STACK, %rsp
	push	$SELECTOR_USER_DATA
	push	%gs:PERCPU_SCRATCH
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset %rsp, 0
	push	%r11
	push	$SELECTOR_USER_CODE
	push	%rcx
	.cfi_adjust_cfa_offset 24
	.cfi_rel_offset %rip, 0
	push	%rax
	push	$TRAP_SYSCALL
	.cfi_adjust_cfa_offset 16
	push_registers
	sub	$8 + CALL_PAD, %rsp
	.cfi_adjust_cfa_offset 8 + CALL_PAD
	cmpb	$0, syscall_clock(%rip)
	jne	.Lclocked
	cmp	$SYSCALL_TABLE, %rax
	jae	.Lbeyond
	/* Counted by number: struct syscall_cost has three words. */
	lea	(%rax, %rax, 2), %rcx
	incq	syscall_costs(, %rcx, 8)
	mov	syscall_cr3_writes(%rip), %rbx
	mov	(%rbx), %rbx
	mov	%r10, %rcx
	sti
	call	*syscall_functions(, %rax, 8)
	cli
	mov	syscall_cr3_writes(%rip), %rcx
	cmp	(%rcx), %rbx
	jne	.Lcount_cr3_writes
.Lleave:
	cmpw	$0, %gs:PERCPU_RETURN
	jne	.Lleave_slowly
	mov	%gs:PERCPU_CURRENT, %rcx
	cmpb	$0, TASK_SIGNALS_WANTED(%rcx)
	jne	.Lleave_slowly
	mov	FRAME_RBX(%rsp), %rbx
	mov	FRAME_RDX(%rsp), %rdx
	mov	FRAME_RSI(%rsp), %rsi
	mov	FRAME_RDI(%rsp), %rdi
	mov	FRAME_R8(%rsp), %r8
	mov	FRAME_R9(%rsp), %r9
	mov	FRAME_R10(%rsp), %r10
	mov	FRAME_RIP(%rsp), %rcx
	mov	FRAME_RFLAGS(%rsp), %r11
	mov	FRAME_RSP(%rsp), %rsp
	.cfi_restore_state
	swapgs
	sysretq
	unwind_trap_frame
	.cfi_adjust_cfa_offset CALL_PAD
.Lcount_cr3_writes:
	mov	(%rcx), %rcx
	sub	%rbx, %rcx
	mov	FRAME_NUMBER(%rsp), %rbx
	/* sigreturn's frame has none. */
	cmp	$SYSCALL_TABLE, %rbx
	jae	.Lleave
	lea	(%rbx, %rbx, 2), %rbx
	add	%rcx, syscall_costs + 8(, %rbx, 8)
	jmp	.Lleave
.Lbeyond:
	incq	syscall_costs + 24 * SYSCALL_TABLE(%rip)
	mov	$-LINUX_ENOSYS, %rax
	jmp	.Lleave
.Lclocked:
	lea	CALL_PAD(%rsp), %rdi
	call	syscall_run_clocked
.Lleave_slowly:
	mov	%rax, FRAME_RAX(%rsp)
	lea	CALL_PAD(%rsp), %rdi
	call	syscall_leave
	add	$CALL_PAD, %rsp
	.cfi_adjust_cfa_offset -CALL_PAD
	jmp	trap_return
	.cfi_endproc
	.size	syscall_entry, . - syscall_entry

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
