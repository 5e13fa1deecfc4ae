/*
 * The entry of system calls: makes a struct trap_frame (kernel/arch/trap.h) on the kernel stack, calls the system
 * call's function, and returns to user mode.
 */
#include "kernel/arch/percpu.h"
#include "kernel/arch/trap_numbers.h"
#include "kernel/arch/trap_registers.h"
#include "kernel/arch/unwind.h"
#include "kernel/mm/space/tlb_offsets.h"
#include "kernel/sys/syscall_numbers.h"
#include "kernel/task/task_offsets.h"

	/*
	 * The gdb stub sets no breakpoint in these two parts: they run with the program's stack or GS, and the trap of
	 * a breakpoint (#BP, which has no stack of its own) would run with them, too (struct nobreak_part).
	 */
	.section .nobreak_parts, "a"
	.quad	syscall_entry, .Lkernel_stack
	.quad	.Luser_stack, .Luser_stack_end

	.text

/* Offsets of the frame's words from the stack pointer while the system call's function runs. */
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
 * SYSCALL enters the kernel here, with interrupts off (Intel SDM vol. 2B, "SYSCALL").
 * in: RCX = user RIP, R11 = user RFLAGS, RAX = number, RDI RSI RDX R10 R8 R9 = arguments; user's stack and GS
 * out: RAX = the result, RCX and R11 as SYSRET leaves them, all other registers unchanged
 * The frame holds all registers, for fork, signals and exec. The usual return restores only those that C functions may
 * change, and uses SYSRET: the frame is unchanged then, so its RIP is the address behind a SYSCALL below USER_END. A
 * changed frame is left by IRET (.Lleave_slowly).
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
	mov	%rsp, %gs:percpu + PERCPU_SCRATCH(%rip)
	mov	%gs:percpu + PERCPU_KERNEL_STACK(%rip), %rsp
.Lkernel_stack:
	push	$SELECTOR_USER_DATA
	push	%gs:percpu + PERCPU_SCRATCH(%rip)
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
#if DEBUG
	/*
	 * The stop watch of debug builds (kernel/arch/stop_watch.h) gets the frame. As a C function stop_watch_call()
	 * may change the argument registers: load them again.
	 */
	lea	CALL_PAD(%rsp), %rdi
	call	stop_watch_call
	mov	FRAME_NUMBER(%rsp), %rax
	mov	FRAME_RDI(%rsp), %rdi
	mov	FRAME_RSI(%rsp), %rsi
	mov	FRAME_RDX(%rsp), %rdx
	mov	FRAME_R10(%rsp), %r10
	mov	FRAME_R8(%rsp), %r8
	mov	FRAME_R9(%rsp), %r9
#endif
	cmpb	$0, %gs:percpu + PERCPU_CALLS_BY_C(%rip)
	jne	.Lby_c
	cmp	$SYSCALL_TABLE, %rax
	jae	.Lbeyond
	/*
	 * Count the call in this CPU's syscall_costs.of[number].calls: RCX = 3 * number, as struct syscall_cost has
	 * three words.
	 */
	lea	(%rax, %rax, 2), %rcx
	incq	%gs:syscall_costs(, %rcx, 8)
	mov	%gs:context_tlb + TLB_CR3_WRITES(%rip), %rbx
	mov	%r10, %rcx
	sti
	call	*syscall_functions(, %rax, 8)
	cli
	cmp	%gs:context_tlb + TLB_CR3_WRITES(%rip), %rbx
	jne	.Lcount_cr3_writes
.Lleave:
	cmpw	$0, %gs:percpu + PERCPU_RETURN(%rip)
	jne	.Lleave_slowly
	mov	%gs:percpu + PERCPU_CURRENT(%rip), %rcx
	cmpw	$0, TASK_SIGNALS_WANTED(%rcx)
	jne	.Lleave_slowly
#if DEBUG
	mov	%rax, FRAME_RAX(%rsp)
	call	stop_watch_call_ends
	mov	FRAME_RAX(%rsp), %rax
#endif
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
.Luser_stack:
	.cfi_restore_state
	swapgs
	sysretq
.Luser_stack_end:
	unwind_trap_frame
	.cfi_adjust_cfa_offset CALL_PAD
.Lcount_cr3_writes:
	mov	%gs:context_tlb + TLB_CR3_WRITES(%rip), %rcx
	sub	%rbx, %rcx
	mov	FRAME_NUMBER(%rsp), %rbx
	/* After rt_sigreturn the frame has no call's number: its CR3 writes are not counted. */
	cmp	$SYSCALL_TABLE, %rbx
	jae	.Lleave
	lea	(%rbx, %rbx, 2), %rbx
	add	%rcx, %gs:syscall_costs + 8(, %rbx, 8)
	jmp	.Lleave
.Lbeyond:
	incq	%gs:syscall_costs + 24 * SYSCALL_TABLE(%rip)
	mov	$-LINUX_ENOSYS, %rax
	jmp	.Lleave
.Lby_c:
	lea	CALL_PAD(%rsp), %rdi
	call	syscall_run
	jmp	.Lleave
.Lleave_slowly:
	mov	%rax, FRAME_RAX(%rsp)
	lea	CALL_PAD(%rsp), %rdi
	call	*syscall_leave(%rip)
	add	$CALL_PAD, %rsp
	.cfi_adjust_cfa_offset -CALL_PAD
	jmp	trap_return
	.cfi_endproc
	.size	syscall_entry, . - syscall_entry

	.section .note.GNU-stack, "", @progbits
