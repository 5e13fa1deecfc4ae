/*
 * Sets up a CPU's GDT, its TSS with the stacks of some vectors, and GS.
 */
#include "kernel/arch/percpu.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpus.h"
#include "kernel/arch/trap.h"
#include "kernel/lib/string.h"

/* Defined in kernel.ld. */
extern char df_stack_top[], nmi_stack_top[], mc_stack_top[], image_percpu[], image_percpu_end[];

void segments_load(uint16_t code, uint16_t data);

PER_CPU struct percpu percpu;

struct percpu *cpu_list[CPUS_MOST] = { &percpu }; /* fixed after boot */
unsigned cpu_count = 1;                           /* fixed after boot */

/*
 * The canary, under the name that the Makefile tells the compiler. Guard: own CPU, which sets it when it starts.
 */
extern PER_CPU uint64_t stack_canary;
PER_CPU uint64_t stack_canary;

#ifdef __clang__
/*
 * The canary in a build with Clang 14, which accepts no other name for it and has one canary for all CPUs.
 */
extern uint64_t __stack_chk_guard;
uint64_t __stack_chk_guard; /* guard: set once, by the CPU that starts the machine */
#endif

static void (*refusal_hook)(void); /* called when an allocation fails; NULL until there are tasks. Fixed after boot */

void percpu_set_refusal_hook(void (*hook)(void))
{
	refusal_hook = hook;
}

void percpu_note_refusal(void)
{
	if (refusal_hook)
		refusal_hook();
}

/* The GDT's entries that all CPUs have alike, all present and accessed (Intel SDM vol. 3A, "Segment Descriptors"). */
static const uint64_t segments[SELECTOR_TSS / 8] = {
	[SELECTOR_CODE / 8] = 0x00af9b000000ffff,      /* 64-bit code, DPL 0 */
	[SELECTOR_DATA / 8] = 0x00cf93000000ffff,      /* data, DPL 0 */
	[SELECTOR_USER_DATA / 8] = 0x00cff3000000ffff, /* data, DPL 3 */
	[SELECTOR_USER_CODE / 8] = 0x00affb000000ffff, /* 64-bit code, DPL 3 */
};

/*
 * Have the CPU use the stack that ends at `top` for the vectors with this `ist`. The word right above the frame that
 * the CPU pushes there is the CPU's GS base, which the entry code loads.
 */
static void set_ist(struct percpu *cpu, enum trap_stack ist, vaddr_t top)
{
	*(uint64_t *)(top - 16) = cpu->shift;
	cpu->tss.ist[ist - 1] = top - 16;
}

static void set_tss_descriptor(struct percpu *cpu)
{
	uint64_t base = (uintptr_t)&cpu->tss;

	/* Descriptor type 9, an available 64-bit TSS, takes two entries. */
	cpu->gdt[SELECTOR_TSS / 8] =
		(sizeof(struct tss) - 1) | (base & 0xffffff) << 16 | 0x89ULL << 40 | (base >> 24 & 0xff) << 56;
	cpu->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

NO_CANARY void percpu_load(struct percpu *cpu)
{
	struct descriptor_register gdtr = { sizeof(cpu->gdt) - 1, (uintptr_t)cpu->gdt };

	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		cpu->gdt[i] = segments[i];
	cpu->tss.io_map = sizeof(cpu->tss);
	set_tss_descriptor(cpu);
	cpu_load_gdt(&gdtr);
	segments_load(SELECTOR_CODE, SELECTOR_DATA);
	cpu_load_task_register(SELECTOR_TSS);
	/* Loading the GS selector has set GS's base to 0: set it anew. */
	cpu_write_msr(MSR_GS_BASE, cpu->shift);
	cpu_write_msr(MSR_KERNEL_GS_BASE, 0);
}

size_t percpu_size(void)
{
	return (uintptr_t)image_percpu_end - (uintptr_t)image_percpu;
}

struct percpu *percpu_prepare(void *area, unsigned number, const struct percpu_stacks *stacks)
{
	const uint64_t shift = (uintptr_t)area - (uintptr_t)image_percpu;
	struct percpu *cpu;

	memset(area, 0, percpu_size());
	cpu = (struct percpu *)((uintptr_t)&percpu + shift);
	cpu->shift = shift;
	cpu->number = number;
	*per_cpu_of(cpu, stack_canary) = per_cpu(stack_canary);
	set_ist(cpu, TRAP_STACK_DF, stacks->df);
	set_ist(cpu, TRAP_STACK_NMI, stacks->nmi);
	set_ist(cpu, TRAP_STACK_MC, stacks->mc);
	set_ist(cpu, TRAP_STACK_DB, stacks->db);
	return cpu;
}

NO_CANARY void percpu_init(void)
{
	set_ist(&percpu, TRAP_STACK_DF, (uintptr_t)df_stack_top);
	set_ist(&percpu, TRAP_STACK_NMI, (uintptr_t)nmi_stack_top);
	set_ist(&percpu, TRAP_STACK_MC, (uintptr_t)mc_stack_top);
	percpu_load(&percpu);
}

NO_CANARY void percpu_set_canary(uint64_t value)
{
	per_cpu(stack_canary) = value;
#ifdef __clang__
	if (!__stack_chk_guard)
		__stack_chk_guard = value;
#endif
}

void percpu_set_debug_stack(vaddr_t top)
{
	set_ist(per_cpu_pointer(percpu), TRAP_STACK_DB, top);
	trap_use_debug_stack();
}
