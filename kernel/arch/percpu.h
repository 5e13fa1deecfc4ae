/*
 * What each CPU has of its own: variables marked PER_CPU, which per_cpu() reaches. The variables of the CPU that starts
 * the machine lie where the linker has put them; each other CPU has an area of the heap that is laid out alike. The
 * part that entry code and this layer need is the variable `percpu`, of which `this_cpu` is the running CPU's.
 *
 * While the kernel runs, GS's base is the distance from the linker's addresses to the CPU's own variables, 0 on the
 * CPU that starts the machine, and IA32_KERNEL_GS_BASE is the user program's GS base; SWAPGS on the way in and out
 * exchanges the two. So %gs:x is the CPU's own x. Vectors that can arrive before that SWAPGS has run (#DB, NMI, #DF,
 * #MC) have stacks of their own, with the CPU's GS base at the top, and set GS from there.
 */
#pragma once

/* Offsets in struct percpu that the entry code uses. */
#define PERCPU_KERNEL_STACK 8
#define PERCPU_SCRATCH      16
#define PERCPU_CURRENT      24
#define PERCPU_RETURN       32 /* the flags switch_wanted and frame_changed, tested as one word */
#define PERCPU_CALLS_BY_C   35 /* the flag calls_by_c */

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
	uint64_t shift;       /* the CPU's GS base, which per_cpu_pointer() adds to addresses. Fixed when set up */
	vaddr_t kernel_stack; /* end of the running task's kernel stack, for system calls and traps from user mode */
	uint64_t scratch;     /* for the entry code to save a register in for a few instructions, interrupts off */
	struct task *current; /* the running task; set by kernel/task */
	bool switch_wanted;   /* on return to user mode another task should run */
	bool frame_changed;   /* the call's saved registers changed, or may yet change: return by IRET, not SYSRET */
	bool copying;         /* a fault in a user copy is being served, so tasks are not switched */
	bool calls_by_c;      /* the entry code calls syscall_run(); set by kernel/task, for the running task */
	uint32_t apic_id;     /* fixed when set up */
	unsigned number;      /* 0: the CPU that starts the machine; the index in cpu_list. Fixed when set up */
	/* registers of the code that was interrupted by the interrupt being served; NULL: none is being served */
	struct trap_frame *interrupt;
	uint64_t gdt[9];
	struct tss tss;
};

_Static_assert(offsetof(struct percpu, kernel_stack) == PERCPU_KERNEL_STACK, "the entry code");
_Static_assert(offsetof(struct percpu, scratch) == PERCPU_SCRATCH, "the entry code");
_Static_assert(offsetof(struct percpu, current) == PERCPU_CURRENT, "the entry code");
_Static_assert(offsetof(struct percpu, switch_wanted) == PERCPU_RETURN, "the entry code");
_Static_assert(offsetof(struct percpu, frame_changed) == PERCPU_RETURN + 1, "the entry code");
_Static_assert(offsetof(struct percpu, calls_by_c) == PERCPU_CALLS_BY_C, "the entry code");

/*
 * PER_CPU marks a variable of which each CPU has one. The variable is all zero until code that each CPU runs when it
 * starts sets it to something else. In host tests each thread counts as a CPU. An array has to be in a structure:
 * gcc drops the address space __seg_gs from the elements of an array, which would then be those of the first CPU.
 *
 *   per_cpu(variable)          the running CPU's. An access is one instruction, and so right even if the task moves to
 *                              another CPU after it; but the address of this expression is no pointer
 *   per_cpu_pointer(variable)  a pointer to the running CPU's; good while the task stays on the CPU: until it sleeps,
 *                              or lets others run
 *   per_cpu_of(cpu, variable)  a pointer to that of another CPU, which `cpu`, its struct percpu, stands for
 */
#if defined(HOST_TEST)
#define PER_CPU                   _Thread_local
#define per_cpu(variable)         (variable)
#define per_cpu_pointer(variable) (&(variable))
#elif defined(__CHECKER__)
#define PER_CPU
#define per_cpu(variable)         (variable)
#define per_cpu_pointer(variable) (&(variable))
#define per_cpu_of(cpu, variable) ((void)(cpu), &(variable))
#else
#define PER_CPU                   __attribute__((section(".bss.percpu")))
#define per_cpu(variable)         (*(typeof(variable) __seg_gs *)(uintptr_t) & (variable))
#define per_cpu_pointer(variable) ((typeof(variable) *)((uintptr_t) & (variable) + this_cpu->shift))
#define per_cpu_of(cpu, variable) ((typeof(variable) *)((uintptr_t) & (variable) + (cpu)->shift))
#endif

/* The struct percpu of the CPU that runs this code; valid after percpu_init(). */
#ifdef HOST_TEST
extern _Thread_local struct percpu host_percpu;
#define this_cpu (&host_percpu)
#else
extern PER_CPU struct percpu percpu;
#define this_cpu (&per_cpu(percpu))
#endif

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
 * Set up the CPU that starts the machine: load a GDT with user segments and a TSS with stacks for NMI, #DF and #MC, and
 * set GS. Call with interrupts off.
 */
void percpu_init(void);

#ifndef HOST_TEST

/* Set the canary of this CPU, which functions of the debug build have on their stacks (-fstack-protector-strong). */
void percpu_set_canary(uint64_t value);

/*
 * Set the stack on which this CPU enters the kernel from user mode: `top` is its end, aligned to 16 bytes. Call with
 * interrupts off.
 */
static inline void percpu_set_kernel_stack(vaddr_t top)
{
	this_cpu->kernel_stack = top;
	this_cpu->tss.rsp[0] = top;
}

/* Give #DB of this CPU a stack of its own, with its end at `top`. Until then #DB runs on the interrupted stack. */
void percpu_set_debug_stack(vaddr_t top);

#endif
#endif
