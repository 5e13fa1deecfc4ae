/*
 * GDT, TSS and IDT, and the dispatch of exceptions to whoever registered for them.
 * Decides nothing about a fault: with no handler it is the fatal one's.
 */
#include "kernel/arch/trap.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

/* Selectors. The order is what SYSCALL and SYSRET will want (Intel SDM vol. 3A, "Fast System Calls in 64-Bit Mode"). */
enum {
	SELECTOR_CODE = 8,
	SELECTOR_DATA = 16,
	SELECTOR_TSS = 24,
};

/* Stacks that the CPU switches to by itself: kept apart so that one fault can interrupt another. */
enum ist {
	IST_NONE,
	IST_DF,
	IST_NMI,
	IST_MC,
};

/* Intel SDM vol. 3A, "64-Bit Task State Segment". */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* IST1 first */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map; /* offset of the I/O bitmap; past the limit: none */
} __attribute__((packed));

_Static_assert(sizeof(struct tss) == 104, "Intel SDM vol. 3A, \"64-Bit TSS Format\"");

/* Intel SDM vol. 3A, "64-Bit IDT Gate Descriptors". */
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

extern const char trap_stubs[];
extern char df_stack_top[], nmi_stack_top[], mc_stack_top[];
void segments_load(uint16_t code, uint16_t data);
void trap_dispatch(struct trap_frame *frame);

static uint64_t gdt[5] = {
	[SELECTOR_CODE / 8] = 0x00af9b000000ffff, /* 64-bit code, DPL 0, accessed */
	[SELECTOR_DATA / 8] = 0x00cf93000000ffff, /* data, DPL 0, accessed */
};
static struct tss tss;
static struct gate idt[TRAP_VECTORS];
static trap_handler_fn *handlers[TRAP_VECTORS];
static trap_fatal_fn *fatal_handler;
static void (*context_enter)(void);
static void (*context_leave)(uint64_t cr3);

const char *trap_name(uint64_t vector)
{
	static const char *const names[TRAP_VECTORS] = {
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

	return vector < TRAP_VECTORS && names[vector] ? names[vector] : "reserved exception";
}

void trap_set_handler(enum trap_vector vector, trap_handler_fn *handler)
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

/*
 * Handlers work on the kernel's own things, so they run in the kernel context whatever was interrupted.
 * The way back is by value too, but not blindly: what that value's PCID stands for may have changed since.
 */
void trap_dispatch(struct trap_frame *frame)
{
	if (context_enter)
		context_enter();
	if (handlers[frame->vector] && handlers[frame->vector](frame)) {
		if (context_leave) {
			context_leave(frame->cr3);
			/* The entry code finds nothing left to do. */
			frame->cr3 = cpu_read_cr3();
		}
		return;
	}
	if (fatal_handler)
		fatal_handler(frame);
	panic("%s at %#llx, error code %#llx", trap_name(frame->vector), (unsigned long long)frame->rip,
	      (unsigned long long)frame->error);
}

static void set_tss_descriptor(void)
{
	uint64_t base = (uintptr_t)&tss;

	/* Type 9: available 64-bit TSS; two entries wide. */
	gdt[SELECTOR_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ULL << 40 | (base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static enum ist ist_of(int vector)
{
	switch (vector) {
	case TRAP_DF:
		return IST_DF;
	case TRAP_NMI:
		return IST_NMI;
	case TRAP_MC:
		return IST_MC;
	default:
		return IST_NONE;
	}
}

void trap_init(void)
{
	struct descriptor_register gdtr = { sizeof(gdt) - 1, (uintptr_t)gdt };
	struct descriptor_register idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	tss.ist[IST_DF - 1] = (uintptr_t)df_stack_top;
	tss.ist[IST_NMI - 1] = (uintptr_t)nmi_stack_top;
	tss.ist[IST_MC - 1] = (uintptr_t)mc_stack_top;
	tss.io_map = sizeof(tss);
	set_tss_descriptor();
	cpu_load_gdt(&gdtr);
	segments_load(SELECTOR_CODE, SELECTOR_DATA);
	cpu_load_task_register(SELECTOR_TSS);

	for (int vector = 0; vector < TRAP_VECTORS; vector++) {
		uint64_t stub = (uintptr_t)trap_stubs + 16 * (unsigned)vector;

		idt[vector] = (struct gate){ .offset_low = (uint16_t)stub,
					     .selector = SELECTOR_CODE,
					     .ist = ist_of(vector),
					     .type = GATE_INTERRUPT,
					     .offset_middle = (uint16_t)(stub >> 16),
					     .offset_high = (uint32_t)(stub >> 32) };
	}
	cpu_load_idt(&idtr);
}
