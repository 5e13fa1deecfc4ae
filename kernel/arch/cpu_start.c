/*
 * Writes the trampoline, the code by which other CPUs get from real mode to the kernel, and then sets up the GDT, the
 * IDT and the protections of each CPU that has come through it. Sends no interrupt: that is left to the caller.
 */
#include "kernel/arch/cpu_start.h"

#include "kernel/arch/protection.h"
#include "kernel/arch/trap.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

/* Defined in cpu_trampoline.S. */
extern const char cpu_trampoline[], cpu_trampoline_end[], cpu_trampoline_gdt[], cpu_trampoline_gdtr[],
	cpu_trampoline_far32[], cpu_trampoline_far64[], cpu_trampoline_code32[], cpu_trampoline_code64[],
	cpu_trampoline_root[], cpu_trampoline_entry[], cpu_entry[];

void cpu_started(const struct cpu_start *start);

/* Guard: the CPU that starts the others. */
struct cpu_start cpu_starts[CPUS_MOST];
unsigned cpu_start_count; /* guard: the CPU that starts the others */

static void (*run_started)(const struct cpu_start *start); /* cpu_start_prepare()'s `run`. Fixed after boot */

/* Return the offset of a label from the start of the trampoline, in bytes. */
static uint32_t offset_of(const char *label)
{
	return (uint32_t)((uintptr_t)label - (uintptr_t)cpu_trampoline);
}

/* Write `value` to the place in the copy at `page` that has this label in the original. */
static void fill(void *page, const char *label, size_t size, uint64_t value)
{
	memcpy((char *)page + offset_of(label), &value, size);
}

void cpu_start_prepare(void *page, paddr_t pa, paddr_t root, void (*run)(const struct cpu_start *start))
{
	const uint32_t at = (uint32_t)pa.raw;

	ASSERT(pa.raw < 0x100000 && root.raw <= UINT32_MAX);
	run_started = run;
	memcpy(page, cpu_trampoline, offset_of(cpu_trampoline_end));
	/* In the operand of LGDT the base follows the limit, which has two bytes. */
	fill(page, cpu_trampoline_gdtr + 2, 4, at + offset_of(cpu_trampoline_gdt));
	fill(page, cpu_trampoline_far32, 4, at + offset_of(cpu_trampoline_code32));
	fill(page, cpu_trampoline_far64, 4, at + offset_of(cpu_trampoline_code64));
	fill(page, cpu_trampoline_root, 8, root.raw);
	fill(page, cpu_trampoline_entry, 8, (uintptr_t)cpu_entry);
}

/* Set up the running CPU, and pass it on to run_started. Called by cpu_entry, on the CPU's own stack. */
NO_CANARY void cpu_started(const struct cpu_start *start)
{
	percpu_load(start->cpu);
	trap_start_cpu();
	protection_init();
	run_started(start);
	panic("CPU %u ends its start", start->cpu->number);
}
