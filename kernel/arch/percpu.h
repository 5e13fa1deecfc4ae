/*
 * What each CPU has of its own. The part that entry code and this layer need is struct percpu, found through GS while
 * the kernel runs: `this_cpu`. A layer above has variables of its own, marked PER_CPU and reached by per_cpu(). No
 * other code names a CPU's object.
 *
 * In the kernel GS's base is this object and IA32_KERNEL_GS_BASE the user's; SWAPGS on the way in and out exchanges the
 * two. Vectors that can arrive before that SWAPGS has run (#DB, NMI, #DF, #MC) have stacks of their own, with the
 * object's address at the top, and set GS from there.
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
 * 64-Bit Mode"); the users' are Linux's, which programs find in signal frames.
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

/* What a CPU has of its own, for the entry code too. Guard: own CPU, interrupts off. */
struct percpu {
	struct percpu *self;
	vaddr_t kernel_stack; /* top of the current task's: where system calls start, and traps from user mode */
	uint64_t scratch;     /* the entry code's, for a few instructions with interrupts off */
	struct task *current; /* kernel/task's */
	bool switch_wanted;   /* on return to user mode another task should run */
	bool frame_changed; /* own CPU: the system call's frame is not SYSCALL's any more, or will not be: IRET returns */
	bool copying;       /* own CPU: a fault in a user copy is served, during which no task is switched */
	uint64_t canary;    /* the debug build's functions have it between their arrays and their return address */
	struct trap_frame
		*interrupt; /* what the interrupt that is served has interrupted; NULL: none is. kernel/irq's */
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
 * Fields of the CPU that this runs on: this_cpu->current is one instruction, and so right even where an interrupt could
 * take the task to another CPU before the next one. After percpu_init. Its address is an offset from GS's base, good for
 * nothing else: who needs a pointer takes this_cpu->self, with interrupts off or where nothing else can run.
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
 * PER_CPU marks a variable of which each CPU has one; per_cpu() is that of the CPU that this runs on. There is one CPU
 * so far, and so one variable; on the host a thread is a CPU.
 */
#ifdef HOST_TEST
#define PER_CPU _Thread_local
#else
#define PER_CPU
#endif
#define per_cpu(variable) (variable)

/*
 * Panics in the debug build when an interrupt handler calls: for the heap and the frames, which handlers keep off. A handler
 * would find half done what it has interrupted.
 */
#if DEBUG && !defined(HOST_TEST)
#define ASSERT_NO_INTERRUPT() ASSERT(!this_cpu->interrupt)
#else
#define ASSERT_NO_INTERRUPT() ((void)0)
#endif

/* Marks functions that run while GS has no base yet, and the one that sets the canary: they must not check it. */
#define NO_CANARY __attribute__((no_stack_protector))

/* The object of the CPU that starts the machine: for percpu_init, and for debuggers, which find it by this name. */
extern struct percpu boot_percpu;

/*
 * Load a GDT with user segments and a TSS with stacks for NMI, #DF and #MC; point GS at `cpu`, which lies in slot 511.
 * Runs on that CPU, interrupts off.
 */
void percpu_init(struct percpu *cpu);

/*
 * Set the stack on which this CPU enters the kernel from user mode: `top` is its end, aligned to 16 bytes. Interrupts
 * are off.
 */
static inline void percpu_set_kernel_stack(vaddr_t top)
{
	this_cpu->kernel_stack = top;
	this_cpu->tss.rsp[0] = top;
}

/* Give #DB of this CPU a stack of its own, in the heap range. Until then it runs on the interrupted stack. */
void percpu_set_debug_stack(vaddr_t top);

#endif
