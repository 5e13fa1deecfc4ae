/*
 * Exceptions and interrupts: the IDT, the saved frame, and the handlers that other layers register. All vectors
 * take one path: trap_entry.S saves the frame, and trap.c calls the handlers.
 */
#pragma once

#include "kernel/arch/trap_numbers.h"
#include "paging/types.h"

/*
 * The stacks that the CPU switches to by itself for some vectors (IST). Each of these vectors has a stack of its own,
 * so that one such trap can interrupt another.
 */
enum trap_stack {
	TRAP_STACK_NONE,
	TRAP_STACK_DF,
	TRAP_STACK_NMI,
	TRAP_STACK_MC,
	TRAP_STACK_DB,
};

/* The interrupted state, in the order in which the entry code pushes it: lowest address first. */
struct trap_frame {
	uint64_t cr3; /* CR3 when the trap came, restored on return; not used in a frame that SYSCALL made */
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	/*
	 * the CPU's error code, 0 for vectors without one; in a frame that SYSCALL made: the number of the call, which
	 * RAX held
	 */
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss;
};

static inline bool trap_from_user(const struct trap_frame *frame)
{
	return frame->cs & 3;
}

/* Handle a trap. Returns true when the trap has been handled: execution continues with the (perhaps changed) frame. */
typedef bool trap_handler_fn(struct trap_frame *frame);

/*
 * Set the handler of a vector, which can have one only; NULL removes it. When the handler returns false, or when there
 * is none, the fatal handler is called. A handler runs with interrupts off in whatever context (set of page tables) was
 * interrupted. A handler that needs the direct map of RAM or devices must enter the kernel context, which alone maps
 * them.
 */
void trap_set_handler(unsigned vector, trap_handler_fn *handler);

/*
 * Set the handler that is called before the vector's: for exceptions in user mode, for page faults of the kernel at
 * addresses of the lower half, and for the kernel's general-protection faults.
 */
void trap_set_user_handler(trap_handler_fn *handler);

/*
 * Set the handler that is called first of all for #DB and #BP, also from user mode. When it returns false, the trap
 * goes to the user handler and to the vector's handler, as other exceptions do.
 */
void trap_set_debugger(trap_handler_fn *handler);

/* Set the function that is called last, with interrupts off, before each return to user mode from a trap. */
void trap_set_return_handler(void (*handler)(struct trap_frame *frame));

/* Set the function for a trap that no handler takes: called in the kernel context when that exists; must not return. */
typedef void trap_fatal_fn(struct trap_frame *frame);
void trap_set_fatal(trap_fatal_fn *fatal);

/*
 * Set two functions: `enter` loads the kernel context, and is called before the fatal handler; `leave` loads the
 * context whose CR3 a frame holds, and is called when a handler has left another one loaded.
 */
void trap_set_context(void (*enter)(void), void (*leave)(uint64_t cr3));

/* Return a vector's name: "#PF page fault", … */
const char *trap_name(uint64_t vector);

/* Load the boot CPU's segments and the IDT. */
void trap_init(void);

/* Load the IDT on another CPU, and let programs use SYSCALL there if trap_allow_syscalls() has been called. */
void trap_start_cpu(void);

/* Have #DB switch to the stack that percpu_set_debug_stack(), the only caller, has entered in the TSS. */
void trap_use_debug_stack(void);

/*
 * Let programs use SYSCALL, which jumps to `entry`: assembly that starts with interrupts off, on the user's stack and
 * with the user's GS. Call only on a CPU with SYSCALL, before other CPUs start.
 */
void trap_allow_syscalls(const char *entry);
