/*
 * The list of the CPUs that the kernel uses. Each is known by its struct percpu, which per_cpu_of() takes to reach the
 * CPU's variables. The first is the one that starts the machine; the others join while the machine boots, and none
 * leaves.
 */
#pragma once

#include "kernel/arch/percpu.h"

#define CPUS_MOST 256

/* The CPUs by their `number`. Fixed after boot */
extern struct percpu *cpu_list[CPUS_MOST];

/* How many entries of cpu_list are CPUs that run. Fixed after boot */
extern unsigned cpu_count;

/* Run the loop's body for each CPU. */
#define CPUS_EACH(cpu) for (struct percpu **at_ = cpu_list, *cpu = *at_; at_ < cpu_list + cpu_count; cpu = *++at_)

/* The stacks of a CPU for the vectors that have their own: the ends, aligned to 16 bytes. */
struct percpu_stacks {
	vaddr_t df, nmi, mc, db;
};

/* Return how many bytes a CPU's own variables take, all together. */
size_t percpu_size(void);

/*
 * percpu_prepare: make the variables of another CPU in `area`, which has percpu_size() bytes, is aligned to 64 and lies
 * in the PML4 slot that all contexts share. Returns the CPU's struct percpu. percpu_load: load the GDT, the TSS and the
 * GS base of `cpu`; call on that CPU, with interrupts off.
 */
struct percpu *percpu_prepare(void *area, unsigned number, const struct percpu_stacks *stacks);
void percpu_load(struct percpu *cpu);
