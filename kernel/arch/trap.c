/*
 * The IDT, and the dispatch of exceptions and interrupts to the handlers that are registered for them. A trap for which
 * no handler returns true goes to the fatal handler.
 */
#include "kernel/arch/trap.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_state.h"
#include "kernel/arch/features.h"
#include "kernel/arch/percpu.h"
#include "kernel/arch/stop_watch.h"
#include "kernel/arch/text_patch.h"
#include "kernel/lib/panic.h"
#include "paging/layout.h"
#include "paging/pte.h"

/* An entry of the IDT (Intel SDM vol. 3A, "64-Bit IDT Gate Descriptors"). */
struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

#define GATE_INTERRUPT 0x8e /* present, DPL 0, clears IF */
#define GATE_USER      0x60 /* added to GATE_INTERRUPT: DPL 3, so that a program's INT may use the gate */

extern const char trap_stubs[];
void trap_dispatch(struct trap_frame *frame);

/* Whether #DB has its own stack; trap_entry.S reads it. Fixed after boot. */
extern bool trap_debug_stack;
bool trap_debug_stack;

/* Fixed after boot, except `debugger`, which gdb_stub_init() sets, and `user_handler`, which self-tests replace. */
static struct gate idt[TRAP_VECTORS];
static trap_handler_fn *handlers[TRAP_VECTORS];
static trap_handler_fn *user_handler, *debugger;
static void (*return_handler)(struct trap_frame *frame);
static trap_fatal_fn *fatal_handler;
static const char *syscall_entry_point; /* trap_allow_syscalls()'s argument; NULL: not called yet */
static void (*context_enter)(void);
static void (*context_leave)(uint64_t cr3);

const char *trap_name(uint64_t vector)
{
	static const char *const names[TRAP_EXTERNAL] = {
		[0] = "#DE divide error",
		[1] = "#DB debug exception",
		[2] = "NMI",
		[3] = "#BP breakpoint",
		[4] = "#OF overflow",
		[5] = "#BR bound range exceeded",
		[6] = "#UD invalid opcode",
		[7] = "#NM device not available",
		[8] = "#DF double fault",
		[10] = "#TS invalid TSS",
		[11] = "#NP segment not present",
		[12] = "#SS stack fault",
		[13] = "#GP general protection",
		[14] = "#PF page fault",
		[16] = "#MF x87 floating-point error",
		[17] = "#AC alignment check",
		[18] = "#MC machine check",
		[19] = "#XM SIMD floating-point error",
		[20] = "#VE virtualization exception",
		[21] = "#CP control protection",
	};

	if (vector >= TRAP_EXTERNAL)
		return "interrupt";
	return names[vector] ? names[vector] : "reserved exception";
}

void trap_set_handler(unsigned vector, trap_handler_fn *handler)
{
	ASSERT(vector < TRAP_VECTORS && (!handler || !handlers[vector]));
	handlers[vector] = handler;
}

void trap_set_fatal(trap_fatal_fn *fatal)
{
	fatal_handler = fatal;
}

void trap_set_context(void (*enter)(void), void (*leave)(uint64_t cr3))
{
	context_leave = leave;
	context_enter = enter;
}

void trap_set_user_handler(trap_handler_fn *handler)
{
	user_handler = handler;
}

void trap_set_debugger(trap_handler_fn *handler)
{
	debugger = handler;
}

void trap_set_return_handler(void (*handler)(struct trap_frame *frame))
{
	return_handler = handler;
}

/*
 * Return whether user_handler is to be called for this exception: it came from user mode, or it is a page fault at a
 * user address, or a #GP. The kernel gets a #GP when it loads a program's register values and the CPU refuses them.
 */
static NO_BREAK bool is_users(const struct trap_frame *frame)
{
	if (!user_handler || frame->vector >= TRAP_EXTERNAL)
		return false;
	/* Kernel mode in the lower half is the firmware's code, whose addresses mean nothing in the task's memory. */
	if (!trap_from_user(frame) && !(frame->rip >> 63))
		return false;
	return trap_from_user(frame) || frame->vector == TRAP_GP ||
	       (frame->vector == TRAP_PF && cpu_read_cr2() < USER_SIZE);
}

static NO_BREAK bool handle(struct trap_frame *frame)
{
	if (debugger && (frame->vector == TRAP_DB || frame->vector == TRAP_BP) && debugger(frame))
		return true;
	if (is_users(frame) && user_handler(frame))
		return true;
	return handlers[frame->vector] && handlers[frame->vector](frame);
}

/*
 * Call the handlers for an exception or interrupt until one returns true. If a handler has left another context (set of
 * page tables) loaded, load the frame's again, by context_leave() and not by writing the frame's CR3: the PCID in it
 * may have been given to another context meanwhile. trap_entry.S calls this for every trap.
 */
NO_BREAK void trap_dispatch(struct trap_frame *frame)
{
	/*
	 * Clear the AC flag, which a trap does not change: a program may have set it, and while it is set SMAP has no
	 * effect.
	 */
	if (frame->rflags & RFLAGS_AC && cpu_features()->smap)
		cpu_clac();
	stop_watch_trap(frame);
	if (handle(frame)) {
		if (trap_from_user(frame) && return_handler)
			return_handler(frame);
		if (context_leave && ((cpu_read_cr3() ^ frame->cr3) & PTE_ADDRESS))
			context_leave(frame->cr3);
		stop_watch_trap_ends(frame);
		return;
	}
	if (context_enter)
		context_enter();
	if (fatal_handler)
		fatal_handler(frame);
	panic("%s at %#llx, error code %#llx", trap_name(frame->vector), (unsigned long long)frame->rip,
	      (unsigned long long)frame->error);
}

static enum trap_stack stack_of(unsigned vector)
{
	switch (vector) {
	case TRAP_DF:
		return TRAP_STACK_DF;
	case TRAP_NMI:
		return TRAP_STACK_NMI;
	case TRAP_MC:
		return TRAP_STACK_MC;
	default:
		return TRAP_STACK_NONE;
	}
}

void trap_use_debug_stack(void)
{
	idt[TRAP_DB].ist = TRAP_STACK_DB;
	trap_debug_stack = true;
}

NO_CANARY void trap_init(void)
{
	struct descriptor_register idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	percpu_init();
	for (unsigned vector = 0; vector < TRAP_VECTORS; vector++) {
		uint64_t stub = (uintptr_t)trap_stubs + 16 * vector;

		idt[vector] = (struct gate){ .offset_low = (uint16_t)stub,
					     .selector = SELECTOR_CODE,
					     .ist = stack_of(vector),
					     .type = GATE_INTERRUPT,
					     .offset_middle = (uint16_t)(stub >> 16),
					     .offset_high = (uint32_t)(stub >> 32) };
	}
	/* Programs may use INT3, for a debugger's breakpoints. */
	idt[TRAP_BP].type = GATE_INTERRUPT | GATE_USER;
	cpu_load_idt(&idtr);
}

void trap_start_cpu(void)
{
	struct descriptor_register idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	cpu_load_idt(&idtr);
	if (syscall_entry_point)
		trap_allow_syscalls(syscall_entry_point);
}

void trap_allow_syscalls(const char *entry)
{
	syscall_entry_point = entry;
	cpu_write_msr(MSR_STAR, (uint64_t)(SELECTOR_SYSRET | 3) << 48 | (uint64_t)SELECTOR_CODE << 32);
	cpu_write_msr(MSR_LSTAR, (uintptr_t)entry);
	/* Flags that SYSCALL clears: all that a program can set and the kernel must not run with. */
	cpu_write_msr(MSR_FMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_IOPL);
	cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_SCE);
}
