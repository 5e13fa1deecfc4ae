/*
 * What each CPU has of its own. The part that entry code and this layer need is struct percpu, found through GS while
 * the kernel runs: `this_cpu`. A layer above has per-CPU variables of its own, marked PER_CPU and reached by per_cpu().
 *
 * While the kernel runs, GS's base is the CPU's struct percpu, and IA32_KERNEL_GS_BASE is the user program's GS base;
 * SWAPGS on the way in and out exchanges the two. Vectors that can arrive before that SWAPGS has run (#DB, NMI, #DF,
 * #MC) have stacks of their own, with the address of struct percpu at the top, and set GS from there.
 */
#pragma once

/* Offsets in struct percpu that the entry code uses. */
#define PERCPU_SELF         0
#define PERCPU_KERNEL_STACK 8
#define PERCPU_SCRATCH      16
#define PERCPU_CURRENT      24
#define PERCPU_RETURN       32 /* the flags switch_wanted and frame_changed, tested as one word */
#define PERCPU_CANARY       40 /* the Makefile tells the compiler this offset, for the debug build */

/*
 * Segment selectors. Their order is the one that SYSCALL and SYSRET need (Intel SDM vol. 3A, "Fast System Calls in
 * 64-Bit Mode"). The user selectors have Linux's values, since programs see them in signal frames.
 */
#define SELECTOR_CODE      8
#define SELECTOR_DATA      16
#define SELECTOR_SYSRET    32 /* SYSRET adds 8 for SS and 16 for CS; the selector itself is not used */
#define SELECTOR_USER_DATA (40 | 3)
#define SELECTOR_USER_CODE (48 | 3)
#define SELECTOR_TSS       56

#ifndef __ASSEMBLER__

#include "kernel/lib/panic.h"
#include "paging/types.h"

/* Intel SDM vol. 3A, "64-Bit Task State Segment". Guard: own CPU, interrupts off. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* ist[0] is IST1 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map; /* offset of the I/O bitmap; beyond the TSS's limit: no bitmap */
} __attribute__((packed));

_Static_assert(sizeof(struct tss) == 104, "Intel SDM vol. 3A, \"64-Bit TSS Format\"");

struct task;
struct trap_frame;

/*
 * A CPU's own data, as far as this layer and the entry code need it. Guard: own CPU, interrupts off. Interrupts may be
 * on where frame_changed and copying are written, since no interrupt handler writes these two.
 */
struct percpu {
	struct percpu *self;
	vaddr_t kernel_stack; /* end of the running task's kernel stack, for system calls and traps from user mode */
	uint64_t scratch;     /* for the entry code to save a register in for a few instructions, interrupts off */
	struct task *current; /* the running task; set by kernel/task */
	bool switch_wanted;   /* on return to user mode another task should run */
	bool frame_changed;   /* the call's saved registers changed, or may yet change: return by IRET, not SYSRET */
	bool copying;         /* a fault in a user copy is being served, so tasks are not switched */
	uint64_t canary;      /* stack canary of the debug build (-fstack-protector-strong) */
	/* registers of the code that was interrupted by the interrupt being served; NULL: none is being served */
	struct trap_frame *interrupt;
	uint64_t gdt[9];
	struct tss tss;
};

_Static_assert(offsetof(struct percpu, self) == PERCPU_SELF, "the entry code");
_Static_assert(offsetof(struct percpu, kernel_stack) == PERCPU_KERNEL_STACK, "the entry code");
_Static_assert(offsetof(struct percpu, scratch) == PERCPU_SCRATCH, "the entry code");
_Static_assert(offsetof(struct percpu, current) == PERCPU_CURRENT, "the entry code");
_Static_assert(offsetof(struct percpu, switch_wanted) == PERCPU_RETURN, "the entry code");
_Static_assert(offsetof(struct percpu, frame_changed) == PERCPU_RETURN + 1, "the entry code");

_Static_assert(offsetof(struct percpu, canary) == PERCPU_CANARY, "the Makefile");

/*
 * The struct percpu of the CPU that runs this code; valid after percpu_init(). Reading this_cpu->current is one
 * instruction, and so right even if the task moves to another CPU after it. But &this_cpu->x is an offset from GS's
 * base and no pointer: for a pointer take this_cpu->self, with interrupts off or where no other task can run.
 */
#if defined(HOST_TEST)
extern _Thread_local struct percpu host_percpu;
#define this_cpu (&host_percpu)
#elif defined(__CHECKER__)
extern struct percpu percpu_at_gs;
#define this_cpu (&percpu_at_gs)
#else
extern struct percpu __seg_gs percpu_at_gs; /* kernel.ld puts it at address 0 */
#define this_cpu (&percpu_at_gs)
#endif

/*
 * PER_CPU marks a variable of which each CPU has one; per_cpu(variable) is the running CPU's. So far there is one CPU,
 * and so one variable; in host tests each thread counts as a CPU.
 */
#ifdef HOST_TEST
#define PER_CPU _Thread_local
#else
#define PER_CPU
#endif
#define per_cpu(variable) (variable)

/*
 * Note that an allocation of a frame or a heap block was refused: calls the hook of percpu_set_refusal_hook(), which
 * notes it for the task that runs. Interrupt handlers allocate no memory, so the task that runs is the one that asked.
 * Does nothing in host tests.
 */
#ifdef HOST_TEST
static inline void percpu_note_refusal(void)
{
}
#else
void percpu_note_refusal(void);
#endif

/* Set the hook of percpu_note_refusal(). Call once, at boot. */
void percpu_set_refusal_hook(void (*hook)(void));

/*
 * Panic, in the debug build, if an interrupt handler is running. Used in the functions of the heap and of the frame
 * allocator, which handlers must not call: a handler may have interrupted one of them halfway.
 */
#if DEBUG && !defined(HOST_TEST)
#define ASSERT_NO_INTERRUPT() ASSERT(!this_cpu->interrupt)
#else
#define ASSERT_NO_INTERRUPT() ((void)0)
#endif

/* Marks functions without a stack canary: those that run before GS is set, or while the canary is being set. */
#define NO_CANARY __attribute__((no_stack_protector))

/*
 * The struct percpu of the CPU that starts the machine: for percpu_init, and for debuggers, which find it by this name.
 */
extern struct percpu boot_percpu;

/*
 * Load a GDT with user segments and a TSS with stacks for NMI, #DF and #MC; point GS at `cpu`, which must lie in the
 * PML4 slot that all contexts (sets of page tables) share. Call on that CPU, with interrupts off.
 */
void percpu_init(struct percpu *cpu);

/*
 * Set the stack on which this CPU enters the kernel from user mode: `top` is its end, aligned to 16 bytes. Call with
 * interrupts off.
 */
static inline void percpu_set_kernel_stack(vaddr_t top)
{
	this_cpu->kernel_stack = top;
	this_cpu->tss.rsp[0] = top;
}

/* Give #DB of this CPU a stack of its own, in the heap range. Until then it runs on the interrupted stack. */
void percpu_set_debug_stack(vaddr_t top);

#endif
