/*
 * Exceptions and interrupts: the one path by which every vector arrives, and who is called.
 * Owns the IDT and the saved frame; what a trap means is decided by handlers from above.
 */
#pragma once

#include "kernel/arch/trap_numbers.h"
#include "paging/types.h"

/* Stacks that the CPU switches to by itself: kept apart so that one trap can interrupt another. */
enum trap_stack {
	TRAP_STACK_NONE,
	TRAP_STACK_DF,
	TRAP_STACK_NMI,
	TRAP_STACK_MC,
	TRAP_STACK_DB,
};

/* The interrupted state, as the entry code pushes it: lowest address first. */
struct trap_frame {
	uint64_t cr3; /* the context that was loaded: restored by value on return; unused by SYSCALL */
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error; /* the CPU's error code, 0 for vectors without one; SYSCALL: its number, RAX as it was */
	uint64_t rip, cs, rflags, rsp, ss;
};

static inline bool trap_from_user(const struct trap_frame *frame)
{
	return frame->cs & 3;
}

/* Returns true when it has dealt with the trap: execution goes on from the (perhaps changed) frame. */
typedef bool trap_handler_fn(struct trap_frame *frame);

/*
 * One handler a vector; when it does not take the trap, or there is none, the fatal one is called. It runs with
 * interrupts off in whatever context was interrupted: who needs the direct map or devices enters the kernel context.
 * NULL takes the handler away.
 */
void trap_set_handler(unsigned vector, trap_handler_fn *handler);

/*
 * Asked before the vector's handler: for exceptions in user mode, for page faults of the kernel at addresses of the
 * lower half, and for the kernel's general-protection faults.
 */
void trap_set_user_handler(trap_handler_fn *handler);

/*
 * Asked first of all about #DB and #BP, in user mode too: what it does not take is the program's, or the handler's.
 */
void trap_set_debugger(trap_handler_fn *handler);

/* Called last, with interrupts off, before each return to user mode from a trap. */
void trap_set_return_handler(void (*handler)(struct trap_frame *frame));

/* Called for a trap that nobody takes, in the kernel context when there is one; must not return. */
typedef void trap_fatal_fn(struct trap_frame *frame);
void trap_set_fatal(trap_fatal_fn *fatal);

/*
 * How to get into the kernel context, for the fatal handler, and back to the context whose CR3 a frame holds when
 * something has changed it.
 */
void trap_set_context(void (*enter)(void), void (*leave)(uint64_t cr3));

/* "#PF page fault", … */
const char *trap_name(uint64_t vector);

/* Load the boot CPU's segments and the IDT. */
void trap_init(void);

/* percpu_set_debug_stack's: #DB has its stack now. */
void trap_use_debug_stack(void);

/* Let programs use SYSCALL, which goes on at `entry` then (assembly: interrupts off, user's stack and GS). The CPU has it. */
void trap_allow_syscalls(const char *entry);
