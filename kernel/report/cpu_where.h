/* Finds out what a CPU that does not answer is executing, for the panic that names the CPU. */
#pragma once

#include "kernel/arch/cpus.h"

#define CPU_WHERE_TEXT 256

/* Write where another CPU is, and which task it runs, to `text`, and return that. Interrupts the CPU by an NMI. */
char *cpu_where(const struct percpu *cpu, char text[CPU_WHERE_TEXT]);

/* From now on the kernel panics, naming the CPU, when a CPU serves no shootdown for ten seconds. */
void cpu_where_init(void);
