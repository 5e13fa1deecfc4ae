/*
 * Exceptions: the one path by which every vector arrives, and who is called.
 * Owns the IDT and the saved frame; what a fault means is decided by handlers from above.
 */
#pragma once

#include "paging/types.h"

enum trap_vector {
	TRAP_DE = 0,
	TRAP_DB = 1,
	TRAP_NMI = 2,
	TRAP_BP = 3,
	TRAP_UD = 6,
	TRAP_DF = 8,
	TRAP_GP = 13,
	TRAP_PF = 14,
	TRAP_MC = 18,
	TRAP_VECTORS = 32,
};

/* The interrupted state, as the entry code pushes it: lowest address first. */
struct trap_frame {
	uint64_t cr3; /* the context that was loaded: restored by value on return */
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error; /* the CPU's error code, 0 for vectors without one */
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Returns true when it has dealt with the trap: execution goes on from the (perhaps changed) frame. */
typedef bool trap_handler_fn(struct trap_frame *frame);

/*
 * One handler a vector; when it does not take the trap, or there is none, the fatal one is called.
 * NULL takes the handler away.
 */
void trap_set_handler(enum trap_vector vector, trap_handler_fn *handler);

/* Called for a trap that nobody takes; must not return. */
typedef void trap_fatal_fn(struct trap_frame *frame);
void trap_set_fatal(trap_fatal_fn *fatal);

/*
 * How to get into the kernel context before a handler runs, and after it back to the context whose CR3 the
 * frame holds. Until they are set handlers run in whatever context was interrupted.
 */
void trap_set_context(void (*enter)(void), void (*leave)(uint64_t cr3));

/* "#PF page fault", … */
const char *trap_name(uint64_t vector);

/* Load GDT, TSS with IST stacks for #DF, NMI and #MC, and the IDT. */
void trap_init(void);
