/*
 * How another CPU comes from the SIPI (the interrupt that starts it, in real mode, below 1 MiB) to C code. The CPU runs
 * through a copy of cpu_trampoline, which turns on paging and 64-bit mode; then cpu_entry, in the kernel's text, looks
 * for the CPU's APIC id in cpu_starts, and takes the stack of that entry. A CPU that is not listed halts.
 */
#pragma once

/* Offsets in struct cpu_start, and its size, for cpu_trampoline.S. */
#define CPU_START_ID    0
#define CPU_START_STACK 8
#define CPU_START_SIZE  24

#ifndef __ASSEMBLER__

#include "kernel/arch/cpus.h"

/* A CPU that is to start. Its fields do not change once they are filled in. */
struct cpu_start {
	uint32_t apic_id;
	vaddr_t stack; /* end of its first stack, aligned to 16 bytes */
	struct percpu *cpu;
};

_Static_assert(offsetof(struct cpu_start, apic_id) == CPU_START_ID, "cpu_trampoline.S");
_Static_assert(offsetof(struct cpu_start, stack) == CPU_START_STACK, "cpu_trampoline.S");
_Static_assert(sizeof(struct cpu_start) == CPU_START_SIZE, "cpu_trampoline.S");

/* The CPUs that are to start. Guard: the CPU that starts the others, which fills the list before it sends a SIPI. */
extern struct cpu_start cpu_starts[CPUS_MOST];
extern unsigned cpu_start_count;

/*
 * Write the trampoline to the page at physical address `pa`, below 1 MiB, which this CPU sees at `page`. root: the page
 * tables, below 4 GiB, that a starting CPU loads: they must map the page at its physical address, read-only and
 * executable, and PML4 slot 511. run: called on each CPU that starts, with its GDT, IDT and protections set up, on its
 * own stack, with interrupts off and `root` loaded; must not return.
 */
void cpu_start_prepare(void *page, paddr_t pa, paddr_t root, void (*run)(const struct cpu_start *start));

#endif
