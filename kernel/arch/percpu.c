/*
 * Sets up a CPU's GDT, its TSS with the stacks of some vectors, and GS.
 */
#include "kernel/arch/percpu.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/trap.h"

extern char df_stack_top[], nmi_stack_top[], mc_stack_top[];
void segments_load(uint16_t code, uint16_t data);

struct percpu boot_percpu;

static void (*refusal_hook)(void); /* called when memory is refused; NULL until there are tasks. Fixed after boot */

void percpu_set_refusal_hook(void (*hook)(void))
{
	refusal_hook = hook;
}

void percpu_note_refusal(void)
{
	if (refusal_hook)
		refusal_hook();
}

/* Intel SDM vol. 3A, "Segment Descriptors": all are present and accessed. */
static const uint64_t segments[SELECTOR_TSS / 8] = {
	[SELECTOR_CODE / 8] = 0x00af9b000000ffff,      /* 64-bit code, DPL 0 */
	[SELECTOR_DATA / 8] = 0x00cf93000000ffff,      /* data, DPL 0 */
	[SELECTOR_USER_DATA / 8] = 0x00cff3000000ffff, /* data, DPL 3 */
	[SELECTOR_USER_CODE / 8] = 0x00affb000000ffff, /* 64-bit code, DPL 3 */
};

/*
 * Have the CPU use the stack that ends at `top` for the vectors with this `ist`. The word right above the frame that
 * the CPU pushes there is the address of the struct percpu, to which the entry code sets GS.
 */
static void set_ist(struct percpu *cpu, enum trap_stack ist, vaddr_t top)
{
	*(struct percpu **)(top - 16) = cpu;
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

NO_CANARY void percpu_init(struct percpu *cpu)
{
	struct descriptor_register gdtr = { sizeof(cpu->gdt) - 1, (uintptr_t)cpu->gdt };

	cpu->self = cpu;
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		cpu->gdt[i] = segments[i];
	set_ist(cpu, TRAP_STACK_DF, (uintptr_t)df_stack_top);
	set_ist(cpu, TRAP_STACK_NMI, (uintptr_t)nmi_stack_top);
	set_ist(cpu, TRAP_STACK_MC, (uintptr_t)mc_stack_top);
	cpu->tss.io_map = sizeof(cpu->tss);
	set_tss_descriptor(cpu);
	cpu_load_gdt(&gdtr);
	segments_load(SELECTOR_CODE, SELECTOR_DATA);
	cpu_load_task_register(SELECTOR_TSS);
	/* Loading the GS selector has set GS's base to 0: set it anew. */
	cpu_write_msr(MSR_GS_BASE, (uintptr_t)cpu);
	cpu_write_msr(MSR_KERNEL_GS_BASE, 0);
}

void percpu_set_debug_stack(vaddr_t top)
{
	set_ist(this_cpu->self, TRAP_STACK_DB, top);
	trap_use_debug_stack();
}
